import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { isIP } from "node:net";
import { Refusal } from "./refusal.js";

/** Who may ask what. */
export interface GateOptions {
  /** Absent: everybody who can connect may ask. */
  readonly token?: string | undefined;
  /** Names under which the server may be asked, besides localhost and addresses. */
  readonly hosts: readonly string[];
}

/** The part of a request that decides whether it comes in. */
export interface Knock {
  readonly method: string;
  /** With the query. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

export const sessionCookie = "clipt-session";

/** What anybody may ask without the token: the page, which asks for it, and whether the server lives. */
const open = (path: string): boolean =>
  !/^\/(api|v1|metadata|indices-list|knn-service|metrics)(\/|$)/.test(path) || path === "/api/login";

/**
 * Judges requests by their headers alone.
 *
 * @returns a function that throws a `Refusal` for those that may not come in
 */
export function openGate({ token, hosts }: GateOptions): (knock: Knock) => void {
  const accepted = token === undefined ? undefined : [digest(token), digest(sessionOf(token))];
  const known = new Set(["localhost", ...hosts.map((host) => host.toLowerCase())]);
  return ({ method, url, headers }) => {
    // A page elsewhere can make its own name point to this machine (DNS rebinding), but it cannot change the name it asks.
    const host = headers.host ?? "";
    const name = nameOf(host);
    if (name === undefined || !(isIP(name) !== 0 || known.has(name)))
      throw new Refusal(
        "forbidden",
        `This server does not answer to the name ${JSON.stringify(name ?? host)}; allow it with --allow-host.`,
      );
    // A page elsewhere may send forms and pictures' addresses here: its browser says where they come from.
    const { origin } = headers;
    const elsewhere =
      origin === undefined
        ? headers["sec-fetch-site"] === "cross-site" && !isNavigation(method, headers)
        : hostOf(origin) !== host.toLowerCase();
    if (elsewhere) throw new Refusal("forbidden", "Requests of other sites' pages are not answered.");
    if (accepted === undefined || open(url.split("?", 1)[0]!)) return;
    const given = tokenOf(headers);
    // By digests, so that the time tells neither the length nor where they differ.
    if (given === undefined || !accepted.some((wanted) => timingSafeEqual(digest(given), wanted)))
      throw new Refusal(
        "unauthorized",
        given === undefined
          ? "This server asks for its token: Authorization: Bearer TOKEN."
          : "This is not the server's token.",
        { "WWW-Authenticate": "Bearer" },
      );
  };
}

/** What a browser keeps instead of the token: it opens this server and nothing else that has the same token. */
export const sessionOf = (token: string): string =>
  createHmac("sha256", token).update("clipt session").digest("hex");

const digest = (token: string): Buffer => createHash("sha256").update(token).digest();

/** A link that a person follows shows them the page and no more. */
const isNavigation = (method: string, headers: IncomingHttpHeaders): boolean =>
  method === "GET" && headers["sec-fetch-mode"] === "navigate" && headers["sec-fetch-dest"] === "document";

/** "LOCALHOST:7700" → "localhost", "[::1]:80" → "::1"; undefined for what is no host. */
function nameOf(host: string): string | undefined {
  const [, six, name] = /^(?:\[([\da-f:.]+)\]|([\w.-]+))(?::\d{1,5})?$/i.exec(host) ?? [];
  return (six ?? name)?.toLowerCase();
}

/** "http://127.0.0.1:7700" → "127.0.0.1:7700"; undefined for "null" and what is no origin. */
const hostOf = (origin: string): string | undefined =>
  /^https?:\/\/([^/]+)$/i.exec(origin)?.[1]?.toLowerCase();

function tokenOf({ authorization, cookie }: IncomingHttpHeaders): string | undefined {
  const [, bearer] = /^bearer +(\S+) *$/i.exec(authorization ?? "") ?? [];
  if (bearer !== undefined) return bearer;
  const pair = cookie
    ?.split(";")
    .map((text) => text.trim())
    .find((text) => text.startsWith(`${sessionCookie}=`));
  return pair?.slice(sessionCookie.length + 1);
}

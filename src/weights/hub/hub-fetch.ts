import { setTimeout as sleep } from "node:timers/promises";
import { CliptError, messageOf } from "../../tensor/index.js";
import type { Repository } from "./names.js";
import { refusal } from "./refusal.js";
import type { HubSettings } from "./settings.js";

const tries = 4;
const firstPauseMs = 500;
const longestPauseMs = 30_000;
const redirects = 5;

/** Faults that pass: of the connection by undici's and the system's codes, of the server by status. */
const passing = new Set(["ECONNRESET", "ETIMEDOUT", "EPIPE", "UND_ERR_SOCKET", "UND_ERR_CONNECT_TIMEOUT"]);
const busy = new Set([429, 500, 502, 503, 504]);

/** What the hub says of a file on the redirect to where its bytes lie, which says something else. */
const linked = ["x-linked-size", "x-linked-etag", "x-repo-commit"];

/**
 * A `fetch` for the hub's client. The token goes to the hub and to no other server, passing faults are tried again, and
 * a refusal is thrown as an error that says what to do.
 */
export function hubFetch(settings: HubSettings, repository: Repository, signal: AbortSignal): typeof fetch {
  return async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    for (let attempt = 1; ; attempt++) {
      const last = attempt === tries;
      const response = await followed(url, init, settings, signal).catch((cause: unknown) => {
        signal.throwIfAborted();
        const { code = "" } = ((cause as Error).cause ?? cause) as { code?: string };
        if (last || !passing.has(code)) throw unreachable(repository, url, code, cause);
        return undefined;
      });
      if (response?.ok === true) return response;
      if (response !== undefined && (last || !busy.has(response.status)))
        throw await refusal(response, url, repository, settings);
      const asked = Number(response?.headers.get("retry-after") ?? NaN) * 1_000;
      await response?.body?.cancel();
      const pauseMs = Number.isFinite(asked) ? asked : firstPauseMs * 2 ** (attempt - 1);
      await sleep(Math.min(pauseMs, longestPauseMs), undefined, { signal });
    }
  };
}

/** Follows redirects by hand: `fetch` would hide the headers of the first answer. */
async function followed(
  start: URL,
  init: RequestInit | undefined,
  { endpoint, token }: HubSettings,
  signal: AbortSignal,
): Promise<Response> {
  const kept = new Map<string, string>();
  let url = start;
  for (let hops = 0; hops <= redirects; hops++) {
    const headers = new Headers(init?.headers);
    if (token !== undefined && url.origin === new URL(endpoint).origin)
      headers.set("authorization", `Bearer ${token}`);
    const response = await fetch(url, { ...init, headers, signal, redirect: "manual" });
    for (const name of linked) {
      const value = response.headers.get(name);
      if (value !== null && !kept.has(name)) kept.set(name, value);
    }
    const location = response.headers.get("location");
    if (location === null || response.status < 300 || response.status >= 400)
      return withHeaders(response, kept);
    await response.body?.cancel();
    url = new URL(location, url);
  }
  throw new CliptError("io", `${start.href} redirects more than ${redirects} times.`);
}

function withHeaders(response: Response, kept: ReadonlyMap<string, string>): Response {
  const { status, statusText, body } = response;
  const headers = new Headers(response.headers);
  for (const [name, value] of kept) headers.set(name, value);
  return new Response(body, { status, statusText, headers });
}

function unreachable({ name }: Repository, { origin }: URL, code: string, cause: unknown): CliptError {
  if (cause instanceof CliptError) return cause;
  const reason = code === "" ? messageOf(cause) : code;
  return new CliptError(
    "io",
    `${name} is no folder here, and ${origin} cannot be reached (${reason}). Check the network or HF_ENDPOINT; behind a proxy set HTTPS_PROXY and ` +
      `NODE_USE_ENV_PROXY=1 (Node 24); HF_HUB_OFFLINE=1 uses what was downloaded before.`,
    { cause },
  );
}

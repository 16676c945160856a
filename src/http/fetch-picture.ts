import { lookup } from "node:dns/promises";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import ipaddr from "ipaddr.js";
import { CliptError, messageOf } from "../tensor/index.js";

export interface FetchOptions {
  readonly maxBytes: number;
  /** Whether an address may be asked; those of the public internet when absent. */
  readonly allowed?: (address: string) => boolean;
  /** Addresses of a name; the system's when absent. */
  readonly resolve?: (name: string) => Promise<readonly string[]>;
}

const mostRedirects = 3;

/**
 * Downloads pictures for those who ask the server: only from the public internet, so that nobody reaches through it what
 * it alone can reach. Every name is resolved once, all of its addresses are judged, and the connection goes to one of
 * them; every redirect is judged anew.
 *
 * @throws `input` for an address that may not be asked, or that gives no bytes
 */
export function pictureFetcher({
  maxBytes,
  allowed = isPublic,
  resolve = resolveName,
}: FetchOptions): (url: string, signal: AbortSignal) => Promise<Uint8Array<ArrayBuffer>> {
  return async (url, signal) => {
    let target = url;
    for (let hop = 0; hop <= mostRedirects; hop++) {
      const response = await get(parse(target), signal);
      const { statusCode = 0, headers } = response;
      if (statusCode >= 300 && statusCode < 400 && headers.location !== undefined) {
        response.destroy();
        target = URL.canParse(headers.location, target) ? new URL(headers.location, target).href : "";
      } else if (statusCode !== 200) {
        response.destroy();
        throw refused(`it answers with status ${statusCode}`);
      } else return readAll(response, maxBytes);
    }
    throw refused(`it redirects more than ${mostRedirects} times`);
  };

  async function get(url: URL, signal: AbortSignal): Promise<IncomingMessage> {
    const host = url.hostname.replace(/^\[|\]$/g, "");
    const address = isIP(host) === 0 ? await addressOf(host) : host;
    if (!allowed(address)) throw notPublic();
    // The name stays in the request and in the certificate's check, but is not looked up again.
    const pinned: LookupFunction = (_, options, done) =>
      options.all === true
        ? done(null, [{ address, family: isIP(address) }])
        : done(null, address, isIP(address));
    const request = url.protocol === "https:" ? httpsRequest : httpRequest;
    return new Promise((resolve, reject) => {
      const options = {
        agent: false,
        lookup: pinned,
        signal,
        headers: { "User-Agent": "clipt", Accept: "image/*" },
      };
      request(url, options, resolve)
        .on("error", (cause) =>
          reject(signal.aborted ? (signal.reason as Error) : refused(messageOf(cause), cause)),
        )
        .end();
    });
  }

  /** @throws unless all addresses of the name may be asked: one of several private ones is enough to be suspicious */
  async function addressOf(name: string): Promise<string> {
    const addresses = await resolve(name).catch((cause: unknown) => {
      throw refused("its name is not known", cause);
    });
    const [first] = addresses;
    if (first === undefined || !addresses.every(allowed)) throw notPublic();
    return first;
  }
}

/** Whether an address belongs to the public internet, in whatever form it is written. */
export function isPublic(text: string): boolean {
  if (!ipaddr.isValid(text)) return false;
  const address = ipaddr.process(text);
  if (address.range() !== "unicast") return false;
  // What is global lies here; ::127.0.0.1 and other old forms do not.
  return address instanceof ipaddr.IPv4 || address.match(ipaddr.IPv6.parseCIDR("2000::/3"));
}

const resolveName = async (name: string): Promise<readonly string[]> =>
  (await lookup(name, { all: true })).map(({ address }) => address);

const refused = (why: string, cause?: unknown): CliptError =>
  new CliptError("input", `The picture's address cannot be used: ${why}.`, { cause });

const notPublic = (): CliptError => refused("it does not lie in the public internet");

/** `new URL` knows all ways to write an address in numbers: 2130706433 and 0177.0.0.1 are 127.0.0.1 from here on. */
function parse(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) throw refused("it is no http(s) address");
  if (url.username !== "" || url.password !== "") throw refused("it holds a password");
  return url;
}

async function readAll(response: IncomingMessage, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response) {
      size += (chunk as Buffer).length;
      if (size > maxBytes) throw refused(`it gives more than ${maxBytes} bytes`);
      chunks.push(chunk as Buffer);
    }
  } catch (cause) {
    throw cause instanceof CliptError ? cause : refused(messageOf(cause), cause);
  } finally {
    response.destroy();
  }
  return new Uint8Array(Buffer.concat(chunks));
}

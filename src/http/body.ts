import type { IncomingMessage } from "node:http";
import { CliptError } from "../tensor/index.js";
import type { Limits } from "./limits.js";
import { Refusal, retryLater } from "./refusal.js";

/** What a request's body holds. */
export interface Body {
  /** JSON's or the form's fields; a form's are texts, or lists of texts where a name occurs again. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** Whether the fields are texts, whatever they mean. */
  readonly isText: boolean;
  /** Files of a form by their field; the whole body as "body" where it is a picture. */
  readonly uploads: ReadonlyMap<string, readonly Upload[]>;
}

export interface Upload {
  /** As the client calls it; undefined where it does not. */
  readonly name?: string;
  readonly bytes: Uint8Array;
}

/** More parts than any form of ours has: each costs more than its bytes. */
const maxParts = 1000;

/** Reads bodies, and holds no more of them at a time than the limits allow. */
export function bodyReader(limits: Pick<Limits, "bodyBytes" | "bodiesBytes">): {
  /**
   * Reads and decodes a body; its room is free again after `release`.
   *
   * @throws `Refusal` for one that is too large or of another type, `usage` for one that cannot be decoded
   */
  read(incoming: IncomingMessage): Promise<{ body: Body; release: () => void }>;
} {
  let held = 0;
  return {
    async read(incoming) {
      const tooLarge = () =>
        new Refusal("large", `The request's body is larger than ${limits.bodyBytes} bytes.`, {
          Connection: "close",
        });
      if (Number(incoming.headers["content-length"] ?? 0) > limits.bodyBytes) throw tooLarge();
      const chunks: Buffer[] = [];
      let size = 0;
      const release = (): void => {
        held -= size;
        size = 0;
      };
      try {
        for await (const chunk of chunksOf(incoming)) {
          size += chunk.length;
          held += chunk.length;
          if (size > limits.bodyBytes) throw tooLarge();
          // What was received counts, not what was announced: a slow client holds no room with a promise.
          if (held > limits.bodiesBytes)
            throw new Refusal("unavailable", "The server has no room for more uploads.", {
              ...retryLater,
              Connection: "close",
            });
          chunks.push(chunk);
        }
        const bytes = Buffer.concat(chunks, size);
        return { body: await decode(bytes, incoming.headers["content-type"] ?? ""), release };
      } catch (error) {
        release();
        throw error;
      }
    },
  };
}

/** @throws `cancelled` when the client goes away */
async function* chunksOf(incoming: IncomingMessage): AsyncGenerator<Buffer> {
  try {
    // The connection stays open when reading ends early: the client shall get an answer.
    for await (const chunk of incoming.iterator({ destroyOnReturn: false })) yield chunk as Buffer;
  } catch (cause) {
    throw new CliptError("cancelled", "The client went away while it sent its request.", { cause });
  }
}

async function decode(bytes: Buffer<ArrayBuffer>, contentType: string): Promise<Body> {
  const type = contentType.split(";", 1)[0]!.trim().toLowerCase();
  if (type === "" && bytes.length === 0) return { fields: {}, isText: true, uploads: new Map() };
  // clip-retrieval's client, for one, sends JSON and does not say so.
  if (type === "" || /^application\/([\w.-]+\+)?json$/.test(type))
    return { fields: parseJson(bytes), isText: false, uploads: new Map() };
  if (type === "multipart/form-data" || type === "application/x-www-form-urlencoded")
    return parseForm(bytes, contentType);
  if (type.startsWith("image/") || type === "application/octet-stream")
    return { fields: {}, isText: true, uploads: new Map([["body", [{ bytes }]]]) };
  throw new Refusal(
    "media",
    `${type} is not read; application/json, multipart/form-data, application/x-www-form-urlencoded and image/* are.`,
  );
}

function parseJson(bytes: Buffer): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new CliptError("usage", "The body is not valid JSON in UTF-8.", { cause });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new CliptError("usage", "The body must be a JSON object.");
  return value as Record<string, unknown>;
}

async function parseForm(bytes: Buffer<ArrayBuffer>, contentType: string): Promise<Body> {
  const [, boundary] = /boundary="?([^";]+)/i.exec(contentType) ?? [];
  if (occurrences(bytes, boundary ?? "&") > maxParts)
    throw new Refusal("large", `A form of more than ${maxParts} fields is not read.`);
  let form: FormData;
  try {
    form = await new Response(bytes, { headers: { "content-type": contentType } }).formData();
  } catch (cause) {
    throw new CliptError("usage", "The form cannot be read: it does not follow its Content-Type.", { cause });
  }
  const fields: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  const uploads = new Map<string, Upload[]>();
  for (const [name, value] of form.entries()) {
    if (typeof value !== "string") {
      const upload = { name: value.name, bytes: new Uint8Array(await value.arrayBuffer()) };
      uploads.set(name, [...(uploads.get(name) ?? []), upload]);
    } else fields[name] = name in fields ? [fields[name], value].flat() : value;
  }
  return { fields, isText: true, uploads };
}

/** How often a text occurs, as far as it matters. */
function occurrences(bytes: Buffer, text: string): number {
  let found = 0;
  for (let at = bytes.indexOf(text); at >= 0 && found <= maxParts; at = bytes.indexOf(text, at + 1)) found++;
  return found;
}

import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { extname, join, sep } from "node:path";
import { gzipSync } from "node:zlib";
import { pagePolicy } from "./security-headers.js";

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".webmanifest": "application/manifest+json",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".jpg": "image/jpeg",
  ".webp": "image/webp",
  ".ico": "image/x-icon",
  ".woff2": "font/woff2",
};

interface StaticFile {
  readonly plain: Uint8Array<ArrayBuffer>;
  /** Absent where it is not smaller. */
  readonly gzipped?: Uint8Array<ArrayBuffer>;
  readonly headers: Readonly<Record<string, string>>;
}

/** The files of a folder, held in memory: what is not in the list does not exist, whatever a path says. */
export interface StaticFiles {
  readonly empty: boolean;
  /** @param path relative to the folder, with slashes; undefined when it is none of the files */
  answer(path: string, request: Headers): Response | undefined;
}

/** @param only takes those that it returns true for, by their path */
export function openStaticFiles(folder: string, only: (path: string) => boolean = () => true): StaticFiles {
  const files = new Map<string, StaticFile>();
  if (existsSync(folder))
    for (const entry of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
      const path = entry.split(sep).join("/");
      const type = types[extname(path)];
      if (type !== undefined && only(path)) files.set(path, open(join(folder, entry), type));
    }
  return {
    empty: files.size === 0,
    answer(path, request) {
      const file = files.get(path);
      if (file === undefined) return undefined;
      const { plain, gzipped, headers } = file;
      if (request.get("if-none-match") === headers["ETag"])
        return new Response(null, { status: 304, headers });
      const packed = gzipped !== undefined && /\bgzip\b/.test(request.get("accept-encoding") ?? "");
      return packed
        ? new Response(gzipped, { headers: { ...headers, "Content-Encoding": "gzip" } })
        : new Response(plain, { headers: { ...headers } });
    },
  };
}

function open(path: string, type: string): StaticFile {
  const plain = new Uint8Array(readFileSync(path));
  const gzipped =
    type.startsWith("image/") && !type.includes("svg") ? plain : new Uint8Array(gzipSync(plain));
  const headers = {
    "Content-Type": type,
    ETag: `"${createHash("sha256").update(plain).digest("base64url").slice(0, 22)}"`,
    "Cache-Control": "no-cache",
    Vary: "Accept-Encoding",
    ...(type.startsWith("text/html") && {
      "Content-Security-Policy": pagePolicy(inlineScripts(Buffer.from(plain).toString())),
    }),
  };
  return { plain, ...(gzipped.length < plain.length && { gzipped }), headers };
}

const inlineScripts = (html: string): string[] =>
  Array.from(html.matchAll(/<script(?![^>]*\ssrc=)[^>]*>([\s\S]*?)<\/script>/g), ([, text = ""]) =>
    createHash("sha256").update(text).digest("base64"),
  );

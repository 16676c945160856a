import { Readable } from "node:stream";
import { z } from "zod";
import type { FileHandle } from "node:fs/promises";
import { sniff, type Format } from "../../input/image/formats/sniff.js";
import { CliptError } from "../../tensor/index.js";
import { findPicture, openPicture } from "../indexed-picture.js";
import { defineRoute, type Route } from "../route.js";
import { fieldsSchema, idField } from "../schemas.js";
import { inertPolicy } from "../security-headers.js";
import type { Serving } from "../serving.js";

const chapter = "Pictures";

/** Bytes that tell a picture's format. */
const headBytes = 64;

export const pictureRoutes = ({ collection: { store }, thumbnails }: Serving): Route[] => [
  defineRoute({
    method: "get",
    path: "/api/picture",
    chapter,
    summary: "What the index knows of a picture",
    input: z.object({ id: idField }),
    output: z.object({ id: z.string(), fields: fieldsSchema }),
    run: ({ id }) => findPicture(store, id),
  }),
  defineRoute({
    method: "get",
    path: "/api/thumbnail",
    chapter,
    summary: "A small version of a picture of the index, WebP",
    input: z.object({
      id: idField,
      size: z.int().min(16).max(2048).default(320).describe("Side of the square that it fits into, px"),
    }),
    output: "image/webp",
    works: true,
    async run({ id, size }, { headers }) {
      const picture = await findPicture(store, id);
      const key = String(picture.fields["hash"] ?? `${id} ${picture.fields["modified"]}`);
      const kept = {
        ETag: `"${key.slice(0, 32)}-${size}"`,
        "Cache-Control": "private, max-age=300",
        "Content-Security-Policy": inertPolicy,
      };
      if (headers["if-none-match"] === kept.ETag) return new Response(null, { status: 304, headers: kept });
      const bytes = await thumbnails.get(key, size, async () => {
        const file = await openPicture(picture);
        return file.readFile().finally(() => file.close());
      });
      return new Response(bytes, { headers: { ...kept, "Content-Type": "image/webp" } });
    },
  }),
  defineRoute({
    method: "get",
    path: "/api/file",
    chapter,
    summary: "The file of a picture of the index",
    input: z.object({ id: idField }),
    output: "image/*",
    async run({ id }) {
      const file = await openPicture(await findPicture(store, id));
      try {
        const { buffer, bytesRead } = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0);
        // What has become something else since it was indexed is not given out.
        const format = sniff(buffer.subarray(0, bytesRead));
        if (format === undefined) throw new CliptError("missing", "The file is no picture any more.");
        return await stream(file, format);
      } catch (error) {
        await file.close();
        throw error;
      }
    },
  }),
];

async function stream(file: FileHandle, format: Format): Promise<Response> {
  const { size } = await file.stat();
  const body = Readable.toWeb(file.createReadStream({ start: 0, end: Math.max(0, size - 1) }));
  return new Response(body as ReadableStream, {
    headers: {
      "Content-Type": `image/${format}`,
      "Content-Length": String(size),
      "Cache-Control": "private, max-age=300",
      "Content-Security-Policy": inertPolicy,
    },
  });
}

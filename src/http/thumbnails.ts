import { createHash } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { thumbnail } from "../input/image/index.js";
import { limited } from "../train/data/limited.js";

/** Made at once: decoding takes memory. */
const together = 2;

/** Small pictures, kept in a folder that only the user reads. */
export class Thumbnails {
  private readonly make = limited(together, (bytes: Uint8Array, size: number) =>
    draw(bytes, size, this.pixels),
  );

  /** @param folder without one nothing is kept */
  constructor(
    private readonly folder: string | undefined,
    private readonly pixels: number,
  ) {}

  /**
   * WebP that fits into a square of `size` px, upright.
   *
   * @param key  says which content it is: equal keys, equal pictures
   * @param read is asked for the picture's file when it has to be made
   * @throws     what `decodeImage` throws
   */
  async get(key: string, size: number, read: () => Promise<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
    const name = createHash("sha256").update(`${key} ${size}`).digest("hex");
    const path = this.folder === undefined ? undefined : join(this.folder, name.slice(0, 2), `${name}.webp`);
    if (path !== undefined)
      try {
        return new Uint8Array(await readFile(path));
      } catch {
        // It was not made yet.
      }
    const bytes = await this.make(await read(), size);
    if (path !== undefined) await keep(path, bytes).catch(() => {});
    return bytes;
  }
}

async function draw(bytes: Uint8Array, size: number, maxPixels: number): Promise<Uint8Array<ArrayBuffer>> {
  const { width, height, data } = await thumbnail(bytes, size, size, { maxPixels });
  const raw = { width, height, channels: 3 } as const;
  return new Uint8Array(await sharp(data, { raw }).webp({ quality: 80 }).toBuffer());
}

/** Others see the whole file or none; it is nobody else's to read. */
async function keep(path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(join(path, ".."), { recursive: true, mode: 0o700 });
  const draft = `${path}.${process.pid}`;
  await writeFile(draft, bytes, { mode: 0o600 });
  await rename(draft, path);
}

import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { random } from "../src/tensor/index.js";

/**
 * JPEGs like photographs in size and detail: colours that change slowly under fine grain. Files that are there already
 * are kept.
 */
export async function writePictures(
  folder: string,
  count: number,
  width: number,
  height: number,
): Promise<string[]> {
  mkdirSync(folder, { recursive: true });
  const paths = Array.from({ length: count }, (_, i) => join(folder, `${String(i).padStart(4, "0")}.jpg`));
  const missing = paths.filter((path) => !existsSync(path));
  if (missing.length === 0) return paths;
  const grain = await sharp({
    create: {
      width,
      height,
      channels: 3,
      background: "grey",
      noise: { type: "gaussian", mean: 128, sigma: 20 },
    },
  })
    .png({ compressionLevel: 0 })
    .toBuffer();
  for (const path of missing) {
    const rng = random(path.slice(-8));
    const coarse = { width: 32, height: 24, channels: 3 } as const;
    const colours = Uint8Array.from({ length: 32 * 24 * 3 }, () => rng.int(256));
    await sharp(colours, { raw: coarse })
      .resize(width, height, { fit: "fill", kernel: "cubic" })
      .composite([{ input: grain, blend: "soft-light" }])
      .jpeg({ quality: 90 })
      .toFile(path);
  }
  return paths;
}

const words =
  "a the two small large red green old young dog cat man woman child bird horse car boat house tree runs sits stands plays jumps looks sleeps near under behind over with and in on snow grass water street park field beach".split(
    " ",
  );

/** Captions of 5 to 25 words. */
export function captions(count: number): string[] {
  const rng = random("captions");
  return Array.from({ length: count }, () =>
    Array.from({ length: 5 + rng.int(21) }, () => words[rng.int(words.length)]!).join(" "),
  );
}

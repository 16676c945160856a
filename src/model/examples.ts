import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { PreprocessConfig } from "../input/image/index.js";
import { packageRoot } from "../package-root.js";
import { f32, type Tensor } from "../tensor/index.js";

/** Photographs that come with clipt, unlike each other. */
const photographs = ["astronaut.jpg", "cat.jpg", "coffee.jpg", "rocket.jpg"];

/** Short and long, plain and odd. */
export const exampleTexts: readonly string[] = [
  "a",
  "a photo of a dog",
  "two children play football on a green field",
  "A blurry black and white photograph of an old man with a hat, who sits alone on a bench near the sea in winter.",
  'graffiti "2024" & a neon sign: OPEN!',
  "el gato duerme en la silla",
];

/** Pictures as a model's input, [pictures, 3, height, width]; undefined where this copy of clipt has none. */
export async function examplePictures(config: PreprocessConfig): Promise<Tensor<"float32"> | undefined> {
  // The decoder takes long to load, and most runs need no examples.
  const { decodeImage, preprocess } = await import("../input/image/index.js");
  const [height, width] = typeof config.size === "number" ? [config.size, config.size] : config.size;
  const pixels = new Float32Array(photographs.length * 3 * height * width);
  for (const [i, name] of photographs.entries()) {
    const bytes = await readFile(join(packageRoot, "examples", "pictures", name)).catch(() => undefined);
    if (bytes === undefined) return undefined;
    pixels.set(preprocess(await decodeImage(bytes, { orient: false }), config), i * 3 * height * width);
  }
  return f32([photographs.length, 3, height, width], pixels);
}

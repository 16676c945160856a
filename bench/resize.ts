import sharp from "sharp";
import {
  augment,
  clipPreprocess,
  decodeImage,
  openClipAugment,
  preprocess,
  resize,
  type Picture,
} from "../src/input/image/index.js";
import { plainPasses } from "../src/input/image/resize/plain.js";
import { random } from "../src/tensor/index.js";
import type { Benchmark } from "./benchmark.js";

/** Waves and noise, so that a JPEG of it is as large as a photograph's. */
function picture(width: number, height: number): Picture {
  const rng = random("picture");
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < data.length; i++)
    data[i] = 127 + 90 * Math.sin(i / 997) * Math.cos(i / width / 40) + 20 * rng.next();
  return { mode: "RGB", width, height, data };
}

async function bestMs(run: () => unknown, repeats: number): Promise<number> {
  let best = Infinity;
  for (let i = 0; i < repeats; i++) {
    const start = performance.now();
    await run();
    best = Math.min(best, performance.now() - start);
  }
  return Math.round(best * 100) / 100;
}

const jpegOf = ({ width, height, data }: Picture) =>
  sharp(data, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 90 })
    .toBuffer();

/** Pillow's Image.resize((299, 224), BICUBIC) takes 72–91 ms from 4000×3000 where this takes some 34. */
const benchmark: Benchmark = {
  summary: "Pictures on their way into a model, best time in ms",
  async run() {
    const large = picture(4000, 3000);
    const small = picture(500, 375);
    const [largeJpeg, smallJpeg] = [await jpegOf(large), await jpegOf(small)];
    const bicubic = { interpolation: "bicubic" } as const;
    const rng = random("bench");

    return {
      "resize 4000×3000 → 299×224": await bestMs(() => resize(large, 299, 224, bicubic), 9),
      "resize 4000×3000 → 299×224, plain": await bestMs(
        () => resize(large, 299, 224, { ...bicubic, passes: plainPasses }),
        2,
      ),
      "resize 500×375 → 299×224": await bestMs(() => resize(small, 299, 224, bicubic), 50),
      "500×375 JPEG → tensor": await bestMs(
        async () => preprocess(await decodeImage(smallJpeg), clipPreprocess),
        50,
      ),
      "4000×3000 JPEG → tensor, exact": await bestMs(
        async () => preprocess(await decodeImage(largeJpeg), clipPreprocess),
        7,
      ),
      "4000×3000 JPEG → tensor, reduced": await bestMs(
        async () => preprocess(await decodeImage(largeJpeg, { shortest: 224 }), clipPreprocess),
        7,
      ),
      "augment 500×375 → 224, crop": await bestMs(
        () => augment(small, clipPreprocess, { ...openClipAugment, scale: [0.4, 1] }, rng),
        50,
      ),
      "augment 500×375 → 224, crop and colours": await bestMs(
        () =>
          augment(
            small,
            clipPreprocess,
            {
              ...openClipAugment,
              scale: [0.4, 1],
              horizontalFlipProb: 0.5,
              colorJitter: { brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1 },
              colorJitterProb: 1,
            },
            rng,
          ),
        50,
      ),
    };
  },
};

export default benchmark;

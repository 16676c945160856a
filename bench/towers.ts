import { openEncoder, openModel } from "../src/model/index.js";
import { nodeRuntime } from "../src/runtime/index.js";
import { f32, random } from "../src/tensor/index.js";
import { bundledModel } from "../src/task/index.js";
import { median, option, timed, type Benchmark } from "./benchmark.js";

const sentences = [
  "a dog running through snow",
  "two children play football on a green field",
  "собака бежит по снегу",
  "a red car",
  "eine Frau mit einem Hut sitzt am Fenster",
  "a small blurry photograph of a golden fish in a bowl",
  "мальчик катается на велосипеде по парку",
  "un homme joue de la guitare",
];

/** Times of a model's towers, preprocessing left out. `--model M --threads N --batch N`. */
const benchmark: Benchmark = {
  summary: "Towers of a model, ms for each picture and each text",
  async run(args) {
    const threads = Number(option(args, "threads") ?? 1);
    const batch = Number(option(args, "batch") ?? 1);
    const path = option(args, "model") ?? bundledModel();
    const opening = performance.now();
    const runtime = nodeRuntime({ threads });
    const model = await openModel(path);
    const encoder = await openEncoder(model, runtime);
    const [height, width] = model.config.image.imageSize;
    const rng = random(1);
    const pixels = f32(
      [batch, 3, height, width],
      Float32Array.from({ length: batch * 3 * height * width }, () => rng.normal()),
    );
    const texts = Array.from({ length: Math.max(batch, 8) }, (_, i) => sentences[i % sentences.length]!);
    await encoder.images(pixels);
    await encoder.texts(texts);
    const openMs = performance.now() - opening;
    const image: { wall: number; cpu: number }[] = [];
    const text: { wall: number; cpu: number }[] = [];
    for (let round = 0; round < 15; round++) {
      image.push(await timed(() => encoder.images(pixels)));
      text.push(await timed(() => encoder.texts(texts)));
    }
    await runtime.close();
    const ms = (times: typeof image, key: "wall" | "cpu", count: number) =>
      (1000 * median(times.map((t) => t[key]))) / count;
    return {
      threads,
      batch,
      first_result_ms: openMs,
      picture_ms: ms(image, "wall", batch),
      picture_cpu_ms: ms(image, "cpu", batch),
      text_ms: ms(text, "wall", texts.length),
      text_cpu_ms: ms(text, "cpu", texts.length),
      peak_rss_mb: process.resourceUsage().maxRSS / 1024,
    };
  },
};

export default benchmark;

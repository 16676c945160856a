import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DecodeOptions } from "../src/input/image/index.js";
import { bundledModel } from "../src/task/bundled-model.js";
import { dot } from "../src/task/collection/combine.js";
import { decoding } from "../src/task/decoding.js";
import { encodePictures } from "../src/task/encode-pictures.js";
import { findPictures, sampleOf } from "../src/task/find-pictures.js";
import { openServices } from "../src/task/services.js";
import { CliptError } from "../src/tensor/index.js";
import { option, type Benchmark } from "./benchmark.js";
import { writeVitB32 } from "./vit-b-32.js";

/** Cosines of pictures' vectors by the fast way of decoding to those by the exact one. `--pictures FOLDER`, `--model bundled|vit-b-32|PATH`. */
const benchmark: Benchmark = {
  summary: "Vectors of pictures that are decoded fast beside those that are decoded exactly",
  async run(args) {
    const pictures = option(args, "pictures");
    if (pictures === undefined)
      throw new CliptError("usage", "--pictures FOLDER says whose vectors are compared.");
    const folder = mkdtempSync(join(tmpdir(), "clipt-bench-"));
    const services = openServices({ cacheFolder: folder });
    try {
      const model = await modelOf(option(args, "model") ?? "bundled", folder);
      const encoder = await services.encoder({ model, dtype: "fp32", inBulk: true });
      const context = { services, signal: new AbortController().signal, emit: () => {} };
      const files = await findPictures([pictures], context);
      const vectors = async (decode: DecodeOptions): Promise<Map<string, Float32Array>> => {
        const found = new Map<string, Float32Array>();
        for await (const { item, vector } of encodePictures(files, sampleOf, encoder, decode, context))
          found.set(item.path, vector);
        return found;
      };
      // Every pixel, but upright as the fast way has it.
      const exact = await vectors({ orient: true });
      const fast = await vectors(decoding(encoder.model.preprocess, false));
      const compared = [...exact]
        .map(([path, vector]) => ({ path, cosine: dot(vector, fast.get(path)!) }))
        .sort((a, b) => a.cosine - b.cosine);
      return {
        pictures: compared.length,
        least: compared[0]?.cosine,
        mean: compared.reduce((sum, { cosine }) => sum + cosine, 0) / compared.length,
        below_0_999: compared.filter(({ cosine }) => cosine < 0.999).length,
        farthest: compared.slice(0, 5),
      };
    } finally {
      await services.close();
      rmSync(folder, { recursive: true });
    }
  },
};

async function modelOf(name: string, folder: string): Promise<string> {
  if (name === "bundled") return bundledModel();
  if (name !== "vit-b-32") return name;
  const path = join(folder, name);
  await writeVitB32(path);
  return path;
}

export default benchmark;

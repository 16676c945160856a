/** Encodes many pictures, then many texts, and says how much memory the process has held at some counts. */
import type { Dtype } from "../src/graph/index.js";
import { decoding } from "../src/task/decoding.js";
import { encodePictures } from "../src/task/encode-pictures.js";
import { encodeTexts } from "../src/task/encode-texts.js";
import { findPictures, sampleOf } from "../src/task/find-pictures.js";
import { openServices } from "../src/task/services.js";
import { peakMb } from "./benchmark.js";
import { captions } from "./encode-files.js";

export interface Order {
  readonly model: string | undefined;
  readonly dtype: Dtype | undefined;
  readonly cacheFolder: string;
  readonly folder: string;
  /** Counts after which the peak is told, ascending. */
  readonly pictures: readonly number[];
  readonly texts: readonly number[];
}

export interface Peak {
  readonly what: "pictures" | "texts";
  readonly count: number;
  readonly peakMb: number;
  readonly nowMb: number;
}

async function work({ model, dtype, cacheFolder, folder, pictures, texts }: Order): Promise<void> {
  const services = openServices({ cacheFolder });
  const encoder = await services.encoder({ model, dtype });
  const context = { services, signal: new AbortController().signal, emit: () => {} };
  const tell = (what: Peak["what"], count: number): void => {
    process.send!({
      what,
      count,
      peakMb: peakMb(),
      nowMb: process.memoryUsage.rss() / 2 ** 20,
    } satisfies Peak);
  };

  const files = await findPictures([folder], context);
  const repeated = Array.from({ length: pictures.at(-1)! }, (_, i) => files[i % files.length]!);
  let count = 0;
  for await (const { vector } of encodePictures(
    repeated,
    sampleOf,
    encoder,
    decoding(encoder.model.preprocess, false),
    context,
  )) {
    if (vector.length === 0) throw new Error("A picture has no vector.");
    if (pictures.includes(++count)) tell("pictures", count);
  }

  const sentences = captions(texts.at(-1)!);
  const step = 500;
  for (let from = 0; from < sentences.length; from += step) {
    await encodeTexts(sentences.slice(from, from + step), encoder, context);
    if (texts.includes(from + step)) tell("texts", from + step);
  }
  await services.close();
}

process.once("message", (order: Order) => {
  void work(order).then(
    () => process.disconnect(),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});

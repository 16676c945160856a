/** One engine in a process of its own: encodes the files and texts that its parent names, and says what it took. */
import type { Dtype } from "../src/graph/index.js";
import { peakMb, timed } from "./benchmark.js";

/** How an engine is used: pictures by their paths, texts. `batch` 0: as it likes. */
interface Engine {
  pictures(paths: readonly string[], batch: number): Promise<void>;
  texts(texts: readonly string[], batch: number): Promise<void>;
}

export type Job = {
  readonly kind: "pictures" | "texts";
  readonly items: readonly string[];
  readonly batch: number;
};
export type Answer = { readonly wall: number; readonly cpu: number; readonly peakMb: number };

/** As `clipt embed` works. */
async function clipt(model: string, dtype: string | undefined, cacheFolder: string): Promise<Engine> {
  const { openServices } = await import("../src/task/services.js");
  const { decoding } = await import("../src/task/decoding.js");
  const { encodePictures } = await import("../src/task/encode-pictures.js");
  const { encodeTexts } = await import("../src/task/encode-texts.js");
  const { findPictures, sampleOf } = await import("../src/task/find-pictures.js");
  const services = openServices({ cacheFolder });
  const encoder = await services.encoder({ model, dtype: dtype as Dtype | undefined, inBulk: true });
  const context = { services, signal: new AbortController().signal, emit: () => {} };
  return {
    async pictures(paths) {
      const files = await findPictures(paths, context);
      const decode = decoding(encoder.model.preprocess, false);
      let count = 0;
      for await (const { vector } of encodePictures(files, sampleOf, encoder, decode, context))
        count += Number(vector.length > 0);
      if (count !== paths.length) throw new Error(`${count} of ${paths.length} pictures`);
    },
    async texts(texts) {
      await encodeTexts(texts, encoder, context);
    },
  };
}

async function transformersJs(folder: string, dtype: "fp32" | "q8"): Promise<Engine> {
  const hub = await import("@huggingface/transformers");
  hub.env.allowRemoteModels = false;
  const options = { dtype, local_files_only: true } as const;
  const [processor, tokenizer, vision, text] = await Promise.all([
    hub.AutoProcessor.from_pretrained(folder, options),
    hub.AutoTokenizer.from_pretrained(folder, options),
    hub.CLIPVisionModelWithProjection.from_pretrained(folder, options),
    hub.CLIPTextModelWithProjection.from_pretrained(folder, options),
  ]);
  const inBatches = async (
    items: readonly string[],
    batch: number,
    work: (part: string[]) => Promise<unknown>,
  ) => {
    for (let from = 0; from < items.length; from += batch) await work(items.slice(from, from + batch));
  };
  return {
    pictures: (paths, batch) =>
      inBatches(paths, batch, async (part) => {
        const images = await Promise.all(part.map((path) => hub.RawImage.read(path)));
        await vision((await processor(images)) as never);
      }),
    texts: (texts, batch) =>
      inBatches(texts, batch, async (part) => {
        await text(tokenizer(part, { padding: true, truncation: true }) as never);
      }),
  };
}

const [name = "", folder = "", dtype, cacheFolder = ""] = process.argv.slice(2);
const engine =
  name === "clipt"
    ? await clipt(folder, dtype === "default" ? undefined : dtype, cacheFolder)
    : await transformersJs(folder, dtype as "fp32");

process.on("message", ({ kind, items, batch }: Job) => {
  void timed(() => engine[kind](items, batch)).then(
    ({ wall, cpu }) => process.send!({ wall, cpu, peakMb: peakMb() } satisfies Answer),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
process.send!("ready");

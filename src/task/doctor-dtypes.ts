import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { z } from "zod";
import { dtypes, type Dtype } from "../graph/index.js";
import type { Encoder } from "../model/index.js";
import { evaluationFields } from "./evaluate.js";
import { captionFields, readingOf, retrievalOf } from "./evaluate-retrieval.js";
import { classFields, classnamesOf, zeroshotOf } from "./evaluate-zeroshot.js";
import { count } from "./fields.js";
import { cosinesOf, cpuMsOf, recording } from "./precision.js";
import { openAlone } from "./services.js";
import { defineTask } from "./task.js";

const tower = z.object({
  cosine: z.object({ mean: z.number(), worst: z.number() }).describe("To the vectors of fp32"),
  cpuMs: z.number().describe("CPU time of the tower for each, ms"),
  bytes: z.number().optional().describe("Weights; absent where ONNX files of others run"),
});

const chosen = z.enum(dtypes);

export const doctorDtypes = defineTask({
  name: "doctor dtypes",
  details:
    "The same pictures and texts go through the model in each precision. With class names, samples are classified (KEY.cls); else captions and pictures are looked for by each other. CPU time is that of the towers alone, the least of five rounds. docs/precision.md tells what each precision is, and which is the default.",
  input: z
    .object({
      ...evaluationFields,
      ...classFields,
      ...captionFields,
      limit: count("Samples that are used; all when it is left out").optional(),
    })
    .omit({ dtype: true }),
  output: z.object({
    model: z.string(),
    data: z.string(),
    task: z.enum(["zeroshot_classification", "zeroshot_retrieval"]),
    pictures: z.number(),
    texts: z.number(),
    default: z
      .object({ pictures: chosen, texts: chosen })
      .optional()
      .describe("What each tower takes without --dtype; absent where ONNX files of others run"),
    dtypes: z.array(
      z.object({
        dtype: chosen,
        pictures: tower,
        texts: tower,
        metrics: z.record(z.string(), z.number().or(z.nan())),
      }),
    ),
  }),
  examples: [
    { title: "On captions", input: { data: "flickr8k-test-000000.tar", limit: 500 } },
    {
      title: "On classes",
      input: { model: "ViT-B-32::openai", data: "tiny-000000.tar", classnames: "classnames.txt" },
    },
  ],
  async run(input, context) {
    const { services } = context;
    // Without a folder that remembers what it costs, no default is lighter than fp32.
    const own =
      services.cacheFolder === undefined ? await mkdtemp(join(tmpdir(), "clipt-dtypes-")) : undefined;
    const place = { ...services, cacheFolder: services.cacheFolder ?? own };
    const labelled = classnamesOf(input) !== undefined;

    /** One model at a time: four of them may be more than a machine holds. */
    async function inPrecision<T>(dtype: Dtype | undefined, work: (encoder: Encoder) => Promise<T>) {
      const opened = await openAlone({ ...input, dtype }, place);
      try {
        return await work(opened.encoder);
      } finally {
        await opened.close();
      }
    }

    async function measure(encoder: Encoder) {
      const { encoder: recorded, record } = recording(encoder);
      const reading = { ...readingOf(input), most: input.limit };
      const metrics: Readonly<Record<string, number>> = labelled
        ? { ...(await zeroshotOf(recorded, input, reading, context)) }
        : await retrievalOf(recorded, input.data, reading, [1, 5, 10], context);
      return {
        record,
        metrics,
        cpuMs: await cpuMsOf(encoder, record),
        weights: await encoder.weights?.(),
        path: encoder.model.path,
      };
    }

    try {
      const exact = await inPrecision("fp32", measure);
      const rows = [];
      for (const dtype of dtypes) {
        const { record, metrics, cpuMs, weights } =
          dtype === "fp32" ? exact : await inPrecision(dtype, measure);
        const towerOf = (name: "pictures" | "texts") => ({
          cosine: cosinesOf(exact.record[name], record[name]),
          cpuMs: cpuMs[name],
          bytes: weights?.[name].bytes,
        });
        rows.push({ dtype, pictures: towerOf("pictures"), texts: towerOf("texts"), metrics });
      }
      const weights = await inPrecision(undefined, async (encoder) => encoder.weights?.());
      return {
        model: basename(exact.path),
        data: basename(input.data),
        task: labelled ? ("zeroshot_classification" as const) : ("zeroshot_retrieval" as const),
        pictures: exact.record.pictures.length,
        texts: exact.record.texts.length,
        default: weights && { pictures: weights.pictures.dtype, texts: weights.texts.dtype },
        dtypes: rows,
      };
    } finally {
      if (own !== undefined) await rm(own, { recursive: true, force: true });
    }
  },
});

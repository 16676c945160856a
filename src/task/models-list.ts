import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { z } from "zod";
import type { Figure, HubSettings, PublishedModel } from "../weights/index.js";
import { bundledModel } from "./bundled-model.js";
import { flag, words } from "./fields.js";
import { defineTask } from "./task.js";

const figure = z.object({ value: z.number(), source: z.string() }).nullable();

const row = z.object({
  name: z.string().describe("What to type after --model"),
  state: z.enum(["bundled", "cached", "hub"]).describe("Comes with clipt, was downloaded, or would be"),
  imagenet: figure.describe("Top-1 of zero-shot classification on ImageNet-1k, percent"),
  coco: figure.describe("R@1 of pictures by captions on COCO, percent"),
  xm3600: figure.describe("R@1 of pictures by captions in 36 languages, Crossmodal-3600, percent"),
  parameters: z.number().nullable().describe("Millions"),
  bytes: z.number().describe("On disk, or to download: four bytes a parameter"),
  imageSize: z.number().nullable().describe("px"),
  gflops: z.number().nullable().describe("Work of the image tower for a picture, 10⁹ operations"),
  languages: z.string(),
  license: z.string(),
  note: z.string(),
});

type Row = z.output<typeof row>;

/** What comes first, by `sort`. Rows without a figure come last. */
const orders: Readonly<
  Record<"size" | "speed" | "imagenet" | "coco" | "multilingual", (row: Row) => number>
> = {
  size: ({ bytes }) => bytes,
  speed: ({ gflops }) => gflops ?? Infinity,
  imagenet: ({ imagenet }) => -(imagenet?.value ?? 0),
  coco: ({ coco }) => -(coco?.value ?? 0),
  multilingual: ({ xm3600 }) => -(xm3600?.value ?? 0),
};

export const modelsList = defineTask({
  name: "models list",
  details:
    "A choice of published models: how good, how large, how quick, in which languages, each figure with its source (--json, docs/published-models.md). Every other CLIP on the hub is named by its repository. Nothing is asked of the network.",
  input: z.object({
    sort: z
      .enum(["size", "speed", "imagenet", "coco", "multilingual"])
      .default("size")
      .meta({ description: "What comes first: the smallest, the quickest, the best on that benchmark" }),
    language: words("Only models that read this language: ru").optional(),
    maxDownload: z
      .number()
      .min(0)
      .meta({ description: "Only models of at most so many megabytes", placeholder: "MB" })
      .optional(),
    cached: flag("Only what is on this machine").default(false),
  }),
  output: z.array(row),
  examples: [
    { title: "All, the smallest first", input: {} },
    {
      title: "The best for Russian below 2 GB",
      input: { language: "ru", maxDownload: 2000, sort: "imagenet" },
    },
    { title: "What was downloaded", input: { cached: true } },
  ],
  async run({ sort, language, maxDownload = Infinity, cached }, { services }) {
    const { published } = await import("../weights/index.js");
    const rows = [
      bundledRow(),
      ...(await Promise.all(published.map((model) => publishedRow(model, services.hub)))),
      ...(await otherRows(new Set(published.map(({ name }) => name)), services.hub)),
    ];
    const order = orders[sort];
    return rows
      .filter(({ languages }) => language === undefined || reads(languages, language))
      .filter(({ bytes, state }) => state !== "hub" || (!cached && bytes <= maxDownload * 1e6))
      .sort((a, b) => Number(b.state === "bundled") - Number(a.state === "bundled") || order(a) - order(b));
  },
});

/** Models of many languages read the common ones. */
const reads = (languages: string, language: string): boolean =>
  /^\d/.test(languages) || languages.split(", ").includes(language.toLowerCase());

/** Figures of the model's card; EfficientNet-Lite0's work is its authors' 407 million multiply-adds. */
function bundledRow(): Row {
  return {
    name: basename(bundledModel()),
    state: "bundled",
    imagenet: null,
    coco: null,
    xm3600: null,
    parameters: 33.4,
    bytes: 39.9e6,
    imageSize: 224,
    gflops: 0.8,
    languages: "en, ru, zh, de, fr",
    license: "Apache-2.0",
    note: "comes with clipt; Flickr8k, pictures by captions: R@1 22.8 (models/clipt-small/README.md)",
  };
}

async function publishedRow(model: PublishedModel, hub: HubSettings): Promise<Row> {
  const { findPulled } = await import("../weights/index.js");
  const here = await findPulled({ name: model.name, revision: "main" }, hub);
  const { name, parameters, imageSize, gflops, languages, license, note = "" } = model;
  return {
    name,
    state: here === undefined ? "hub" : "cached",
    imagenet: await sourced(model.imagenet),
    coco: await sourced(model.coco),
    xm3600: await sourced(model.xm3600),
    parameters,
    bytes: here?.bytes ?? Math.round(parameters * 4e6),
    imageSize,
    gflops,
    languages: typeof languages === "number" ? `${languages} languages` : languages.join(", "),
    license,
    note,
  };
}

async function sourced(figure: Figure | undefined): Promise<Row["imagenet"]> {
  const { sources } = await import("../weights/index.js");
  return figure === undefined ? null : { value: figure.value, source: sources[figure.source] };
}

/** What else of the cache is a CLIP: other programs keep other models there. */
async function otherRows(known: ReadonlySet<string>, settings: HubSettings): Promise<Row[]> {
  const { cachedRepositories, findPulled } = await import("../weights/index.js");
  const rows = (await cachedRepositories(settings.cache))
    .filter(({ name }) => !known.has(name))
    .map(async ({ name }) => {
      const here = await findPulled({ name, revision: "main" }, settings);
      if (here === undefined || !(await isClip(here.folder, here.files))) return [];
      const empty = {
        imagenet: null,
        coco: null,
        xm3600: null,
        parameters: null,
        imageSize: null,
        gflops: null,
      };
      return [
        { name, state: "cached" as const, ...empty, bytes: here.bytes, languages: "", license: "", note: "" },
      ];
    });
  return (await Promise.all(rows)).flat();
}

async function isClip(folder: string, files: readonly string[]): Promise<boolean> {
  if (files.includes("open_clip_config.json")) return true;
  try {
    const config = JSON.parse(await readFile(join(folder, "config.json"), "utf8")) as Record<string, unknown>;
    return config.format === "clipt" || /clip|siglip/i.test(String(config.model_type));
  } catch {
    return false;
  }
}

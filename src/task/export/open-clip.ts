import { mkdir } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import {
  parseOpenClip,
  readsPadding,
  toHuggingFaceTokenizer,
  toOpenClip,
  toOpenClipPreprocess,
  type Model,
} from "../../model/index.js";
import { CliptError } from "../../tensor/index.js";
import {
  differencesInOpenClip,
  openClipArguments,
  openClipCheckpoint,
  openStoppedRun,
  refuseForOpenClip,
  type StoppedRun,
} from "../../train/index.js";
import { replaceFile, savePyTorch, saveSafetensors } from "../../weights/index.js";
import { castWeights, type FloatDtype } from "./cast.js";
import type { Exported, ExportJob } from "./format.js";

/** What of a model a hub folder is made of. */
type Parts = Pick<
  Model,
  "config" | "preprocess" | "weights" | "tokenizer" | "tokenizerConfig" | "tokenizerFiles"
>;

/** open_clip's hub folder; of a training run, what its trainer goes on from as well. */
export async function exportOpenClip(job: ExportJob<FloatDtype>): Promise<Exported> {
  const stopped = await openStoppedRun(job.path, (model) => job.context.services.locate({ model }));
  if (stopped === undefined) return exportFolder(job, await job.open(), basename(resolve(job.out)));
  const { start, weights } = stopped;
  refuseForOpenClip(stopped);
  const parts = { ...start, tokenizer: start.tokenizer, weights };
  const folder = await exportFolder(job, parts, stopped.name);
  return exportRun(job, stopped, folder);
}

async function exportFolder(
  { out, dtype }: ExportJob<FloatDtype>,
  model: Parts,
  name: string,
): Promise<Exported> {
  const { config, preprocess, weights } = model;
  const modelCfg = toOpenClip(config);
  const tokenizer = tokenizerOf(model, name);
  const json = {
    ...tokenizer.files,
    "open_clip_config.json": {
      model_cfg: { ...modelCfg, text_cfg: { ...(modelCfg["text_cfg"] as object), ...tokenizer.fields } },
      preprocess_cfg: toOpenClipPreprocess(preprocess),
    },
  };
  await saveSafetensors(join(out, "open_clip_model.safetensors"), castWeights(weights, dtype), {
    format: "pt",
  });
  for (const [file, content] of Object.entries(json)) await writeJson(join(out, file), content);
  const built = parseOpenClip(modelCfg).image;
  const activation =
    built.kind === "timm-vit" &&
    config.image.kind === "timm-vit" &&
    built.activation !== config.image.activation;
  const early = preprocess.convert !== "late" || preprocess.cropRounding !== "even";
  return {
    files: ["open_clip_model.safetensors", ...Object.keys(json)],
    notes: [
      ...(activation
        ? [`timm computes this tower with ${built.activation}, the model with ${config.image.activation}: features differ in the fourth place.`]
        : []),
      ...(early
        ? ["open_clip converts pictures to RGB after it resized them, this model before: pictures with transparency, palettes or 16 bits differ."]
        : []),
      ...tokenizer.notes,
    ],
  }; // prettier-ignore
}

async function exportRun(
  { out }: ExportJob<FloatDtype>,
  stopped: StoppedRun,
  folder: Exported,
): Promise<Exported> {
  const { name, run, checkpoint, start, weights } = stopped;
  const { updates, tensors, step, stepsPerEpoch } = checkpoint;
  const file = `${name}.pt`;
  const epoch = Math.floor(step / stepsPerEpoch);
  const root = openClipCheckpoint({
    ...run,
    config: start.config,
    name,
    epoch,
    updates,
    weights,
    moments: tensors,
  });
  await savePyTorch(join(out, file), root);
  // For versions of open_clip that know no local folders: they find models by the files of this folder in theirs.
  const config = join("model_configs", `${name}.json`);
  await mkdir(join(out, "model_configs"), { recursive: true });
  await writeJson(join(out, config), toOpenClip(start.config));
  const words = openClipArguments(stopped, { folder: resolve(out), resume: resolve(out, file) });
  return {
    files: [...folder.files, file, config],
    notes: [
      ...folder.notes,
      ...differencesInOpenClip(stopped),
      "--batch-size is that of one process: divide it by the number of processes of torchrun.",
    ],
    command: ["torchrun", "--nproc_per_node", "1", "-m", "open_clip_train.main", ...words]
      .map(quote)
      .join(" "),
  };
}

const writeJson = (path: string, content: unknown): Promise<void> =>
  replaceFile(path, [new TextEncoder().encode(`${JSON.stringify(content, undefined, 2)}\n`)]);

const quote = (word: string): string =>
  /^[\w./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;

/** How open_clip is to clean texts before a tokenizer of transformers, by ours. */
const cleaning: Readonly<Record<string, string>> = {
  clip: "lower",
  lower: "lower",
  whitespace: "whitespace",
  canonicalize: "canonicalize",
};

/** CLIP's own vocabulary is in open_clip; any other goes with the model, in transformers' files. */
function tokenizerOf(model: Parts, name: string) {
  const { tokenizerConfig, tokenizerFiles } = model;
  const own = ["tokenizer.json", "vocab.json", "spiece.model"].some((file) => tokenizerFiles.has(file));
  if (tokenizerConfig.kind === "clip-bpe" && !own) return { files: {}, fields: {}, notes: [] };
  let frame;
  try {
    ({ frame } = model.tokenizer.identity());
  } catch (error) {
    if (!(error instanceof CliptError)) throw error;
    return { files: {}, fields: {}, notes: ["No tokenizer was written: the model has none that opens."] };
  }
  const clean = cleaning[tokenizerConfig.cleaning ?? ""];
  const files = toHuggingFaceTokenizer({ ...tokenizerConfig, cleaning: "none" }, tokenizerFiles, frame);
  return {
    files: { ...files },
    fields: {
      hf_tokenizer_name: name,
      tokenizer_kwargs: {
        clean: clean ?? "whitespace",
        ...("stripSep" in tokenizerConfig && tokenizerConfig.stripSep === true ? { strip_sep_token: true } : {}),
      },
    },
    notes: [
      ...(clean === undefined
        ? ["open_clip mends broken encodings and HTML entities before it cuts a text, which this model does not; other texts get the same ids."]
        : []),
      ...(tokenizerConfig.kind === "clip-bpe" && readsPadding(model.config)
        ? ["The text tower reads its padding, and open_clip fills up with the end token."]
        : []),
    ],
  }; // prettier-ignore
}

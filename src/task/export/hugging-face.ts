import { basename, join } from "node:path";
import {
  toHuggingFaceConfig,
  toHuggingFacePreprocess,
  toHuggingFaceTokenizer,
  type ClipConfig,
  type Model,
} from "../../model/index.js";
import { CliptError, type Tensor } from "../../tensor/index.js";
import { hfClip, hfSiglip, replaceFile, saveSafetensors, toPublished } from "../../weights/index.js";
import { castWeights, torchType, type FloatDtype } from "./cast.js";
import type { Exported, ExportJob } from "./format.js";

/** transformers' folder of a CLIPModel or a SiglipModel. */
export async function exportHuggingFace({
  path,
  out,
  dtype,
  open,
}: ExportJob<FloatDtype>): Promise<Exported> {
  const model = await open();
  const { config, preprocess } = model;
  const reasons = config.score === "sigmoid" ? besidesSiglip(config) : besidesClip(config);
  if (preprocess.resizeMode === "longest") reasons.push("pictures are made to fit by their longest side");
  if (reasons.length > 0)
    throw new CliptError(
      "unsupported",
      `transformers' ${config.score === "sigmoid" ? "SiglipModel" : "CLIPModel"} cannot hold ${basename(path)}: ${reasons.join("; ")}.`,
    );
  const texts = tokenizerOf(model);
  const json = {
    "preprocessor_config.json": toHuggingFacePreprocess(preprocess, config),
    ...texts.files,
    "config.json": { ...configOf(model), dtype: torchType[dtype] },
  };
  // SigLIP's own tokenizer in transformers reads its pieces from here, too.
  const pieces = model.tokenizerFiles.get("spiece.model");
  if (pieces !== undefined) await replaceFile(join(out, "spiece.model"), [pieces]);
  await saveSafetensors(join(out, "model.safetensors"), castWeights(published(model), dtype), {
    format: "pt",
  });
  for (const [name, content] of Object.entries(json))
    await replaceFile(join(out, name), [
      new TextEncoder().encode(`${JSON.stringify(content, undefined, 2)}\n`),
    ]);
  const early = preprocess.convert === "late" || preprocess.cropRounding === "even";
  return {
    files: ["model.safetensors", ...(pieces === undefined ? [] : ["spiece.model"]), ...Object.keys(json)],
    notes: [
      ...(early
        ? ["transformers converts pictures to RGB before it resizes them, this model after: pictures with transparency, palettes or 16 bits differ."]
        : []),
      ...texts.notes,
    ],
  }; // prettier-ignore
}

function published({ config, weights }: Model): Map<string, Tensor> {
  const sigmoid = config.score === "sigmoid";
  const named = [...weights].map(([name, tensor]): [string, Tensor] => {
    const text = !/^(visual\.|logit_)/.test(name);
    const bare = name.replace(/^text\./, "");
    return [text && sigmoid ? `text.${bare}` : bare, tensor];
  });
  return toPublished(sigmoid ? hfSiglip : hfClip, new Map(named));
}

/** The configuration, with a pooling that finds the same token for any ids, not for well-formed texts only. */
function configOf(model: Model): Record<string, unknown> {
  const { score, text } = model.config;
  const json = toHuggingFaceConfig(model.config, frameOf(model));
  // Left out, CLIP's own ids would hold.
  const none = { bos_token_id: null, eos_token_id: null, pad_token_id: null };
  const written = { ...none, ...(json["text_config"] as object) };
  if (score === "sigmoid" || text.kind !== "transformer") return { ...json, text_config: written };
  // The id 2 stands for the greatest of a text, as in configurations from before transformers obeyed the id.
  const end = text.pool === "argmax" ? 2 : text.eosId;
  return { ...json, text_config: { ...written, eos_token_id: end } };
}

/** Undefined for a model whose tokenizer clipt cannot open: its towers can be written all the same. */
function frameOf(model: Model) {
  try {
    return model.tokenizer.identity().frame;
  } catch (error) {
    if (error instanceof CliptError) return undefined;
    throw error;
  }
}

function tokenizerOf(model: Model): { files: Record<string, unknown>; notes: string[] } {
  const { tokenizerConfig, tokenizerFiles } = model;
  const frame = frameOf(model);
  if (frame === undefined)
    return { files: {}, notes: ["No tokenizer was written: the model has none that opens."] };
  const mends = ["clip", "lower", "whitespace", "canonicalize"].includes(tokenizerConfig.cleaning ?? "");
  return {
    files: { ...toHuggingFaceTokenizer(tokenizerConfig, tokenizerFiles, frame) },
    notes: mends
      ? ["transformers' tokenizer does not mend broken encodings and HTML entities, as this model's does; other texts get the same ids."]
      : [],
  }; // prettier-ignore
}

/** What of a model a CLIPModel has no place for. */
function besidesClip({ image, text }: ClipConfig): string[] {
  const reasons = pictureSize(image.imageSize);
  if (image.kind !== "vit") reasons.push(`its image tower is a ${image.kind}, not a ViT`);
  else {
    if (image.pool !== "tok") reasons.push(`its image tower pools by ${image.pool}, not by the class token`);
    if (!image.lnPre) reasons.push("its image tower has no norm before the first block");
    if (image.layerScale !== undefined) reasons.push("its image tower has layer scales");
  }
  if (text.kind !== "transformer") reasons.push(`its text tower is a ${text.kind}, not a transformer`);
  else {
    if (!text.causal) reasons.push("its text tower looks ahead");
    if (text.pool !== "argmax" && (text.pool !== "eos" || text.eosId === 2))
      reasons.push(`its text tower takes the token ${text.pool}${text.eosId === undefined ? "" : ` ${text.eosId}`}`);
    if (text.projection !== "matrix") reasons.push(`its text projection is of the kind "${text.projection}"`);
    if (text.layerScale !== undefined) reasons.push("its text tower has layer scales");
  }
  return reasons;
} // prettier-ignore

/** What of a model a SiglipModel has no place for. */
function besidesSiglip({ image, text, initLogitBias }: ClipConfig): string[] {
  const reasons = pictureSize(image.imageSize);
  if (image.kind !== "timm-vit") reasons.push(`its image tower is a ${image.kind}, not SigLIP's`);
  else if (image.projection !== "none") reasons.push("a projection follows its image tower");
  if (text.kind !== "transformer") reasons.push(`its text tower is a ${text.kind}, not a transformer`);
  else {
    if (text.causal) reasons.push("its text tower does not look ahead");
    if (text.pool !== "last") reasons.push(`its text tower takes the token ${text.pool}, not the last`);
    if (text.projection !== "linear")
      reasons.push(`its text projection is of the kind "${text.projection}", not linear with a bias`);
    if (text.layerScale !== undefined) reasons.push("its text tower has layer scales");
  }
  if (initLogitBias === undefined) reasons.push("its scores have no bias");
  return reasons;
}

const pictureSize = ([height, width]: readonly [number, number]): string[] =>
  height === width ? [] : [`its pictures are ${height} × ${width} px, not square`];

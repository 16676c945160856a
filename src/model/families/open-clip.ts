import { z } from "zod";
import { clipPreprocess, type PreprocessConfig } from "../../input/image/preprocess.js";
import { CliptError } from "../../tensor/index.js";
import type { ClipConfig } from "../config.js";
import type { BlockConfig } from "../layers/block.js";
import type { TimmProjection } from "../layers/timm-head.js";
import type { TokenizerConfig } from "../tokenizer.js";
import type { ImageTowerConfig, TextTowerConfig } from "../towers/index.js";
import { inferBert } from "./bert.js";
import {
  blockCount,
  blockCountOrZero,
  count,
  countOrZero,
  heightWidth,
  idCount,
  readFields,
  refuseOthers,
  sides,
  side,
} from "./fields.js";
import type { Shapes } from "./openai.js";
import { readTimm } from "./timm.js";

const file = "open_clip_config.json";

const shared = {
  mlp_ratio: z.number().positive().default(4),
  ls_init_value: z.number().nullish(),
  norm_kwargs: z.object({ eps: z.number().positive().optional() }).nullish(),
  act_kwargs: z.object({ approximate: z.enum(["none", "tanh"]).optional() }).nullish(),
};

const modelCfg = z.object({
  embed_dim: count,
  quick_gelu: z.boolean().default(false),
  custom_text: z.boolean().default(false),
  init_logit_scale: z.number().default(Math.log(1 / 0.07)),
  init_logit_bias: z.number().nullish(),
  vision_cfg: z.record(z.string(), z.unknown()),
  text_cfg: z.record(z.string(), z.unknown()),
});

const visionCfg = z.object({
  ...shared,
  layers: z.union([blockCount, z.array(blockCount).min(4).max(8)]).default(12),
  width: count.default(768),
  head_width: count.default(64),
  patch_size: side.nullish().transform((size) => size ?? 16),
  image_size: sides.default(224),
  no_ln_pre: z.boolean().default(false),
  pool_type: z.string().default("tok"),
  final_ln_after_pool: z.boolean().default(false),
  timm_model_name: z.string().nullish(),
  timm_pool: z.string().default("avg"),
  timm_proj: z.string().nullish(),
  timm_proj_bias: z.boolean().default(false),
});

const hfTextCfg = z.object({
  hf_model_name: z.string(),
  hf_proj_type: z.enum(["linear", "mlp"]).nullable().default("mlp"),
  hf_pooler_type: z
    .enum(["mean_pooler", "max_pooler", "cls_pooler", "cls_last_hidden_state_pooler"])
    .default("mean_pooler"),
  context_length: idCount.default(77),
});

const textCfg = z.object({
  ...shared,
  context_length: idCount.default(77),
  vocab_size: count.default(49408),
  width: count.default(512),
  heads: count.default(8),
  layers: blockCountOrZero.default(12),
  no_causal_mask: z.boolean().default(false),
  pool_type: z.enum(["argmax", "first", "last", "eos"]).default("argmax"),
  eos_id: countOrZero.default(2),
  proj_type: z.enum(["linear", "none"]).nullish(),
  proj_bias: z.boolean().default(false),
});

/** The parts of an `open_clip_config.json`, not yet looked into. @throws `format` when it is no object */
export const readOpenClipFile = (json: unknown) =>
  readFields(z.object({ model_cfg: z.unknown(), preprocess_cfg: z.unknown().optional() }), json, file);

/** Fields without an effect on a model that is used: training, loading, tokens (read where those are opened). */
const idleModel = ["output_dict", "nonscalar_logit_scale"];
const idleVision = [
  "patch_dropout",
  "pos_embed_type",
  "timm_model_pretrained",
  "timm_drop",
  "timm_drop_path",
  "attn_pooler_queries",
  "attn_pooler_heads",
  "n_queries",
];
const idleText = ["pad_id", "hf_tokenizer_name", "tokenizer_kwargs"];
const idleHfText = [...idleText, "hf_model_pretrained", "vocab_size", "width", "heads", "layers"];

/**
 * OpenCLIP's `model_cfg`, with its own defaults.
 *
 * @param shapes of the model's tensors: they alone tell the sizes of a text tower of transformers', and whether an image
 *               tower's branches were folded
 * @throws `format` for wrong types, `unsupported` for parts that clipt does not have
 * @source mlfoundations/open_clip `CLIPVisionCfg`, `CLIPTextCfg`
 */
export function parseOpenClip(json: unknown, shapes?: Shapes): ClipConfig {
  const where = `${file}, model_cfg`;
  const model = readFields(modelCfg, json, where);
  refuseOthers(json as object, modelCfg, idleModel, where);
  const isHf = Boolean(model.text_cfg["hf_model_name"]);
  return {
    embedDim: model.embed_dim,
    image: readVision(model.vision_cfg, model.quick_gelu, shapes),
    text: isHf ? readHfText(model.text_cfg, shapes) : readText(model.text_cfg, model.quick_gelu),
    customText: model.custom_text || isHf,
    score: model.init_logit_bias == null ? "softmax" : "sigmoid",
    initLogitScale: model.init_logit_scale,
    initLogitBias: model.init_logit_bias ?? undefined,
  };
}

function readVision(json: object, quickGelu: boolean, shapes?: Shapes): ImageTowerConfig {
  const where = `${file}, vision_cfg`;
  const cfg = readFields(visionCfg, json, where);
  refuseOthers(json, visionCfg, idleVision, where);
  const { layers, width, head_width: headWidth, pool_type: pool } = cfg;
  const imageSize = heightWidth(cfg.image_size);
  if (cfg.timm_model_name != null) {
    const sizes = { layers, width, heads: Math.trunc(width / headWidth), patchSize: cfg.patch_size };
    return readTimm(
      {
        name: cfg.timm_model_name,
        pool: cfg.timm_pool,
        imageSize,
        projection: readProjection(cfg, where),
        // Sizes beside a name are for names that timm's registry does not have.
        given: "width" in json ? { ...sizes, mlpRatio: cfg.mlp_ratio } : undefined,
        folded: [...(shapes?.keys() ?? [])].some((name) => name.includes(".reparam_conv.")),
      },
      where,
    );
  }
  if (typeof layers !== "number" && layers.length !== 4)
    throw new CliptError("unsupported", `${where}: a ModifiedResNet has 4 stages, not ${layers.length}.`);
  if (typeof layers !== "number")
    return { kind: "resnet", imageSize, layers, width, heads: Math.trunc((width * 32) / headWidth) };
  if (pool !== "tok" && pool !== "avg")
    throw new CliptError("unsupported", `${where}: pool_type "${pool}" is not supported yet.`);
  return {
    kind: "vit",
    imageSize,
    patchSize: cfg.patch_size,
    layers,
    ...blocks(cfg, Math.trunc(width / headWidth), quickGelu),
    pool,
    lnPre: !cfg.no_ln_pre,
    lnAfterPool: cfg.final_ln_after_pool,
  };
}

function readProjection(
  { timm_proj: kind, timm_proj_bias: bias }: z.output<typeof visionCfg>,
  where: string,
): TimmProjection {
  if (kind == null || kind === "") return "classifier";
  if (kind === "none") return kind;
  if (kind === "linear") return bias ? "linear-bias" : "linear";
  throw new CliptError("unsupported", `${where}: timm_proj "${kind}" is not supported yet.`);
}

function readText(json: object, quickGelu: boolean): TextTowerConfig {
  const where = `${file}, text_cfg`;
  const cfg = readFields(textCfg, json, where);
  refuseOthers(json, textCfg, idleText, where);
  return {
    kind: "transformer",
    contextLength: cfg.context_length,
    vocabSize: cfg.vocab_size,
    layers: cfg.layers,
    ...blocks(cfg, cfg.heads, quickGelu),
    causal: !cfg.no_causal_mask,
    pool: cfg.pool_type,
    eosId: cfg.pool_type === "eos" ? cfg.eos_id : undefined,
    projection: cfg.proj_type === "none" ? "none" : cfg.proj_bias ? "linear" : "matrix",
  };
}

function readHfText(json: object, shapes: Shapes | undefined): TextTowerConfig {
  const where = `${file}, text_cfg`;
  const cfg = readFields(hfTextCfg, json, where);
  refuseOthers(json, hfTextCfg, idleHfText, where);
  if (shapes === undefined)
    throw new CliptError(
      "unsupported",
      `${where}: the sizes of ${cfg.hf_model_name} are not known. Start from a folder that has its weights.`,
    );
  return {
    ...inferBert(shapes, "text.transformer."),
    contextLength: cfg.context_length,
    pool: hfPools[cfg.hf_pooler_type],
    projection: cfg.hf_proj_type ?? "none",
  };
}

const hfPools = {
  mean_pooler: "mean",
  max_pooler: "max",
  cls_pooler: "cls",
  cls_last_hidden_state_pooler: "cls_last_hidden_state",
} as const;

function blocks(
  cfg: z.output<typeof visionCfg> | z.output<typeof textCfg>,
  heads: number,
  quickGelu: boolean,
): BlockConfig {
  const gelu = cfg.act_kwargs?.approximate === "tanh" ? "gelu_tanh" : "gelu";
  return {
    width: cfg.width,
    heads,
    mlpWidth: Math.trunc(cfg.width * cfg.mlp_ratio),
    activation: quickGelu ? "quick_gelu" : gelu,
    eps: cfg.norm_kwargs?.eps ?? 1e-5,
    layerScale: cfg.ls_init_value ?? undefined,
  };
}

const preprocessCfg = z.object({
  size: sides.optional(),
  mode: z.literal("RGB").optional(),
  mean: z.array(z.number()).length(3).optional(),
  std: z.array(z.number().positive()).length(3).optional(),
  interpolation: z.enum(["bicubic", "bilinear"]).optional(),
  resize_mode: z.enum(["shortest", "longest", "squash"]).optional(),
  fill_color: z.int().min(0).max(255).optional(),
});

/** OpenCLIP's `preprocess_cfg`; what it leaves out is OpenAI's, at the model's own size. */
export function parseOpenClipPreprocess(json: unknown, { image }: ClipConfig): PreprocessConfig {
  const cfg = readFields(preprocessCfg, json ?? {}, `${file}, preprocess_cfg`);
  return {
    ...clipPreprocess,
    size: cfg.size ?? image.imageSize,
    mean: cfg.mean ?? clipPreprocess.mean,
    std: cfg.std ?? clipPreprocess.std,
    interpolation: cfg.interpolation ?? clipPreprocess.interpolation,
    resizeMode: cfg.resize_mode ?? clipPreprocess.resizeMode,
    fillColor: cfg.fill_color ?? clipPreprocess.fillColor,
  };
}

const tokenizerCfg = z.object({
  hf_tokenizer_name: z.string().nullish(),
  tokenizer_kwargs: z
    .object({
      clean: z.enum(["lower", "whitespace", "canonicalize"]).optional(),
      strip_sep_token: z.boolean().optional(),
    })
    .nullish(),
});

/** The tokenizer that `text_cfg` names; without a name it is CLIP's own. */
export function parseOpenClipTokenizer(model: unknown, { text }: ClipConfig): TokenizerConfig {
  const cfg = readFields(z.object({ text_cfg: tokenizerCfg }), model, `${file}, model_cfg`).text_cfg;
  const context = text.contextLength;
  const clean = cfg.tokenizer_kwargs?.clean;
  return cfg.hf_tokenizer_name == null
    ? { kind: "clip-bpe", cleaning: clean ?? "lower", pad: "zero", context }
    : {
        kind: "hugging-face",
        cleaning: clean ?? "whitespace",
        ...(cfg.tokenizer_kwargs?.strip_sep_token === true ? { stripSep: true } : {}),
        context,
        pad: text.kind === "bert" ? text.padId : undefined,
        name: cfg.hf_tokenizer_name,
      };
}

import { z } from "zod";
import { CliptError } from "../../tensor/index.js";
import type { ClipConfig } from "../config.js";
import type { Activation } from "../layers/activation.js";
import type { ImageTowerConfig } from "../towers/index.js";
import {
  blockCountOrZero,
  count,
  countOrZero,
  heightWidth,
  idCount,
  readFields,
  side,
  sides,
} from "./fields.js";

const file = "config.json";

/** transformers' names of activations. */
const activations: Readonly<Record<string, Activation>> = {
  quick_gelu: "quick_gelu",
  gelu: "gelu",
  gelu_pytorch_tanh: "gelu_tanh",
  gelu_new: "gelu_tanh",
};

/** Fields of every tower; what a configuration leaves out is the default of its class. */
const tower = (sizes: { width: number; mlp: number; heads: number }, act: string, eps: number) => ({
  hidden_size: count.default(sizes.width),
  intermediate_size: count.default(sizes.mlp),
  num_hidden_layers: blockCountOrZero.default(12),
  num_attention_heads: count.default(sizes.heads),
  hidden_act: z.string().default(act),
  layer_norm_eps: z.number().positive().default(eps),
});

const base = { width: 768, mlp: 3072, heads: 12 };
const clipVision = z.object({
  ...tower(base, "quick_gelu", 1e-5),
  image_size: sides.default(224),
  patch_size: side.default(32),
});
const clipText = z.object({
  ...tower({ width: 512, mlp: 2048, heads: 8 }, "quick_gelu", 1e-5),
  max_position_embeddings: idCount.default(77),
  vocab_size: count.default(49408),
  eos_token_id: countOrZero.default(49407),
});
const siglipVision = z.object({
  ...tower(base, "gelu_pytorch_tanh", 1e-6),
  image_size: sides.default(224),
  patch_size: side.default(16),
  vision_use_head: z.boolean().default(true),
});
const siglipText = z.object({
  ...tower(base, "gelu_pytorch_tanh", 1e-6),
  max_position_embeddings: idCount.default(64),
  vocab_size: count.default(32000),
  projection_size: count.nullish(),
});

const object = z.record(z.string(), z.unknown());
const model = z.object({
  model_type: z.string(),
  text_config: object.nullish(),
  vision_config: object.nullish(),
  // Very old configurations hold these as well, and they count.
  text_config_dict: object.nullish(),
  vision_config_dict: object.nullish(),
  projection_dim: count.default(512),
  logit_scale_init_value: z.number().default(2.6592),
});

/**
 * transformers' `config.json` of a CLIPModel or a SiglipModel.
 *
 * @throws `format` for wrong types, `unsupported` for other models
 */
export function parseHuggingFace(json: unknown): ClipConfig {
  const cfg = readFields(model, json, file);
  const vision = { ...cfg.vision_config, ...cfg.vision_config_dict };
  const text = { ...cfg.text_config, ...cfg.text_config_dict };
  if (cfg.model_type === "clip")
    return parseClip(vision, text, cfg.projection_dim, cfg.logit_scale_init_value);
  if (cfg.model_type === "siglip") return parseSigLip(vision, text);
  throw new CliptError(
    "unsupported",
    `${file}: model_type "${cfg.model_type}" is not supported yet; "clip" and "siglip" are.`,
  );
}

function parseClip(
  visionConfig: object,
  textConfig: object,
  embedDim: number,
  initLogitScale: number,
): ClipConfig {
  const text = readFields(clipText, textConfig, `${file}, text_config`);
  // Configurations with the id 2 are older than the rule that obeys it: there the greatest id ends a text.
  const legacy = text.eos_token_id === 2;
  return {
    embedDim,
    image: parseClipVision(visionConfig),
    text: {
      kind: "transformer",
      contextLength: text.max_position_embeddings,
      vocabSize: text.vocab_size,
      layers: text.num_hidden_layers,
      ...blocks(text, "text_config"),
      causal: true,
      pool: legacy ? "argmax" : "eos",
      eosId: legacy ? undefined : text.eos_token_id,
      projection: "matrix",
    },
    customText: false,
    score: "softmax",
    initLogitScale,
  };
}

/** The `vision_config` of a CLIPModel, which other models share. */
export function parseClipVision(json: object): ImageTowerConfig {
  const vision = readFields(clipVision, json, `${file}, vision_config`);
  return {
    kind: "vit",
    imageSize: heightWidth(vision.image_size),
    patchSize: vision.patch_size,
    layers: vision.num_hidden_layers,
    ...blocks(vision, "vision_config"),
    pool: "tok",
    lnPre: true,
    lnAfterPool: true,
  };
}

function parseSigLip(visionConfig: object, textConfig: object): ClipConfig {
  const vision = readFields(siglipVision, visionConfig, `${file}, vision_config`);
  const text = readFields(siglipText, textConfig, `${file}, text_config`);
  if (!vision.vision_use_head)
    throw new CliptError(
      "unsupported",
      `${file}, vision_config: vision_use_head is false; a tower without its head makes no features.`,
    );
  return {
    embedDim: text.projection_size ?? text.hidden_size,
    image: {
      kind: "timm-vit",
      imageSize: heightWidth(vision.image_size),
      patchSize: vision.patch_size,
      layers: vision.num_hidden_layers,
      ...blocks(vision, "vision_config"),
      projection: "none",
    },
    text: {
      kind: "transformer",
      contextLength: text.max_position_embeddings,
      vocabSize: text.vocab_size,
      layers: text.num_hidden_layers,
      ...blocks(text, "text_config"),
      causal: false,
      pool: "last",
      projection: "linear",
    },
    customText: true,
    score: "sigmoid",
    initLogitScale: Math.log(10),
    initLogitBias: -10,
  };
}

function blocks(cfg: z.output<typeof clipVision> | z.output<typeof siglipText>, where: string) {
  return {
    width: cfg.hidden_size,
    heads: cfg.num_attention_heads,
    mlpWidth: cfg.intermediate_size,
    activation: activationOf(cfg.hidden_act, `${file}, ${where}`),
    eps: cfg.layer_norm_eps,
  };
}

/** @throws `unsupported` for a name that clipt does not have */
export function activationOf(name: string, where: string): Activation {
  const activation = activations[name];
  if (activation !== undefined) return activation;
  throw new CliptError(
    "unsupported",
    `${where}: hidden_act "${name}" is none of ${Object.keys(activations).join(", ")}.`,
  );
}

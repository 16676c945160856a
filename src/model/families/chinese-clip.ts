import { z } from "zod";
import { clipPreprocess, type PreprocessConfig } from "../../input/image/preprocess.js";
import type { ClipConfig } from "../config.js";
import { longestText } from "../towers/bert.js";
import { inferBert, parseBert } from "./bert.js";
import { count, readFields } from "./fields.js";
import { parseClipVision } from "./hugging-face.js";
import { inferImage, shapeOf, type Shapes } from "./openai.js";

const object = z.record(z.string(), z.unknown());
const model = z.object({
  text_config: object,
  vision_config: object,
  projection_dim: count.default(512),
  logit_scale_init_value: z.number().default(2.6592),
});

/** transformers' `config.json` of a ChineseCLIPModel. @throws `format`, `unsupported` */
export function parseChineseClip(json: unknown): ClipConfig {
  const cfg = readFields(model, json, "config.json");
  const type = { model_type: "chinese_clip_text_model" };
  const encoder = parseBert({ ...type, ...cfg.text_config }, "config.json, text_config");
  return {
    embedDim: cfg.projection_dim,
    image: parseClipVision(cfg.vision_config),
    text: {
      ...encoder,
      contextLength: longestText(encoder),
      pool: "cls_last_hidden_state",
      projection: "linear",
    },
    customText: true,
    score: "softmax",
    initLogitScale: cfg.logit_scale_init_value,
  };
}

/** Ids in a row of the published models. Source: OFA-Sys/Chinese-CLIP `tokenize`. */
const context = 52;

/** The configuration of a `clip_cn_*.pt`, from the shapes of its tensors. Source: OFA-Sys/Chinese-CLIP `model.py`. */
export function inferChineseClip(shapes: Shapes): ClipConfig {
  const encoder = inferBert(shapes, "bert.");
  return {
    embedDim: shapeOf(shapes, "text_projection", 2)[1],
    image: inferImage(shapes),
    text: {
      ...encoder,
      contextLength: Math.min(context, longestText(encoder)),
      pool: "cls_last_hidden_state",
      projection: "linear",
    },
    customText: true,
    score: "softmax",
    initLogitScale: Math.log(1 / 0.07),
  };
}

/** Pictures are not cropped but squashed. Source: OFA-Sys/Chinese-CLIP `image_transform`. */
export const chineseClipPreprocess = ({ image }: ClipConfig): PreprocessConfig => ({
  ...clipPreprocess,
  size: image.imageSize,
  resizeMode: "squash",
});

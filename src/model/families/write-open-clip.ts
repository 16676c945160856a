import type { PreprocessConfig } from "../../input/image/preprocess.js";
import { CliptError } from "../../tensor/index.js";
import type { ClipConfig } from "../config.js";
import type { BlockConfig } from "../layers/block.js";
import type { ImageTowerConfig, TextTowerConfig } from "../towers/index.js";
import { parseOpenClip } from "./open-clip.js";
import { differences, timmNameOf } from "./timm.js";

type Json = Record<string, unknown>;

/**
 * OpenCLIP's `model_cfg`.
 *
 * @throws `unsupported` for a model that OpenCLIP cannot build, with the reason
 */
export function toOpenClip(config: ClipConfig): Json {
  const { embedDim, image, text, customText, initLogitScale, initLogitBias } = config;
  const written = {
    embed_dim: embedDim,
    ...(activationOf(image) === "quick_gelu" || activationOf(text) === "quick_gelu"
      ? { quick_gelu: true }
      : {}),
    ...(customText ? { custom_text: true } : {}),
    init_logit_scale: initLogitScale,
    ...(initLogitBias === undefined ? {} : { init_logit_bias: initLogitBias }),
    vision_cfg: visionOf(image),
    text_cfg: textOf(text),
  };
  refuseOther(config, written);
  return written;
}

const activationOf = (tower: ImageTowerConfig | TextTowerConfig) =>
  "activation" in tower ? tower.activation : undefined;

function visionOf(image: ImageTowerConfig): Json {
  const { imageSize } = image;
  const [height, width] = imageSize;
  const size = { image_size: height === width ? height : imageSize };
  switch (image.kind) {
    case "vit":
      return {
        ...size,
        patch_size: image.patchSize,
        layers: image.layers,
        head_width: image.width / image.heads,
        ...blocks(image),
        ...(image.lnPre ? {} : { no_ln_pre: true }),
        ...(image.pool === "tok" ? {} : { pool_type: image.pool }),
        ...(image.lnAfterPool ? { final_ln_after_pool: true } : {}),
      };
    case "resnet":
      return {
        ...size,
        layers: image.layers,
        width: image.width,
        head_width: (image.width * 32) / image.heads,
      };
    case "timm-vit":
    case "fastvit": {
      const timm = timmNameOf(image);
      if (timm === undefined)
        throw refused("it makes such image towers by timm's names, and timm has none of these sizes");
      return {
        ...size,
        timm_model_name: timm.name,
        timm_model_pretrained: false,
        timm_pool: timm.pool,
        timm_proj: { none: "none", classifier: null, linear: "linear", "linear-bias": "linear" }[
          image.projection
        ],
        ...(image.projection === "linear-bias" ? { timm_proj_bias: true } : {}),
      };
    }
    default:
      throw refused(`it has no image tower of the kind ${image.kind}`);
  }
}

function textOf(text: TextTowerConfig): Json {
  if (text.kind !== "transformer") throw refused(`it has no text tower of the kind ${text.kind}`);
  const projections = { matrix: {}, linear: { proj_bias: true }, none: { proj_type: "none" } } as const;
  return {
    context_length: text.contextLength,
    vocab_size: text.vocabSize,
    layers: text.layers,
    heads: text.heads,
    ...blocks(text),
    ...(text.causal ? {} : { no_causal_mask: true }),
    ...(text.pool === "argmax" ? {} : { pool_type: text.pool }),
    ...(text.eosId === undefined ? {} : { eos_id: text.eosId }),
    ...projections[text.projection],
  };
}

function blocks({ width, mlpWidth, activation, eps, layerScale }: BlockConfig): Json {
  const ratio = mlpWidth / width;
  return {
    width,
    // The width is cut to a whole number when it is read: half a unit more keeps a rounded quotient above it.
    mlp_ratio: Math.trunc(width * ratio) === mlpWidth ? ratio : (mlpWidth + 0.5) / width,
    ...(eps === 1e-5 ? {} : { norm_kwargs: { eps } }),
    ...(activation === "gelu_tanh" ? { act_kwargs: { approximate: "tanh" } } : {}),
    ...(layerScale === undefined ? {} : { ls_init_value: layerScale }),
  };
}

/** OpenCLIP has no fields for some differences between towers: what it would build is compared with what there is. */
function refuseOther(config: ClipConfig, written: Json): void {
  const built = parseOpenClip(written);
  for (const tower of ["image", "text"] as const) {
    const [there, here] = [built[tower], config[tower]].map((side) => side as unknown as Json) as [
      Json,
      Json,
    ];
    // timm's names decide the activation of its towers.
    const other = differences(there, here).filter(
      (key) => key !== "activation" || here["kind"] !== "timm-vit",
    );
    if (other.length > 0)
      throw refused(
        `its ${tower} tower would have ${other.map((key) => `${key} ${JSON.stringify(there[key])} instead of ${JSON.stringify(here[key])}`).join(", ")}`,
      );
  }
}

/** OpenCLIP's `preprocess_cfg`. @throws `unsupported` for a filter that OpenCLIP does not have */
export function toOpenClipPreprocess(preprocess: PreprocessConfig): Json {
  const { size, mean, std, interpolation, resizeMode, fillColor, scaleTo, rescale } = preprocess;
  if (scaleTo !== undefined) throw refused("it cuts out what it has scaled to, and no less");
  if (rescale !== undefined) throw refused("it divides samples by 255 and by no other number");
  if (interpolation === "nearest") throw refused("it does not resize pictures to the nearest pixel");
  return {
    size,
    mode: "RGB",
    mean,
    std,
    interpolation,
    resize_mode: resizeMode,
    fill_color: fillColor,
  };
}

const refused = (why: string) => new CliptError("unsupported", `OpenCLIP cannot hold this model: ${why}.`);

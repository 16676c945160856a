import type { PreprocessConfig } from "../../input/image/preprocess.js";
import type { TokenizerIdentity } from "../../input/text/index.js";
import type { ClipConfig } from "../config.js";
import type { Activation } from "../layers/activation.js";
import type { ImageTowerConfig, TextTowerConfig } from "../towers/index.js";
import { heightWidth } from "./fields.js";

type Json = Record<string, unknown>;

const activations: Readonly<Record<Activation, string>> = {
  quick_gelu: "quick_gelu",
  gelu: "gelu",
  gelu_tanh: "gelu_pytorch_tanh",
};

/**
 * transformers' `config.json`: of a CLIPModel for a softmax model, of a SiglipModel for a sigmoid model. Sizes of
 * towers that transformers has no fields for are left out.
 */
export function toHuggingFaceConfig(config: ClipConfig, frame: TokenizerIdentity["frame"] | undefined): Json {
  const { embedDim, image, text, score, initLogitScale } = config;
  const name = score === "sigmoid" ? "siglip" : "clip";
  const projection = name === "clip" ? { projection_dim: embedDim } : {};
  return {
    architectures: [name === "clip" ? "CLIPModel" : "SiglipModel"],
    model_type: name,
    ...projection,
    // A whole number would be written without its point, and transformers takes that for another type.
    ...(name === "clip" && !Number.isInteger(initLogitScale)
      ? { logit_scale_init_value: initLogitScale }
      : {}),
    text_config: {
      model_type: `${name}_text_model`,
      ...textSizes(text),
      ...(name === "clip" ? projection : { projection_size: embedDim }),
      ...(frame?.start === undefined ? {} : { bos_token_id: frame.start }),
      ...(frame?.end === undefined ? {} : { eos_token_id: frame.end }),
      ...(frame === undefined ? {} : { pad_token_id: frame.pad }),
    },
    vision_config: { model_type: `${name}_vision_model`, ...imageSizes(image), ...projection },
  };
}

function textSizes(text: TextTowerConfig): Json {
  return {
    max_position_embeddings: text.contextLength,
    vocab_size: text.vocabSize,
    ...(text.kind === "transformer" ? blockSizes(text) : {}),
  };
}

function imageSizes(image: ImageTowerConfig): Json {
  const [height, width] = image.imageSize;
  return {
    image_size: height === width ? height : [height, width],
    num_channels: 3,
    ...("patchSize" in image ? { patch_size: image.patchSize, ...blockSizes(image) } : {}),
  };
}

const blockSizes = (tower: {
  readonly width: number;
  readonly mlpWidth: number;
  readonly layers: number;
  readonly heads: number;
  readonly activation: Activation;
  readonly eps: number;
}): Json => ({
  hidden_size: tower.width,
  intermediate_size: tower.mlpWidth,
  num_hidden_layers: tower.layers,
  num_attention_heads: tower.heads,
  hidden_act: activations[tower.activation],
  layer_norm_eps: tower.eps,
});

/** Pillow's numbers of its filters. */
const filters: Readonly<Record<PreprocessConfig["interpolation"], number>> = {
  nearest: 0,
  bilinear: 2,
  bicubic: 3,
};

/** transformers' `preprocessor_config.json`. Order and rounding, which it has no fields for, are its own. */
export function toHuggingFacePreprocess(preprocess: PreprocessConfig, { score }: ClipConfig): Json {
  const [height, width] = heightWidth(preprocess.size);
  const name = score === "sigmoid" ? "SiglipImageProcessor" : "CLIPImageProcessor";
  const { scaleTo, rescale = 1 / 255 } = preprocess;
  const cut = { do_center_crop: true, crop_size: { height, width } };
  const scaled = heightWidth(scaleTo === undefined || scaleTo === "none" ? preprocess.size : scaleTo);
  const fits: Readonly<Record<PreprocessConfig["resizeMode"], Json>> = {
    shortest: { size: { shortest_edge: Math.max(...scaled) }, ...cut },
    squash: {
      size: { height: scaled[0], width: scaled[1] },
      ...(scaleTo === undefined ? { do_center_crop: false } : cut),
    },
    longest: {
      size: { longest_edge: Math.min(height, width) },
      do_center_crop: false,
      do_pad: true,
      pad_size: { height, width },
    },
  };
  return {
    image_processor_type: name,
    do_convert_rgb: true,
    do_resize: scaleTo !== "none",
    resample: filters[preprocess.interpolation],
    ...fits[preprocess.resizeMode],
    do_rescale: true,
    rescale_factor: rescale,
    do_normalize: true,
    image_mean: preprocess.mean,
    image_std: preprocess.std,
  };
}

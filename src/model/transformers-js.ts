import {
  cast,
  constant,
  equal,
  input,
  range,
  reduceMax,
  reshape,
  swap,
  where,
  type Value,
} from "../graph/index.js";
import { i64, tensor } from "../tensor/index.js";
import { encodeImage, encodeText, logits, normalize, readsPadding, type ClipWeights } from "./clip.js";
import type { ClipConfig } from "./config.js";

/** A program with the names that another project gives its inputs and results. */
export interface NamedProgram {
  /** In their order; also those that the results do not depend on. */
  readonly inputs: readonly Value[];
  readonly outputs: Readonly<Record<string, Value>>;
}

/** Files of a transformers.js repository below `onnx/`, without their endings. */
export type TransformersJsFile = "model" | "text_model" | "vision_model";

/**
 * A model as transformers.js opens it: joint as `CLIPModel` and `SiglipModel`, the towers as
 * `CLIPTextModelWithProjection` and `CLIPVisionModelWithProjection`, or `SiglipTextModel` and `SiglipVisionModel`.
 * The towers' results are not normalised, the joint model's are.
 *
 * @param endId the token that ends a text, where there is one
 * @source huggingface/transformers.js `models/clip`, `models/siglip`; the ONNX configurations of huggingface/optimum
 */
export function transformersJsPrograms(
  config: ClipConfig,
  weights: ClipWeights<Value>,
  endId: number | undefined,
): Readonly<Record<TransformersJsFile, NamedProgram>> {
  const sigmoid = config.score === "sigmoid";
  // Towers that read their padding exist for one length only.
  const length = readsPadding(config) ? config.text.contextLength : "sequence_length";
  const ids = input("input_ids", ["text_batch_size", length], "int64");
  const pixels = input("pixel_values", ["image_batch_size", 3, ...config.image.imageSize]);
  // No result depends on it: what comes after the end of a text is not read. transformers.js gives it, though, and
  // SigLIP's models do without.
  const mask = input("attention_mask", ["text_batch_size", length], "int64");
  const ended = endId === undefined ? ids : withEnd(ids, endId, config.text.contextLength);
  const [text, image] = [encodeText(config, weights, ended), encodeImage(config, weights, pixels)];
  const [textUnit, imageUnit] = [normalize(text), normalize(image)];
  const perImage = logits(weights, imageUnit, textUnit);
  return {
    model: {
      inputs: sigmoid ? [ids, pixels] : [ids, pixels, mask],
      outputs: {
        logits_per_image: perImage,
        logits_per_text: swap(perImage),
        text_embeds: textUnit,
        image_embeds: imageUnit,
      },
    },
    text_model: { inputs: [ids], outputs: { [sigmoid ? "pooler_output" : "text_embeds"]: text } },
    vision_model: { inputs: [pixels], outputs: { [sigmoid ? "pooler_output" : "image_embeds"]: image } },
  };
}

/**
 * Rows that are full and have no end get one in their last place: transformers.js cuts a long text behind the last token
 * that fits, where the model was trained with the end there.
 *
 * @param ids int64 [batch, length] → same
 */
function withEnd(ids: Value, endId: number, context: number): Value {
  const length = ids.shape[1]!;
  const end = constant(i64([], [endId]));
  const found = reduceMax(cast(equal(ids, end), "int32"), 1); // [batch, 1]
  const none = equal(found, constant(tensor("int32", [], Int32Array.of(0))));
  const lastPlace = reshape(equal(range(length), constant(i64([], [context - 1]))), [1, length]);
  return where(lastPlace, where(none, end, ids), ids);
}

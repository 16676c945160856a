import { CliptError } from "../tensor/index.js";
import { positionTables } from "./clip.js";
import type { ClipConfig } from "./config.js";
import type { Description } from "./families/index.js";
import type { TokenizerConfig } from "./tokenizer.js";

/** Other sizes of input than a model's files say: open_clip's `--force-image-size` and `--force-context-length`. */
export interface ForcedSizes {
  /** A side in px, or [height, width]. */
  readonly imageSize?: number | readonly [number, number] | undefined;
  /** The most ids of a text. */
  readonly contextLength?: number | undefined;
}

type Sized = Pick<Description, "config" | "preprocess" | "tokenizer">;

/**
 * The same model for inputs of other sizes. Its tables of positions must follow (`stretchedPositions`).
 *
 * @throws `usage` when a size leaves no patch
 */
export function withSizes<D extends Sized>(model: D, { imageSize, contextLength }: ForcedSizes): D {
  const { config, preprocess, tokenizer } = model;
  const size = imageSize ?? preprocess.size;
  const sides: readonly [number, number] = typeof size === "number" ? [size, size] : size;
  const resized = {
    ...config,
    image: imageSize === undefined ? config.image : { ...config.image, imageSize: sides },
    text: contextLength === undefined ? config.text : { ...config.text, contextLength },
  } as ClipConfig;
  if (positionTables(resized).image?.places.includes(0))
    throw new CliptError("usage", `Pictures of ${sides.join("×")} px are smaller than the model's patches.`);
  return {
    ...model,
    config: resized,
    // A picture that is scaled to more than is cut out of it is so for the published size only.
    preprocess: { ...preprocess, size, ...(imageSize === undefined ? {} : { scaleTo: undefined }) },
    tokenizer: contextLength === undefined ? tokenizer : withContext(tokenizer, contextLength),
  };
}

const withContext = (tokenizer: TokenizerConfig, context: number): TokenizerConfig =>
  tokenizer.kind === "sentencepiece"
    ? { ...tokenizer, frame: { ...tokenizer.frame, context } }
    : { ...tokenizer, context };

import type { Dtype } from "../graph/index.js";
import type { PreprocessConfig } from "../input/image/index.js";
import type { Tokenizer } from "../input/text/index.js";
import type { ClipConfig } from "./config.js";
import type { EncodeImages, EncodeTexts } from "./encode-batches.js";

/** What an encoder tells of its model. */
export interface EncoderModel {
  /** The folder or file that it was opened from. */
  readonly path: string;
  readonly config: Pick<ClipConfig, "embedDim" | "score">;
  readonly preprocess: PreprocessConfig;
  /** @throws on use `unsupported` or `missing`, where the model's own tokenizer cannot be opened */
  readonly tokenizer: Tokenizer;
  /** SHA-256 of all that decides its vectors: they compare only with those of an equal identity. */
  readonly identity: string;
}

/** How a tower's weights are held. */
export interface TowerWeights {
  readonly dtype: Dtype;
  readonly bytes: number;
}

/** A model's two towers, ready to run. A tower is compiled when it is first used. */
export interface Encoder {
  readonly model: EncoderModel;
  /** Factor before cosines, exp(logit_scale). */
  readonly scale: number;
  /** Term after it; 0 where the model has none. */
  readonly bias: number;
  readonly images: EncodeImages;
  readonly texts: EncodeTexts;
  /** Opens the image tower's program ahead of its first use. */
  readonly openImages: () => Promise<unknown>;
  /** Of both towers, which are compiled for it; absent where somebody else's programs run. */
  readonly weights?: () => Promise<{ readonly pictures: TowerWeights; readonly texts: TowerWeights }>;
  /** Frees the programs; the runtime stays. */
  close(): Promise<void>;
}

import type { ImageTowerConfig, TextTowerConfig } from "./towers/index.js";

/** A model of two towers, as plain data: all that decides its function but the weights. */
export interface ClipConfig {
  /** Width of the space that pictures and texts share. */
  readonly embedDim: number;
  readonly image: ImageTowerConfig;
  readonly text: TextTowerConfig;
  /** Whether the text tower's weights are named `text.…` (open_clip's `custom_text`) or stand at the top. */
  readonly customText: boolean;
  /** What logits become: a choice among texts, or a yes or no for each pair. */
  readonly score: "softmax" | "sigmoid";
  /** Natural logarithm of the factor before cosines, in a new model. */
  readonly initLogitScale: number;
  /** Term after it, in a new model; absent: there is none. */
  readonly initLogitBias?: number | undefined;
}

import { z } from "zod";
import type { PreprocessConfig } from "../../input/image/index.js";
import { toFloat32, type Tensor } from "../../tensor/index.js";
import { readFields } from "../families/fields.js";
import { preprocessFields, tokenizerFields } from "../families/own-fields.js";
import type { TokenizerConfig } from "../tokenizer.js";

const hints = z.object({
  clipt: z
    .object({
      logitScale: z.number(),
      logitBias: z.number(),
      preprocess: preprocessFields,
      tokenizer: tokenizerFields,
    })
    .optional(),
});

/** What transformers' files cannot say of a model of ours; other programs pass over it. */
export interface OnnxHints {
  /** Natural logarithm of the factor before cosines. */
  readonly logitScale: number;
  readonly logitBias: number;
  readonly preprocess: PreprocessConfig;
  readonly tokenizer: TokenizerConfig;
}

/** The part of a `config.json` that `readOnnxHints` reads. */
export function toOnnxHints({
  weights,
  preprocess,
  tokenizerConfig,
}: {
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly preprocess: PreprocessConfig;
  readonly tokenizerConfig: TokenizerConfig;
}): { clipt: OnnxHints } {
  const number = (name: string): number => {
    const found = weights.get(name);
    return (found && toFloat32(found).data[0]) ?? 0;
  };
  const [logitScale, logitBias] = [number("logit_scale"), number("logit_bias")];
  return { clipt: { logitScale, logitBias, preprocess, tokenizer: tokenizerConfig } };
}

/** @returns undefined where another program wrote the file. @throws `format` for wrong types */
export const readOnnxHints = (config: unknown): OnnxHints | undefined =>
  readFields(hints, config, "config.json").clipt;

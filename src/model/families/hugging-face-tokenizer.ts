import { z } from "zod";
import type { ClipConfig } from "../config.js";
import type { TokenizerConfig } from "../tokenizer.js";
import { readFields } from "./fields.js";

const tokenizer = z.object({ tokenizer_class: z.string().nullish() });

/**
 * The tokenizer of transformers' CLIPModel or SiglipModel. SigLIP's own class cleans by itself; SigLIP 2 has Gemma's
 * tokenizer, over texts in lower case.
 *
 * @param json `tokenizer_config.json`; undefined where the file is absent
 * @throws     `format` for wrong types
 */
export function parseHuggingFaceTokenizer(json: unknown, { score, text }: ClipConfig): TokenizerConfig {
  const { tokenizer_class: name } = readFields(tokenizer, json ?? {}, "tokenizer_config.json");
  const context = text.contextLength;
  return score === "softmax"
    ? { kind: "clip-bpe", cleaning: "clip-transformers", pad: "end", context }
    : { kind: "hugging-face", lowerCase: /^(Gemma|Siglip2)/.test(name ?? ""), context };
}

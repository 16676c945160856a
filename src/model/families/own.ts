import { z } from "zod";
import type { PreprocessConfig } from "../../input/image/index.js";
import { CliptError } from "../../tensor/index.js";
import type { ClipConfig } from "../config.js";
import type { TokenizerConfig } from "../tokenizer.js";
import { readFields } from "./fields.js";
import { modelFields, preprocessFields, tokenizerFields } from "./own-fields.js";

const version = 1;

const stamp = z.object({ format: z.literal("clipt"), version: z.int() });
const own = z.object({ model: modelFields, preprocess: preprocessFields, tokenizer: tokenizerFields });

/** What clipt's own `config.json` says. */
export interface OwnConfig {
  readonly config: ClipConfig;
  readonly preprocess: PreprocessConfig;
  readonly tokenizer: TokenizerConfig;
}

/**
 * clipt's own `config.json`: its three configurations as they are.
 *
 * @throws `format` for wrong types, `unsupported` when a later version wrote it
 */
export function parseOwn(json: unknown): OwnConfig {
  const { version: written } = readFields(stamp, json, "config.json");
  if (written > version)
    throw new CliptError(
      "unsupported",
      `config.json has version ${written}; this clipt reads up to ${version}. A newer clipt reads it.`,
    );
  const { model, preprocess, tokenizer } = readFields(own, json, "config.json");
  return { config: model, preprocess, tokenizer };
}

/** The text of a `config.json` that `parseOwn` reads. */
export const writeOwn = ({ config, preprocess, tokenizer }: OwnConfig): string =>
  `${JSON.stringify({ format: "clipt", version, model: config, preprocess, tokenizer }, undefined, 2)}\n`;

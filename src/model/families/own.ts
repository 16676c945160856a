import { z } from "zod";
import type { PreprocessConfig } from "../../input/image/index.js";
import { CliptError } from "../../tensor/index.js";
import type { ClipConfig } from "../config.js";
import type { TokenizerConfig } from "../tokenizer.js";
import { imageTowers, textTowers } from "../towers/index.js";
import { count, readFields, sides } from "./fields.js";

const version = 1;

const tower = (kinds: object) => z.looseObject({ kind: z.enum(Object.keys(kinds)) });
const own = z.object({
  format: z.literal("clipt"),
  version: z.int(),
  model: z.looseObject({
    embedDim: count,
    image: tower(imageTowers),
    text: tower(textTowers),
    customText: z.boolean(),
    score: z.enum(["softmax", "sigmoid"]),
    initLogitScale: z.number(),
    initLogitBias: z.number().optional(),
  }),
  preprocess: z.looseObject({ size: sides }),
  tokenizer: z.looseObject({ kind: z.string() }),
});

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
  const cfg = readFields(own, json, "config.json");
  if (cfg.version > version)
    throw new CliptError(
      "unsupported",
      `config.json has version ${cfg.version}; this clipt reads up to ${version}. A newer clipt reads it.`,
    );
  // What the towers need of their numbers is checked by the shapes of the weights.
  const { model, preprocess, tokenizer } = cfg as unknown as Record<string, never>;
  return { config: model!, preprocess: preprocess!, tokenizer: tokenizer! };
}

/** The text of a `config.json` that `parseOwn` reads. */
export const writeOwn = ({ config, preprocess, tokenizer }: OwnConfig): string =>
  `${JSON.stringify({ format: "clipt", version, model: config, preprocess, tokenizer }, undefined, 2)}\n`;

import { z } from "zod";
import { CliptError } from "../../tensor/index.js";
import type { BertConfig } from "../towers/bert.js";
import { blockCountOrZero, count, countOrZero, idCount, readFields } from "./fields.js";
import { activationOf } from "./hugging-face.js";
import { numbered, shapeOf, type Shapes } from "./openai.js";

/** What a tower makes of an encoder's tokens; the encoder's own configuration does not tell it. */
export type BertUse = Pick<BertConfig, "contextLength" | "pool" | "projection">;

const encoder = z.object({
  model_type: z.string(),
  hidden_size: count.default(768),
  num_hidden_layers: blockCountOrZero.default(12),
  num_attention_heads: count.default(12),
  intermediate_size: count.default(3072),
  hidden_act: z.string().default("gelu"),
  max_position_embeddings: idCount.default(512),
  vocab_size: count.default(30522),
  type_vocab_size: count.default(2),
  layer_norm_eps: z.number().positive().default(1e-12),
  pad_token_id: countOrZero.nullish(),
  position_embedding_type: z.literal("absolute").default("absolute"),
});

/** DistilBERT calls the same things otherwise. */
const distilled = {
  hidden_size: "dim",
  num_hidden_layers: "n_layers",
  num_attention_heads: "n_heads",
  intermediate_size: "hidden_dim",
  hidden_act: "activation",
} as const;

/** Models by the manner in which they differ from BERT. */
const kinds: Readonly<Record<string, { readonly pad: number; readonly afterPad: boolean }>> = {
  bert: { pad: 0, afterPad: false },
  chinese_clip_text_model: { pad: 0, afterPad: false },
  distilbert: { pad: 0, afterPad: false },
  roberta: { pad: 1, afterPad: true },
  "xlm-roberta": { pad: 1, afterPad: true },
  camembert: { pad: 1, afterPad: true },
};

/**
 * transformers' configuration of a BERT-like encoder.
 *
 * @param where what it is called in messages
 * @throws      `format` for wrong types, `unsupported` for other encoders
 */
export function parseBert(json: object, where: string): Omit<BertConfig, keyof BertUse> {
  const { model_type: type } = readFields(z.object({ model_type: z.string() }), json, where);
  const kind = kinds[type];
  if (kind === undefined)
    throw new CliptError(
      "unsupported",
      `${where}: model_type "${type}" is none of ${Object.keys(kinds).join(", ")}.`,
    );
  const isDistilled = type === "distilbert";
  const given = json as Record<string, unknown>;
  const cfg = readFields(
    encoder,
    isDistilled ? { ...given, ...renamed(given), type_vocab_size: undefined } : given,
    where,
  );
  const padId = cfg.pad_token_id ?? kind.pad;
  if (padId >= cfg.vocab_size)
    throw new CliptError("format", `${where}: pad_token_id is ${padId}, of ${cfg.vocab_size} tokens.`);
  return {
    kind: "bert",
    vocabSize: cfg.vocab_size,
    positions: cfg.max_position_embeddings,
    positionsAfterPad: kind.afterPad,
    tokenTypes: isDistilled ? 0 : cfg.type_vocab_size,
    padId,
    layers: cfg.num_hidden_layers,
    width: cfg.hidden_size,
    heads: cfg.num_attention_heads,
    mlpWidth: cfg.intermediate_size,
    activation: activationOf(cfg.hidden_act, where),
    eps: cfg.layer_norm_eps,
  };
}

const renamed = (json: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(distilled).map(([ours, theirs]) => [ours, json[theirs]]));

/**
 * A BERT-like encoder without its configuration, from the shapes of its tensors. Heads are 64 wide, as in every
 * published one; RoBERTa and those after it have one token type, BERT has two.
 *
 * @param prefix what stands before "embeddings." and "encoder."
 * @throws       `unsupported` when it is another encoder, `format` when a tensor that tells a size is missing
 */
export function inferBert(shapes: Shapes, prefix: string): Omit<BertConfig, keyof BertUse> {
  const of = (name: string) => shapeOf(shapes, `${prefix}${name}.weight`, 2);
  if (!shapes.has(`${prefix}embeddings.word_embeddings.weight`))
    throw new CliptError("unsupported", "The text tower is none of BERT, RoBERTa and XLM-RoBERTa.");
  const [vocabSize, width] = of("embeddings.word_embeddings");
  const [tokenTypes] = of("embeddings.token_type_embeddings");
  const roberta = tokenTypes === 1;
  return {
    kind: "bert",
    vocabSize,
    positions: of("embeddings.position_embeddings")[0],
    positionsAfterPad: roberta,
    tokenTypes,
    padId: roberta ? 1 : 0,
    layers: numbered(shapes, `${prefix}encoder.layer.`),
    width,
    heads: Math.max(1, Math.trunc(width / 64)),
    mlpWidth: of("encoder.layer.0.intermediate.dense")[0],
    activation: "gelu",
    eps: roberta ? 1e-5 : 1e-12,
  };
}

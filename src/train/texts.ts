import {
  encodeText,
  packsTexts,
  readsPadding,
  type ClipConfig,
  type ClipWeights,
  type Spec,
} from "../model/index.js";
import { input } from "../graph/index.js";
import type { Tokenizer } from "../input/text/index.js";
import type { Program, Runtime } from "../runtime/index.js";
import { CliptError, f32, tensor, type Tensor } from "../tensor/index.js";
import { weightInputs } from "./step-graphs.js";
import { frozenPart } from "./tower.js";

/** What a training step reads of texts, one row each: ids, or values at a cut. */
export interface TextRows {
  rows(texts: readonly string[]): Promise<TextBatch>;
}

export interface TextBatch {
  readonly text: Tensor;
  /** How many ids of each text are not padding, where the tower can leave padding out. */
  readonly lengths?: readonly number[] | undefined;
}

/** Lengths of text batches are multiples of this: few enough shapes to compile, little padding. */
const lengthStep = 8;

/** Ids [texts, length], cut to the longest text of the batch where the tower does not read its padding. */
export function tokenRows(tokenizer: Tokenizer, config: ClipConfig): TextRows {
  const context = Math.min(config.text.contextLength, tokenizer.contextLength);
  const { pad } = tokenizer.identity().frame;
  return {
    rows: async (texts) => {
      const rows = texts.map((text) => tokenizer.encode(text, context).ids);
      const longest = rows.reduce((most, ids) => Math.max(most, ids.length), 1);
      const length = readsPadding(config)
        ? config.text.contextLength
        : Math.min(context, Math.ceil(longest / lengthStep) * lengthStep);
      const ids = new BigInt64Array(rows.length * length).fill(BigInt(pad));
      rows.forEach((row, i) => ids.set(row.map(BigInt), i * length));
      return {
        text: tensor("int64", [rows.length, length], ids),
        lengths: packsTexts(config) ? rows.map((row) => row.length) : undefined,
      };
    },
  };
}

export interface FrozenText {
  readonly runtime: Runtime;
  readonly config: ClipConfig;
  readonly spec: ClipWeights<Spec>;
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly cut: string;
}

/** Texts of one run of the frozen part. */
const atOnce = 64;

/** Values at a cut, computed once for each distinct text and kept. */
export function cutTextRows(tokens: TextRows, frozen: FrozenText): TextRows {
  const { runtime, config, spec, weights, cut } = frozen;
  const values = weightInputs({ spec, dtypeOf: (name) => weights.get(name)?.dtype ?? "float32" });
  const programs = new Map<number, Promise<Program>>();
  const kept = new Map<string, Float32Array>();

  const program = (length: number): Promise<Program> => {
    const known = programs.get(length);
    if (known !== undefined) return known;
    const ids = input("ids", [atOnce, length], "int64");
    const at = frozenPart((x, context) => encodeText(config, values, x, context), ids, "text", cut);
    if (at.shape.length !== 2)
      throw new CliptError("usage", `"${cut}" is no cut for texts: its rows have ${at.shape.length} axes.`);
    const compiled = runtime.compile({ at });
    programs.set(length, compiled);
    return compiled;
  };

  async function compute(texts: readonly string[]): Promise<void> {
    // A full batch whatever the number of texts is: one shape per length.
    const filled = [...texts, ...Array<string>(atOnce - texts.length).fill(texts[0]!)];
    const { text: ids } = await tokens.rows(filled);
    const compiled = await program(ids.shape[1]!);
    const feeds = Object.fromEntries(
      compiled.inputs.map((name) => [name, name === "ids" ? ids : weights.get(name)!]),
    );
    const { shape, data } = (await compiled.run(feeds))["at"]!;
    const width = shape[1]!;
    texts.forEach((text, i) => kept.set(text, (data as Float32Array).slice(i * width, (i + 1) * width)));
  }

  return {
    async rows(texts) {
      const missing = [...new Set(texts)].filter((text) => !kept.has(text));
      // Neighbours in length share a batch.
      missing.sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
      for (let i = 0; i < missing.length; i += atOnce) await compute(missing.slice(i, i + atOnce));
      const width = kept.get(texts[0]!)?.length ?? 0;
      const data = new Float32Array(texts.length * width);
      texts.forEach((text, i) => data.set(kept.get(text)!, i * width));
      return { text: f32([texts.length, width], data) };
    },
  };
}

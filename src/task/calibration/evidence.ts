import type { Encoder } from "../../model/index.js";
import {
  agreeing,
  countWords,
  dotProducts,
  ramp,
  type Explainer,
  type QueryTraits,
} from "../../score/index.js";
import { f32, type Tensor } from "../../tensor/index.js";
import { sum } from "../collection/combine.js";
import { rowsOf } from "../embeddings/embeddings.js";
import { encodeTexts } from "../encode-texts.js";
import type { Context } from "../task.js";
import { evidenceTexts } from "./evidence-texts.js";
import type { Judge } from "./judged-by.js";

/** A query as it is judged. */
export interface QueryEvidence {
  /** Of length 1. */
  readonly vector: Float32Array;
  readonly traits: QueryTraits;
}

/** Cosines of a query and an everyday word, from which it begins to be one, and is. */
const sameWord = { from: 0.92, to: 0.98 };

/** Queries as they are judged. */
export async function evidenceOf(
  queries: readonly string[],
  encoder: Encoder,
  { explain, everyday }: Judge,
  { signal }: Pick<Context, "signal">,
): Promise<QueryEvidence[]> {
  const read = await Promise.all(queries.map((query) => evidenceTexts(query, encoder.model)));
  const texts = [...new Set(read.flatMap(({ texts: own, bare }) => [...own, bare]))];
  // That a query is cut, the search said before.
  const rows = rowsOf((await encodeTexts(texts, encoder, { signal, emit: () => {} })).features);
  const rowOf = new Map(texts.map((text, i) => [text, rows[i]!]));
  return read.map(({ texts: own, bare }) => {
    const vector = sum(
      own.map((text) => rowOf.get(text)!),
      own.map(() => 1),
    );
    return { vector, traits: traitsOf(bare, rowOf.get(bare)!, vector, explain, everyday) };
  });
}

function traitsOf(
  bare: string,
  bareVector: Float32Array,
  vector: Float32Array,
  explain: Explainer,
  everyday: Tensor<"float32">,
): QueryTraits {
  const nearest = dotProducts(f32([1, bareVector.length], bareVector), everyday).reduce(
    (a, b) => Math.max(a, b),
    -1,
  );
  return {
    words: countWords(bare),
    everyday: ramp(nearest, sameWord),
    agreeing: agreeing(explain.weigh(vector)),
  };
}

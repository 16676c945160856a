import type { Encoder } from "../../model/index.js";
import {
  agreeing,
  countWords,
  dotProducts,
  lighter,
  ramp,
  type QueryTraits,
  type TextWeights,
} from "../../score/index.js";
import { f32 } from "../../tensor/index.js";
import { sum } from "../collection/combine.js";
import { rowsOf } from "../embeddings/embeddings.js";
import { encodeTexts } from "../encode-texts.js";
import type { Context } from "../task.js";
import { colouredThing } from "./bare-query.js";
import { evidenceTexts } from "./evidence-texts.js";
import type { Judge } from "./judged-by.js";

/** A query as it is judged. */
export interface QueryEvidence {
  /** Of length 1. */
  readonly vector: Float32Array;
  /** How much each reference text counts against it. */
  readonly weights: TextWeights;
  readonly traits: QueryTraits;
}

/** Cosines of a query and an everyday word, from which it begins to be one, and is. */
const sameWord = { from: 0.92, to: 0.98 };
/**
 * How much of an everyday word a thing with a colour is. Small models hardly see colours: a verdict between that of a word and
 * that of a name leaves most of them open.
 */
const colouredWord = 0.6;

/** Queries as they are judged. */
export async function evidenceOf(
  queries: readonly string[],
  encoder: Encoder,
  { explain, everyday }: Judge,
  { signal }: Pick<Context, "signal">,
): Promise<QueryEvidence[]> {
  const read = await Promise.all(queries.map((query) => evidenceTexts(query, encoder.model)));
  const things = read.map(({ bare }) => colouredThing(bare));
  const coloured = things.filter((thing) => thing !== undefined);
  const texts = [...new Set([...read.flatMap(({ texts: own, bare }) => [...own, bare]), ...coloured])];
  // That a query is cut, the search said before.
  const rows = rowsOf((await encodeTexts(texts, encoder, { signal, emit: () => {} })).features);
  const rowOf = new Map(texts.map((text, i) => [text, rows[i]!]));
  return read.map(({ texts: own, bare }, i) => {
    const vector = sum(
      own.map((text) => rowOf.get(text)!),
      own.map(() => 1),
    );
    const thing = things[i] === undefined ? undefined : rowOf.get(things[i])!;
    const weights = explain.weigh(vector);
    const nearest = dotProducts(f32([1, vector.length], rowOf.get(bare)!), everyday);
    const word = ramp(
      nearest.reduce((a, b) => Math.max(a, b), -1),
      sameWord,
    );
    // Jerseys are no rivals of a shirt, and so of none that is red.
    const against = thing === undefined ? weights : lighter(weights, explain.weigh(thing));
    return {
      vector,
      weights: against,
      traits: {
        words: countWords(bare),
        everyday: thing === undefined ? word : Math.max(word, colouredWord),
        place: explain.place(vector),
        agreeing: agreeing(against),
      },
    };
  });
}

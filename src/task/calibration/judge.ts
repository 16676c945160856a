import type { Encoder } from "../../model/index.js";
import {
  countWords,
  depth,
  dotProducts,
  explainer,
  hitLogits,
  hitProbabilities,
  presence,
  presenceLogit,
  verdictOf,
  type Calibration,
  type Evidence,
  type Explainer,
  type Verdict,
} from "../../score/index.js";
import { f32 } from "../../tensor/index.js";
import { sum } from "../collection/combine.js";
import { rowsOf, stackVectors } from "../embeddings/embeddings.js";
import { encodeTexts } from "../encode-texts.js";
import type { Context } from "../task.js";
import { evidenceTexts } from "./evidence-texts.js";
import { readPictures, type Found } from "./kept-rows.js";
import { referenceVectors, type ReferenceVectors } from "./reference-texts.js";

export interface Judgement {
  /** What marks are held against: sums before the sigmoid, by the model's own calibration. */
  readonly logits: { readonly present: number; hit(id: string): number | undefined };
  /** That anything in the collection matches. */
  readonly present: number;
  readonly verdict: Verdict;
  /** That this picture matches; undefined for pictures that were not given. */
  probability(id: string): number | undefined;
}

/**
 * Judges the nearest pictures of a text query.
 *
 * @param text  what `evidenceVector` says of the query
 * @param found the nearest pictures; `depth` of them, or all when there are fewer, tell whether anything matches
 * @param size  pictures in the collection
 */
export async function judge(
  calibration: Calibration,
  encoder: Encoder,
  { query, text }: { readonly query: string; readonly text: Float32Array },
  { found, size }: { readonly found: readonly Found[]; readonly size: number },
  context: Context,
): Promise<Judgement> {
  const explain = await explainerOf(encoder, context);
  const pictures = stackVectors(found.map(({ vector }) => vector));
  const cosines = dotProducts(f32([1, text.length], text), pictures);
  const order = found.map((_, i) => i).sort((a, b) => cosines[b]! - cosines[a]!);
  const rows = readPictures(explain, found);
  const sorted = order.map((i) => cosines[i]!);
  const margins = explain.margins(
    explain.weigh(text),
    sorted,
    order.map((i) => rows[i]!),
  );
  const nearest: Evidence = {
    cosines: sorted.slice(0, depth),
    margins: margins.slice(0, depth),
    size,
    words: countWords(query),
  };
  const present = found.length === 0 ? 0 : presence(calibration, nearest);
  const scores = { cosines: sorted, margins };
  const places = new Map(order.map((i, place) => [found[i]!.id, place]));
  /** Most ask for one of the two. */
  const lazily = (make: () => Float64Array) => {
    let values: Float64Array | undefined;
    return (id: string) => {
      const place = places.get(id);
      return place === undefined ? undefined : (values ??= make())[place];
    };
  };
  return {
    present,
    verdict: verdictOf(present),
    probability: lazily(() => hitProbabilities(calibration, nearest, scores)),
    logits: {
      present: presenceLogit(calibration, nearest),
      hit: lazily(() => hitLogits(calibration, nearest, scores)),
    },
  };
}

/** As a field of a result. */
export function probabilityOf(judgement: Judgement, id: string): { probability?: number } {
  const probability = judgement.probability(id);
  return probability === undefined ? {} : { probability };
}

/** The direction of a query as it is judged, of length 1. */
export async function evidenceVector(
  query: string,
  encoder: Encoder,
  { signal }: Pick<Context, "signal">,
): Promise<Float32Array> {
  const texts = await evidenceTexts(query, encoder.model);
  // That the query is cut, the search said before.
  const { features } = await encodeTexts(texts, encoder, { signal, emit: () => {} });
  const vectors = rowsOf(features);
  return sum(
    vectors,
    vectors.map(() => 1),
  );
}

const explainers = new WeakMap<ReferenceVectors, Explainer>();

export async function explainerOf(encoder: Encoder, context: Context): Promise<Explainer> {
  const vectors = await referenceVectors(encoder, context);
  const known = explainers.get(vectors) ?? explainer(vectors.texts, vectors.kinds);
  explainers.set(vectors, known);
  return known;
}

import type { Encoder } from "../../model/index.js";
import {
  depth,
  dotProducts,
  hitLogits,
  hitProbabilities,
  presence,
  presenceLogit,
  verdictOf,
  type Calibration,
  type Evidence,
  type Verdict,
} from "../../score/index.js";
import { f32 } from "../../tensor/index.js";
import { stackVectors } from "../embeddings/embeddings.js";
import type { Context } from "../task.js";
import { evidenceOf, type QueryEvidence } from "./evidence.js";
import { readPictures, type Found } from "./kept-rows.js";
import { judgeOf } from "./judged-by.js";

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
 * @param query what `queryEvidence` says of it
 * @param found the nearest pictures; `depth` of them, or all when there are fewer, tell whether anything matches
 * @param size  pictures in the collection
 */
export async function judge(
  calibration: Calibration,
  encoder: Encoder,
  { vector: text, weights, traits }: QueryEvidence,
  { found, size }: { readonly found: readonly Found[]; readonly size: number },
  context: Context,
): Promise<Judgement> {
  const { explain } = await judgeOf(encoder, context);
  const pictures = stackVectors(found.map(({ vector }) => vector));
  const cosines = dotProducts(f32([1, text.length], text), pictures);
  const order = found.map((_, i) => i).sort((a, b) => cosines[b]! - cosines[a]!);
  const read = readPictures(explain, found);
  const rows = order.map((i) => read[i]!);
  const sorted = order.map((i) => cosines[i]!);
  const margins = explain.margins(weights, sorted, rows);
  const nearest: Evidence = {
    cosines: sorted.slice(0, depth),
    margins: margins.slice(0, depth),
    size,
    traits,
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

/** A query as it is judged. */
export async function queryEvidence(
  query: string,
  encoder: Encoder,
  context: Context,
): Promise<QueryEvidence> {
  const [read] = await evidenceOf([query], encoder, await judgeOf(encoder, context), context);
  return read!;
}

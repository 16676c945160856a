import { depth } from "../../score/index.js";
import { parseFilter, type Hit } from "../../store/index.js";
import { queryEvidence, judge, type Judgement } from "../calibration/judge.js";
import type { Found } from "../calibration/kept-rows.js";
import { openCalibration } from "../calibration/open-calibration.js";
import type { Context } from "../task.js";
import type { Collection } from "./collection.js";

/** Results that get a probability; what comes after them is too far away to matter. */
const most = 200;

/**
 * Judges the nearest pictures of the whole collection, or of those that a condition leaves, with their vectors: at least
 * `judgedDepth` of them, or all.
 */
export type Judge = (hits: readonly Hit[]) => Promise<Judgement>;

/**
 * What tells how much the nearest pictures of a text query are worth. Undefined where the model has no calibration. It needs
 * no hits yet, so that its texts are encoded together with the query.
 *
 * @param where as `parseFilter` reads it
 */
export async function judgeOf(
  collection: Collection,
  query: string,
  where: string | undefined,
  context: Context,
): Promise<Judge | undefined> {
  const { store, encoder } = collection;
  const calibration = await openCalibration(encoder.model, store);
  if (calibration === undefined) return undefined;
  const [text, size] = await Promise.all([queryEvidence(query, encoder, context), sizeOf(collection, where)]);
  return (hits) => judge(calibration, encoder, text, { found: foundOf(hits.slice(0, most)), size }, context);
}

/** So many of the nearest pictures are needed to judge a query. */
export const judgedDepth = depth;

/** Hits whose vectors were asked for. */
export const foundOf = (hits: readonly Hit[]): Found[] =>
  hits.flatMap(({ id, vector }) => (vector === undefined ? [] : [{ id, vector }]));

async function sizeOf({ store, identity }: Collection, where: string | undefined): Promise<number> {
  if (where !== undefined) return store.count(parseFilter(where, await store.fields()));
  const sets = await store.sets();
  return sets.find((set) => set.identity === identity)?.count ?? 0;
}

import type { Fields, Hit } from "../../store/index.js";
import { CliptError } from "../../tensor/index.js";
import { probabilityOf } from "../calibration/judge.js";
import type { Context } from "../task.js";
import type { Collection } from "./collection.js";
import { byDate, relevant } from "./by-date.js";
import { combine, cosinesWith, sampleOf } from "./combine.js";
import { feedbackTerms } from "./feedback.js";
import { find } from "./find.js";
import { refinedResults, refinementsOf } from "./refinements.js";
import { partTerms, type Said } from "./part-terms.js";
import type { QueryPart } from "./query-part.js";
import { judgedDepth, judgeOf, type Judge } from "./relevance.js";

export interface CollectionQuery {
  readonly parts: readonly QueryPart[];
  /** Condition, as `parseFilter` reads it. */
  readonly where?: string | undefined;
  readonly k: number;
  /** Results to leave out before the first. Beyond the end there are none. */
  readonly offset?: number | undefined;
  /** "newest" and "oldest" put what is relevant in the order of its date. */
  readonly sort?: "score" | "newest" | "oldest" | undefined;
  /** Ids of results that are what was meant. */
  readonly like?: readonly string[] | undefined;
  /** Ids of results that are not. */
  readonly dislike?: readonly string[] | undefined;
  /** Whether words that would narrow the query are wanted. */
  readonly refine?: boolean | undefined;
  /** Decode pictures as the reference does. */
  readonly exact?: boolean | undefined;
}

export interface Result {
  readonly id: string;
  /** Cosine with the query's vector. */
  readonly score: number;
  /** That it is what was meant; absent where the model has no calibration. */
  readonly probability?: number;
  readonly fields: Fields;
}

export interface CollectionAnswer {
  readonly results: readonly Result[];
  /** Whether anything here is what was meant; absent where the model has no calibration. */
  readonly match?: { readonly probability: number; readonly verdict: "matches" | "unsure" | "nothing" };
  /** Texts of the query whose end the model did not read; absent when it read all. */
  readonly truncated?: readonly string[];
  /** Words that would narrow the query; present when they were asked for. */
  readonly refinements?: readonly string[];
}

/** Relevant pictures are looked for among so many of the best. */
const datedPool = 1000;

/**
 * Pictures of an index that answer a query, best first. Items that are parts of the query, and those that were marked with no,
 * are not among them. Pages are cuts of one list, as long as the index stays as it is.
 *
 * @throws `input` for a query that says nothing, a filter that cannot be read, a picture that cannot be used;
 *         `missing` for an item that is not in the index
 */
export async function ask(
  collection: Collection,
  query: CollectionQuery,
  context: Context,
): Promise<CollectionAnswer> {
  const [answer] = await askAll(collection, [query], context);
  return answer!;
}

/** The same for many queries, whose texts are encoded together. */
export async function askAll(
  collection: Collection,
  queries: readonly CollectionQuery[],
  context: Context,
): Promise<CollectionAnswer[]> {
  queries.forEach(checkRange);
  const judges = queries.map((query) => {
    const text = onlyText(query);
    return text === undefined ? undefined : judgeOf(collection, text, query.where, context);
  });
  // Whoever comes to its query is told.
  for (const judge of judges) judge?.catch(() => {});
  const said = await partTerms(collection, queries, context);
  const answers: CollectionAnswer[] = [];
  for (const [i, query] of queries.entries()) {
    context.signal.throwIfAborted();
    answers.push(await answer(collection, query, said[i]!, judges[i], context));
  }
  return answers;
}

async function answer(
  collection: Collection,
  query: CollectionQuery,
  { terms: parts, truncated }: Said,
  judging: Promise<Judge | undefined> | undefined,
  context: Context,
): Promise<CollectionAnswer> {
  const { k, offset = 0, where, sort = "score", refine = false } = query;
  const terms = [...parts, ...(await feedbackTerms(collection, query, parts))];
  if (terms.length === 0) throw new CliptError("input", "The query is empty.");
  const vector = await combine(terms, collection);

  const hidden = new Set([...query.parts.flatMap(({ item }) => item ?? []), ...(query.dislike ?? [])]);
  const wanted = Math.max(
    sort === "score" ? offset + k : datedPool,
    refine ? refinedResults : 0,
    judging === undefined ? 0 : judgedDepth,
  );
  const found = await find(collection, vector, {
    k: wanted + hidden.size,
    where,
    ...(judging !== undefined && { vectors: true }),
  });
  const hits = found.filter(({ id }) => !hidden.has(id));
  const wantedTexts = query.parts.flatMap(({ text, weight }) => (weight > 0 ? (text ?? []) : []));
  const ids = hits.map(({ id }) => id);
  const results = await page(hits, query, vector, collection);
  const relevance = await (await judging)?.(hits);
  return {
    results: results.map(({ id, score, fields }) => ({
      id,
      score,
      ...(relevance && probabilityOf(relevance, id)),
      fields,
    })),
    ...(relevance && { match: { probability: relevance.present, verdict: relevance.verdict } }),
    ...(truncated.length > 0 && { truncated }),
    ...(refine && { refinements: await refinementsOf(collection, wantedTexts, ids, context) }),
  };
}

/** The text of a query that is nothing else: what pictures and several parts look for, no calibration has learned. */
function onlyText({ parts, like = [], dislike = [] }: CollectionQuery): string | undefined {
  const [part] = parts;
  const plain = parts.length === 1 && part!.weight > 0 && like.length === 0 && dislike.length === 0;
  return plain ? part!.text : undefined;
}

async function page(
  hits: readonly Hit[],
  { k, offset = 0, sort = "score" }: CollectionQuery,
  vector: Float32Array,
  collection: Collection,
): Promise<readonly Hit[]> {
  if (sort === "score") return hits.slice(offset, offset + k);
  const { mean } = cosinesWith(vector, await sampleOf(collection));
  return byDate(relevant(hits, mean), sort).slice(offset, offset + k);
}

function checkRange({ k, offset = 0 }: CollectionQuery): void {
  for (const [name, value, least] of [
    ["k", k, 1],
    ["offset", offset, 0],
  ] as const)
    if (!Number.isInteger(value) || value < least)
      throw new CliptError("input", `${name} must be a whole number from ${least}, not ${value}.`);
}

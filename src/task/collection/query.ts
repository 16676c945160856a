import type { Fields, Hit } from "../../store/index.js";
import { CliptError } from "../../tensor/index.js";
import type { Context } from "../task.js";
import type { Collection } from "./collection.js";
import { combine } from "./combine.js";
import { find } from "./find.js";
import { partVectors } from "./part-vectors.js";
import type { QueryPart } from "./query-part.js";

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
  /** Words that would narrow the query; present when they were asked for. */
  readonly refinements?: readonly string[];
}

/**
 * Pictures of an index that answer a query, best first. Items that are parts of the query are not among them.
 *
 * @throws `input` for a query without parts, a filter that cannot be read, a picture that cannot be used;
 *         `missing` for an item that is not in the index
 */
export async function ask(
  collection: Collection,
  query: CollectionQuery,
  context: Context,
): Promise<CollectionAnswer> {
  checkRange(query);
  const vectors = await partVectors(collection, query.parts, query.exact === true, context);
  const vector = await combine(query.parts, vectors, collection);
  const own = new Set(query.parts.flatMap(({ item }) => item ?? []));
  const { k, offset = 0, where } = query;
  const hits = await find(collection, vector, { k: offset + k + own.size, where });
  return { results: hits.filter(({ id }: Hit) => !own.has(id)).slice(offset, offset + k) };
}

function checkRange({ k, offset = 0 }: CollectionQuery): void {
  for (const [name, value, least] of [
    ["k", k, 1],
    ["offset", offset, 0],
  ] as const)
    if (!Number.isInteger(value) || value < least)
      throw new CliptError("input", `${name} must be a whole number from ${least}, not ${value}.`);
}

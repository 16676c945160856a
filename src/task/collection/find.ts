import { parseFilter, type Hit } from "../../store/index.js";
import type { Collection } from "./collection.js";

export interface FindOptions {
  readonly k: number;
  readonly offset?: number;
  /** As `parseFilter` reads it. */
  readonly where?: string | undefined;
  /** Give the vectors of the hits, too. */
  readonly vectors?: boolean;
}

/**
 * The pictures of an index that are nearest to a vector, best first.
 *
 * @throws `input` for a filter that cannot be read
 */
export async function find(
  { store, identity }: Collection,
  vector: Float32Array,
  { where, ...range }: FindOptions,
): Promise<readonly Hit[]> {
  const filter = where === undefined ? undefined : parseFilter(where, await store.fields());
  return store.query({ identity, vector, ...range, ...(filter && { where: filter }) });
}

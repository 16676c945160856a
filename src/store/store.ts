import type { Fields, FieldType } from "./fields.js";
import type { Filter } from "./filter.js";

/** One thing that is found: for clipt's own index, a picture in a folder. */
export interface Item {
  /** Any text that is not empty. */
  readonly id: string;
  /** Fields that are not there are absent: they have no value and match no comparison. */
  readonly fields: Fields;
  /** By the identity of the model that made them; unit length. */
  readonly vectors?: Readonly<Record<string, Float32Array>>;
}

/** Vectors of one model. A store holds any number of sets side by side; no item needs to be in all of them. */
export interface VectorSet {
  /** `identity` of the model: equal identities, comparable vectors. */
  readonly identity: string;
  readonly dim: number;
  /** Items that have a vector in the set. */
  readonly count: number;
  /** How the set is searched, and how well; absent while every vector is compared. */
  readonly index?: VectorIndex;
}

export interface VectorIndex {
  /** The engine's word: "hnsw", "ivf". */
  readonly kind: string;
  /** Share of the true ten nearest that it finds, measured on `sample` of the set's own vectors when it was built. */
  readonly recall: number;
  readonly sample: number;
  /** Vectors that came later: they are compared one by one until the next `compact`. */
  readonly outside: number;
}

export interface Query {
  readonly identity: string;
  /** [dim]; any length but zero. */
  readonly vector: Float32Array;
  readonly k: number;
  /** Hits to leave out before the first. */
  readonly offset?: number;
  readonly where?: Filter;
  /** Compares every vector, whatever index there is. */
  readonly exact?: boolean;
  /** Give the vectors of the hits, too. */
  readonly vectors?: boolean;
}

export interface Hit {
  readonly id: string;
  /** Cosine. */
  readonly score: number;
  readonly fields: Fields;
  /** Of length 1; present when it was asked for. */
  readonly vector?: Float32Array;
}

export interface Listing {
  readonly where?: Filter;
  /** Items without the field come last; equal ones, and all when there is no order, go by id. */
  readonly order?: { readonly field: string; readonly descending?: boolean };
  readonly limit: number;
  readonly offset?: number;
  /** Only items without a vector in this set. */
  readonly lacking?: string;
  /** Give the vectors of this set, too. */
  readonly identity?: string;
}

export interface Scan {
  readonly where?: Filter;
  /** Only items without a vector in this set. */
  readonly lacking?: string;
  /** Give the vectors of this set, too. */
  readonly identity?: string;
  /** Give these fields only. */
  readonly fields?: readonly string[];
}

/**
 * Vectors and what is known of them. Each engine passes `store-suite.ts`.
 *
 * What a resolved promise reported survives the death of the process. Calls may overlap; writes happen in the order of
 * the calls. All methods throw `io` when the engine or the disk refuses, and `usage` after `close`.
 */
export interface Store {
  /** Where it is, without secrets. */
  readonly url: string;
  /** As long as it stays equal, nothing was written, whoever writes. It may change without that. */
  version(): Promise<string>;

  /** The fields that any item has had, with their types. */
  fields(): Promise<Readonly<Record<string, FieldType>>>;
  /**
   * Makes fields known before the first value; known ones must have the same type. A field that an item brings unannounced
   * becomes known by its value; a number is then a "number".
   *
   * @throws `input` for another type, or a name that is not a letter followed by letters, digits and `_`
   */
  declare(fields: Readonly<Record<string, FieldType>>): Promise<void>;

  sets(): Promise<readonly VectorSet[]>;
  /** Makes an empty set; does nothing when it is there. @throws `input` when it is there with another `dim` */
  addSet(set: { readonly identity: string; readonly dim: number }): Promise<void>;
  /** Drops a set's vectors; the items stay. Does nothing when it is not there. */
  dropSet(identity: string): Promise<void>;

  /**
   * Adds items, or replaces those with the same id: fields entirely, vectors set by set (sets that the item does not name
   * keep theirs). All of a call or nothing of it is stored. Of equal ids in one call, the last counts; no items do nothing.
   *
   * @throws `input` for a vector of a set that is not there, of another length, not finite or zero, and a field of another type
   */
  upsert(items: readonly Item[]): Promise<void>;
  /** In the order of the ids; undefined for one that is not there. Vectors of the set when `identity` is given. */
  get(ids: readonly string[], identity?: string): Promise<readonly (Item | undefined)[]>;
  /**
   * Best first, equal scores by id; items without a vector in the set are not found. Fewer than k when there are fewer.
   *
   * @throws `input` for a set that is not there (mixing models is refused), another length, an unknown field in `where`
   */
  query(query: Query): Promise<readonly Hit[]>;
  /** The hits of each vector as `query` gives them; one pass for all of them where the engine has it. */
  queryMany(
    vectors: readonly Float32Array[],
    query: Omit<Query, "vector">,
  ): Promise<readonly (readonly Hit[])[]>;
  /** @throws `input` for an unknown field */
  list(listing: Listing): Promise<readonly Item[]>;
  /**
   * All items that are meant, in any order, a few thousand at a time: memory does not grow with their number. What is written
   * meanwhile may be among them or not.
   *
   * @throws `input` for an unknown field
   */
  scan(scan?: Scan): AsyncIterable<readonly Item[]>;
  /** @throws `input` for an unknown field */
  count(where?: Filter): Promise<number>;
  /** Ids that are not there count as deleted. */
  delete(ids: readonly string[]): Promise<void>;

  /** Small JSON values beside the items: calibrations, a collection's settings. Undefined when it was never written. */
  readDocument(name: string): Promise<unknown>;
  /** Replaces; `undefined` deletes. */
  writeDocument(name: string, value: unknown): Promise<void>;

  /**
   * Takes in what was written since the last time: builds or renews the vector indexes that the sizes deserve, measures
   * their recall, frees space. Searching and writing go on meanwhile.
   */
  compact(progress?: (stage: string, done: number, total: number) => void): Promise<void>;
  close(): Promise<void>;
}

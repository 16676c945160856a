import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { topK, type Hit } from "../src/score/index.js";
import { f32, random, type Random, type Tensor } from "../src/tensor/index.js";

/** Vectors, queries and the true nearest of each, in files that another program can read, too. */
export interface SearchData {
  readonly count: number;
  readonly dim: number;
  /** Little-endian float32, [count, dim], unit length. */
  readonly vectors: string;
  /** The same of the queries. */
  readonly queries: string;
  /** JSON: `Truth`. */
  readonly truth: string;
}

/** Rows of the ten nearest of each query, best first. */
export interface Truth {
  readonly all: readonly (readonly number[])[];
  /** Among the rows of `wantedGroup` only. */
  readonly inGroup: readonly (readonly number[])[];
  /** Among the rows of the group with the query's own number, of query 107 those of group 7. */
  readonly inOwn: readonly (readonly number[])[];
}

/** Row i is in group i % 100: a filter on one of them lets 1 % through. */
export const groups = 100;
export const wantedGroup = 7;
const nearest = 10;
const blockRows = 10_000;

/**
 * Vectors around one centre for each hundred of them, as pictures lie around what they show: cosines of 0.74 within a cluster,
 * and nearly 0 between two. Queries are new members of clusters. Files that are there already are kept.
 */
export function searchData(folder: string, count: number, dim: number, queries: number): SearchData {
  mkdirSync(folder, { recursive: true });
  const at = (name: string): string => join(folder, `${count}x${dim}-${name}`);
  const data = {
    count,
    dim,
    vectors: at("vectors.f32"),
    queries: at(`queries-${queries}.f32`),
    truth: at(`nearest-${queries}.json`),
  };
  const centres = unitRows(random(["centres", count, dim]), Math.ceil(count / 100), dim);
  if (!existsSync(data.vectors)) {
    const file = openSync(at("unfinished"), "w");
    for (let from = 0; from < count; from += blockRows)
      writeSync(file, members(random(["rows", from]), centres, Math.min(blockRows, count - from), dim));
    closeSync(file);
    renameSync(at("unfinished"), data.vectors);
  }
  if (!existsSync(data.queries))
    writeFileSync(data.queries, members(random("queries"), centres, queries, dim));
  if (!existsSync(data.truth)) writeFileSync(data.truth, JSON.stringify(trueNearest(data)));
  return data;
}

/** The rows of a file, block by block. */
export function* readRows({ vectors, dim }: SearchData): Generator<{ from: number; rows: Float32Array[] }> {
  const file = openSync(vectors, "r");
  try {
    for (let from = 0; ; from += blockRows) {
      const block = new Float32Array(blockRows * dim);
      const bytes = readSync(file, block, 0, block.byteLength, from * dim * 4);
      const rows = Array.from({ length: bytes / 4 / dim }, (_, i) => block.subarray(i * dim, (i + 1) * dim));
      if (rows.length === 0) return;
      yield { from, rows };
    }
  } finally {
    closeSync(file);
  }
}

export function readQueries({ queries, dim }: SearchData): Float32Array[] {
  const bytes = readFileSync(queries);
  const all = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  return Array.from({ length: all.length / dim }, (_, i) => all.slice(i * dim, (i + 1) * dim));
}

function trueNearest(data: SearchData): Truth {
  const asked = readQueries(data);
  const tensor = (rows: readonly Float32Array[]): Tensor<"float32"> => {
    const block = new Float32Array(rows.length * data.dim);
    rows.forEach((row, i) => block.set(row, i * data.dim));
    return f32([rows.length, data.dim], block);
  };
  const none = (): Hit[][] => asked.map(() => []);
  const best = { all: none(), inGroup: none(), inOwn: none() };
  /** Queries that `of` names meet the rows of a block that `among` names. */
  const take = (
    into: Hit[][],
    { from, rows }: { from: number; rows: readonly Float32Array[] },
    of: (query: number) => boolean = () => true,
    among: (row: number) => boolean = () => true,
  ): void => {
    const queries = [...asked.keys()].filter(of);
    const places = [...rows.keys()].filter((i) => among(from + i));
    const found = topK(tensor(queries.map((q) => asked[q]!)), tensor(places.map((i) => rows[i]!)), nearest);
    for (const [i, q] of queries.entries())
      into[q] = [
        ...into[q]!,
        ...found[i]!.map(({ index, score }) => ({ index: from + places[index]!, score })),
      ]
        .sort((a, b) => b.score - a.score)
        .slice(0, nearest);
  };
  const isIn = (group: number) => (number: number) => number % groups === group;
  for (const block of readRows(data)) {
    take(best.all, block);
    take(best.inGroup, block, undefined, isIn(wantedGroup));
    for (let group = 0; group < Math.min(groups, asked.length); group++)
      take(best.inOwn, block, isIn(group), isIn(group));
  }
  const indexes = (lists: Hit[][]): number[][] => lists.map((hits) => hits.map(({ index }) => index));
  return { all: indexes(best.all), inGroup: indexes(best.inGroup), inOwn: indexes(best.inOwn) };
}

/** [rows, dim] of unit rows in random directions. */
function unitRows(rng: Random, rows: number, dim: number): Float32Array {
  const result = Float32Array.from({ length: rows * dim }, () => rng.normal());
  for (let i = 0; i < result.length; i += dim) toUnit(result.subarray(i, i + dim));
  return result;
}

/** Members of random clusters: a centre, and noise that is 0.6 times as long. */
function members(rng: Random, centres: Float32Array, rows: number, dim: number): Float32Array {
  const result = new Float32Array(rows * dim);
  const noise = 0.6 / Math.sqrt(dim);
  for (let row = 0; row < rows; row++) {
    const centre = dim * rng.int(centres.length / dim);
    for (let i = 0; i < dim; i++) result[row * dim + i] = centres[centre + i]! + noise * rng.normal();
    toUnit(result.subarray(row * dim, (row + 1) * dim));
  }
  return result;
}

function toUnit(row: Float32Array): void {
  let sum = 0;
  for (const x of row) sum += x * x;
  const length = Math.sqrt(sum);
  for (let i = 0; i < row.length; i++) row[i]! /= length;
}

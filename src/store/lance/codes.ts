import type { Table } from "@lancedb/lancedb";
import { codedBytes, codeRows, type CodedRows } from "../../score/index.js";
import { someVectors } from "./indexes.js";
import { quoted } from "./sql.js";

/** Memory for the codes of one set; a larger set has none. */
const mostBytes = 512 * 2 ** 20;
/** Rows that columns' means and deviations are taken from. */
const sampleSize = 1024;

/** The vectors of a set in four bits a number, in memory, as they were at one version of the table. */
export class Codes {
  private constructor(
    readonly version: number,
    readonly count: number,
    private readonly rows: CodedRows,
    /** For each fragment, by the row in it: one more than its place among the codes; 0 where a row has no vector. */
    private readonly places: ReadonlyMap<number, Uint32Array>,
  ) {}

  /** Reads all vectors of a column. @returns undefined when there are too many, something is written meanwhile, or `stopped` */
  static async read(items: Table, column: string, stopped: () => boolean): Promise<Codes | undefined> {
    const version = await items.version();
    const present = `${quoted(column)} IS NOT NULL`;
    const count = await items.countRows(present);
    const sample = await someVectors(items, column, count, sampleSize);
    const width = sample[0]?.length ?? 0;
    const rows = count * codedBytes(width) > mostBytes ? undefined : codeRows(count, width, sample);
    if (rows === undefined) return undefined;
    const ids = new BigUint64Array(count);
    let read = 0;
    for await (const batch of items.query().where(present).select([column]).withRowId()) {
      if (stopped() || read + batch.numRows > count) return undefined;
      ids.set(batch.getChild(rowId)!.toArray() as BigUint64Array, read);
      rows.set(read, batch.getChild(column)!.getChildAt(0)!.toArray() as Float32Array);
      read += batch.numRows;
    }
    return (await items.version()) === version ? new Codes(version, count, rows, placesOf(ids)) : undefined;
  }

  /** For each vector, the `k` nearest of some rows, as far as codes tell. */
  nearest(ids: BigUint64Array, vectors: readonly Float32Array[], k: number): bigint[][] {
    const halves = halvesOf(ids);
    const [known, places] = [new Uint32Array(ids.length), new Uint32Array(ids.length)];
    let [fragment, count] = [-1, 0];
    let inFragment: Uint32Array | undefined;
    for (let i = 0; i < ids.length; i++) {
      if (halves[2 * i + 1] !== fragment) {
        fragment = halves[2 * i + 1]!;
        inFragment = this.places.get(fragment);
      }
      const place = inFragment?.[halves[2 * i]!] ?? 0;
      if (place === 0) continue;
      known[count] = i;
      places[count++] = place - 1;
    }
    const among = places.subarray(0, count);
    return vectors.map((vector) => this.rows.nearest(vector, among, k).map((i) => ids[known[i]!]!));
  }
}

export const rowId = "_rowid";

/** Of each id the row in its fragment, then the fragment. */
const halvesOf = (ids: BigUint64Array): Uint32Array =>
  new Uint32Array(ids.buffer, ids.byteOffset, 2 * ids.length);

function placesOf(ids: BigUint64Array): Map<number, Uint32Array> {
  const halves = halvesOf(ids);
  const sizes = new Map<number, number>();
  for (let i = 0; i < halves.length; i += 2)
    sizes.set(halves[i + 1]!, Math.max(sizes.get(halves[i + 1]!) ?? 0, halves[i]! + 1));
  const places = new Map([...sizes].map(([fragment, size]) => [fragment, new Uint32Array(size)]));
  for (let i = 0; i < ids.length; i++) places.get(halves[2 * i + 1]!)![halves[2 * i]!] = i + 1;
  return places;
}

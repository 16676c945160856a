import type { Table } from "@lancedb/lancedb";
import { Codes, rowId } from "./codes.js";
import { candidates } from "./indexes.js";
import type { Asked } from "./nearest.js";
import { plain, vectorOf, type FoundRow } from "./rows.js";

/** Searches with a condition, of one process, after which a set's codes are read. */
const worthReading = 10;
/** The same after something was written: about as many lose by having no codes what reading them takes. */
const worthReadingAgain = 200;
/** Rows, and their share of all, beyond which the engine's own search is as quick. */
const [mostRows, mostShare] = [100_000, 0.1];
/** Rows that are compared exactly at least. */
const leastCandidates = 16;
/** Row ids that the engine hands over at once. */
const idsAtOnce = 2 ** 16;
/** Conditions that are remembered. */
const mostWide = 100;

/** What is known of a set's column. */
interface Known {
  codes: Codes | undefined;
  reading: Promise<void> | undefined;
  /** Searches that found no codes, and how many are worth reading them. */
  missed: number;
  worth: number;
  /** Conditions that too many rows meet. */
  readonly wide: Set<string>;
}

/**
 * Searches among few: the rows that meet a condition, by codes of all vectors in memory. The engine's index looks at the codes of
 * all groups then, and asks of each code whether its row is meant.
 *
 * Codes are read behind the searches of one process, and serve until something is written.
 */
export class Few {
  /** By column. */
  private readonly known = new Map<string, Known>();
  private closed = false;

  constructor(
    private readonly items: Table,
    private readonly local: boolean,
    private readonly share = mostShare,
  ) {}

  /**
   * For each vector the rows that are nearest, with `_distance` and `query_index`, in any order.
   *
   * @returns undefined where there are no codes (yet), or many rows meet the condition
   */
  async nearest(
    { vectors, column, columns, wanted }: Asked,
    condition: string,
  ): Promise<FoundRow[] | undefined> {
    const { codes, wide } = await this.of(column);
    if (codes === undefined || wide.has(condition)) return undefined;
    try {
      const mostIds = Math.min(mostRows, this.share * codes.count);
      const ids = await this.meeting(condition, mostIds);
      if (ids.length > mostIds) {
        if (wide.size >= mostWide) wide.clear();
        wide.add(condition);
        return undefined;
      }
      const most = Math.max(leastCandidates, candidates * wanted);
      const near = codes.nearest(ids, vectors, most);
      const rows = await this.take([...new Set(near.flat())], [...columns, column]);
      if ((await this.items.version()) !== codes.version) return undefined;
      return near.flatMap((ids, i) =>
        ids.map((id) => {
          const row = rows.get(id)!;
          return { ...row, query_index: i, _distance: 1 - cosine(vectors[i]!, vectorOf(row[column])!) };
        }),
      );
    } catch (error) {
      // What was found may be gone before it is read.
      if ((await this.items.version()) === codes.version) throw error;
      return undefined;
    }
  }

  async close(): Promise<void> {
    this.closed = true;
    for (const { reading } of this.known.values()) await reading;
  }

  /** What is known of a column now; its codes soon, when they are worth it. */
  private async of(column: string): Promise<Known> {
    const version = await this.items.version();
    const known: Known = this.known.get(column) ?? {
      codes: undefined,
      reading: undefined,
      missed: 0,
      worth: worthReading,
      wide: new Set(),
    };
    this.known.set(column, known);
    if (known.codes?.version === version) return known;
    // What was written makes all codes old, also those of a set that nobody asks any more.
    for (const each of this.known.values()) if (each.codes?.version !== version) each.codes = undefined;
    known.wide.clear();
    const worth = ++known.missed >= known.worth && this.local && !this.closed;
    if (!worth || known.reading !== undefined) return known;
    known.missed = 0;
    known.worth = worthReadingAgain;
    known.reading = Codes.read(this.items, column, () => this.closed)
      .then((codes) => void (known.codes = codes))
      // Whatever it was, a search says it.
      .catch(() => {})
      .finally(() => (known.reading = undefined));
    return known;
  }

  /** Ids of the rows that meet a condition, at most one more than `most`. */
  private async meeting(condition: string, most: number): Promise<BigUint64Array> {
    const query = this.items.query().where(condition).select([rowId]);
    const table = await query.limit(Math.floor(most) + 1).toArrow({ maxBatchLength: idsAtOnce });
    return (table.getChild(rowId)?.toArray() as BigUint64Array | undefined) ?? new BigUint64Array();
  }

  private async take(ids: bigint[], columns: string[]): Promise<Map<bigint, Record<string, unknown>>> {
    const found =
      ids.length === 0 ? [] : await this.items.takeRowIds(ids).select(columns).withRowId().toArray();
    return new Map((found as object[]).map(plain).map((row) => [row[rowId] as bigint, row]));
  }
}

function cosine(a: Float32Array, b: Float32Array): number {
  let [dot, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    dot += a[i]! * b[i]!;
    aa += a[i]! * a[i]!;
    bb += b[i]! * b[i]!;
  }
  return dot / Math.sqrt(aa * bb);
}

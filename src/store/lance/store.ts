import "./quiet-log.js";
import { mkdir } from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises";
import { connect, type Table } from "@lancedb/lancedb";
import { CliptError, messageOf } from "../../tensor/index.js";
import {
  checkDeclared,
  checkItems,
  checkQuery,
  checkSet,
  lastOfEach,
  requireFields,
  requireSet,
} from "../check-items.js";
import { diskFull } from "../disk-full.js";
import { checkFilter, type Filter } from "../filter.js";
import type { Hit, Item, Listing, Scan, Store, VectorSet } from "../store.js";
import { indexFields, indexStats, indexVectors, type Measured } from "./indexes.js";
import { fieldsOf, toTable, vectorOf, type Row } from "./rows.js";
import { Layouts, openDocuments, openItems } from "./schema.js";
import { plainCause } from "./plain-cause.js";
import { columnOf, oneOf, quoted, toCondition } from "./sql.js";

/** Ids in one condition: a condition is parsed as a whole. */
const idsAtOnce = 1000;

/**
 * A store in a folder, or in object storage (`s3://…`, `gs://…`, `az://…`): one table of LanceDB, a column for each field
 * and each set of vectors. A write is one new version of the table, so it is there entirely or not at all.
 *
 * @throws `io` when the place cannot be used
 */
export async function lanceStore(url: string): Promise<Store> {
  const place = url.replace(/^lance:(\/\/)?/, "");
  if (!/^[a-z0-9]+:\/\//i.test(place))
    await mkdir(place, { recursive: true, mode: 0o700 }).catch(refused(url));
  const db = await connect(place, { readConsistencyInterval: 0 }).catch(refused(url));
  const items = await openItems(db).catch(refused(url));
  const { documents, table: documentTable } = await openDocuments(db).catch(refused(url));
  const layouts = new Layouts(items, documents);
  await layouts.refresh().catch(refused(url));
  return new LanceStore(url, items, documents, layouts, () => {
    items.close();
    documentTable.close();
    db.close();
  });
}

const refused =
  (url: string) =>
  (cause: unknown): never => {
    if (cause instanceof CliptError) throw cause;
    throw new CliptError(
      "io",
      isFull(cause) ? diskFull(url) : `The index at ${url} cannot be used: ${plainCause(cause)}`,
      {
        cause,
      },
    );
  };

/** What a search for several vectors gives; of one vector, without its place. */
type FoundRow = { id: string; _distance: number; query_index?: number } & Record<string, unknown>;

const isFull = (cause: unknown): boolean =>
  /ENOSPC|No space left|os error 28\b|disk quota|os error 122\b/i.test(messageOf(cause));

/** A row as Arrow gives it. */
type RawRow = { id: string } & Record<string, unknown>;
type DocumentStore = Awaited<ReturnType<typeof openDocuments>>["documents"];

class LanceStore implements Store {
  private closed = false;
  /** The last write; the next one waits for it. */
  private writing: Promise<unknown> = Promise.resolve();
  private readonly efforts = new Map<string, number>();

  constructor(
    readonly url: string,
    private readonly items: Table,
    private readonly documents: DocumentStore,
    private readonly layouts: Layouts,
    private readonly free: () => void,
  ) {}

  version = () =>
    this.read(async () => (await Promise.all([this.items.version(), this.documents.version()])).join(" "));
  fields = () => this.read(async () => (await this.fresh()).fields);
  declare: Store["declare"] = (fields) =>
    this.write(async () => this.layouts.addFields(checkDeclared(fields, (await this.fresh()).fields)));

  sets = () =>
    this.read(async () => Promise.all(Object.keys((await this.fresh()).sets).map((id) => this.describe(id))));
  addSet: Store["addSet"] = (set) =>
    this.write(async () => {
      await this.layouts.refresh();
      checkSet(set, this.layouts.dims);
      if (!this.layouts.dims.has(set.identity)) await this.layouts.addSet(set.identity, set.dim);
    });
  dropSet: Store["dropSet"] = (identity) =>
    this.write(async () => {
      await this.layouts.refresh();
      await this.layouts.dropSet(identity);
    });

  upsert: Store["upsert"] = (given) =>
    this.write(async () => {
      if (given.length === 0) return;
      const rows = lastOfEach(given);
      await this.know(rows.flatMap(({ vectors }) => Object.keys(vectors ?? {})));
      await this.layouts.addFields(checkItems(rows, this.layouts.dims, this.layouts.current.fields));
      const { fields, sets } = this.layouts.current;
      const named = Object.entries(sets).filter(([identity]) =>
        rows.some(({ vectors }) => vectors?.[identity]),
      );
      const kept = await this.kept(
        rows,
        named.map(([identity]) => identity),
      );
      const table = toTable(
        rows.map(({ id, fields, vectors = {} }): Row => ({
          id,
          fields,
          vectors: new Map(
            named.flatMap(([identity, { column }]) => {
              const vector = vectors[identity] ?? kept.get(id)?.vectors?.[identity];
              return vector === undefined ? [] : [[column, vector] as const];
            }),
          ),
        })),
        fields,
        new Map(named.map(([, { column, dim }]) => [column, dim])),
      );
      await this.items.mergeInsert("id").whenMatchedUpdateAll().whenNotMatchedInsertAll().execute(table);
    });

  get: Store["get"] = (ids, identity) =>
    this.read(async () => {
      if (identity !== undefined) await this.requireSet(identity);
      const found = new Map((await this.fetch([...new Set(ids)], identity)).map((item) => [item.id, item]));
      return ids.map((id) => found.get(id));
    });

  query: Store["query"] = async ({ vector, ...query }) => (await this.queryMany([vector], query))[0]!;

  queryMany: Store["queryMany"] = (vectors, query) =>
    this.read(async () => {
      await this.know([query.identity]);
      for (const vector of vectors) checkQuery({ ...query, vector }, this.layouts.dims);
      const [first, ...others] = vectors;
      if (first === undefined) return [];
      const { identity, k, offset = 0, where, exact = false, vectors: wantVectors = false } = query;
      const column = this.columnOf(identity);
      // Some more, so that equal scores around the end go by id.
      const wanted = offset + k + 8;
      const search = this.items.query().nearestTo(first);
      for (const vector of others) search.addQueryVector(vector);
      search
        .column(column)
        .distanceType("cosine")
        .select([...this.fieldColumns(), "_distance", ...(wantVectors ? [column] : [])])
        .limit(wanted);
      if (where !== undefined) search.where(await this.condition(where));
      if (exact) search.bypassVectorIndex();
      // Twice as many are compared exactly, and the index keeps no fewer.
      else search.ef(Math.max(await this.effort(identity), 2 * wanted)).refineFactor(2);
      const hits = vectors.map((): Hit[] => []);
      for (const row of (await search.toArray()) as FoundRow[])
        hits[row.query_index ?? 0]!.push({
          id: row.id,
          score: 1 - row._distance,
          fields: fieldsOf(plain(row), this.layouts.current.fields),
          ...(wantVectors && { vector: vectorOf(row[column])! }),
        });
      return hits.map((found) =>
        found.sort((a, b) => b.score - a.score || byText(a.id, b.id)).slice(offset, offset + k),
      );
    });

  list: Store["list"] = ({ where, order, limit, offset = 0, lacking, identity }) =>
    this.read(async () => {
      for (const set of [lacking, identity]) if (set !== undefined) await this.requireSet(set);
      if (order !== undefined) await this.condition({ kind: "exists", field: order.field });
      const sorted = await this.sorted(where, lacking, order);
      const page = sorted.slice(offset, offset + limit);
      const found = new Map((await this.fetch(page, identity)).map((item) => [item.id, item]));
      return page.flatMap((id) => found.get(id) ?? []);
    });

  async *scan({ where, lacking, identity, fields }: Scan = {}): AsyncGenerator<readonly Item[]> {
    const query = await this.read(async () => {
      for (const set of [lacking, identity]) if (set !== undefined) await this.requireSet(set);
      requireFields(fields, (await this.fresh()).fields);
      const column = identity === undefined ? [] : [this.columnOf(identity)];
      const names = fields === undefined ? this.fieldColumns() : ["id", ...fields.map(columnOf)];
      const conditions = where === undefined ? [] : [await this.condition(where)];
      if (lacking !== undefined) conditions.push(`${quoted(this.columnOf(lacking))} IS NULL`);
      const query = this.items.query().select([...names, ...column]);
      return conditions.length === 0 ? query : query.where(conditions.join(" AND "));
    });
    const batches = query[Symbol.asyncIterator]();
    for (;;) {
      const batch = await this.read(() => batches.next());
      if (batch.done === true) return;
      yield Array.from(batch.value as Iterable<RawRow>, (row) => this.itemOf(row, identity));
    }
  }

  count: Store["count"] = (where) =>
    this.read(async () => this.items.countRows(where && (await this.condition(where))));

  delete: Store["delete"] = (ids) =>
    this.write(async () => {
      for (const part of parts(ids, idsAtOnce)) await this.items.delete(oneOf("id", part));
    });

  readDocument: Store["readDocument"] = (name) => this.read(() => this.documents.read(name));
  writeDocument: Store["writeDocument"] = (name, value) =>
    this.write(() => this.documents.write(name, value));

  compact: Store["compact"] = (progress = () => {}) =>
    this.write(async () => {
      const { fields, sets } = await this.fresh();
      const stages = Object.entries(sets);
      const total = stages.length + 2;
      progress("indexing fields", 0, total);
      await indexFields(this.items, fields);
      for (const [i, [identity, { column }]] of stages.entries()) {
        progress("indexing vectors", i + 1, total);
        const count = await this.items.countRows(`${quoted(column)} IS NOT NULL`);
        const measured = await indexVectors(this.items, column, count);
        if (measured === "kept") continue;
        await this.documents.write(indexDocument(identity), measured);
        this.efforts.delete(identity);
      }
      progress("compacting", total - 1, total);
      await this.items.optimize({ cleanupOlderThan: new Date(Date.now() - keepVersionsMs) });
      progress("compacting", total, total);
    });

  close = async (): Promise<void> => {
    if (this.closed) return;
    this.closed = true;
    await this.writing;
    this.free();
  };

  /** The items without a vector of their own for a set that the call names: what they have in it stays. */
  private async kept(rows: readonly Item[], identities: readonly string[]): Promise<Map<string, Item>> {
    const result = new Map<string, Item>();
    for (const identity of identities) {
      const without = rows.filter(({ vectors }) => vectors?.[identity] === undefined).map(({ id }) => id);
      for (const item of await this.fetch(without, identity))
        result.set(item.id, { ...item, vectors: { ...result.get(item.id)?.vectors, ...item.vectors } });
    }
    return result;
  }

  private async fetch(ids: readonly string[], identity?: string): Promise<Item[]> {
    const column = identity === undefined ? undefined : this.columnOf(identity);
    const columns = [...this.fieldColumns(), ...(column === undefined ? [] : [column])];
    const result: Item[] = [];
    for (const part of parts(ids, idsAtOnce)) {
      const rows = await this.items
        .query()
        .where(oneOf("id", part))
        .select(columns)
        .limit(part.length)
        .toArray();
      for (const row of rows as RawRow[]) result.push(this.itemOf(row, identity));
    }
    return result;
  }

  private itemOf(row: RawRow, identity: string | undefined): Item {
    const item = { id: row.id, fields: fieldsOf(plain(row), this.layouts.current.fields) };
    const vector = identity === undefined ? undefined : vectorOf(row[this.columnOf(identity)]);
    return vector === undefined || identity === undefined
      ? item
      : { ...item, vectors: { [identity]: vector } };
  }

  /** All ids that are meant, in the order that is asked for: the engine itself does not sort. */
  private async sorted(
    where: Filter | undefined,
    lacking: string | undefined,
    order: Listing["order"],
  ): Promise<string[]> {
    const column = order && columnOf(order.field);
    const query = this.items.query().select(column === undefined ? ["id"] : ["id", column]);
    const conditions = where === undefined ? [] : [await this.condition(where)];
    if (lacking !== undefined) conditions.push(`${quoted(this.columnOf(lacking))} IS NULL`);
    if (conditions.length > 0) query.where(conditions.join(" AND "));
    const table = await query.toArrow();
    const ids = (table.getChild("id")?.toArray() ?? []) as string[];
    const values = column === undefined ? undefined : table.getChild(column);
    const rows = Array.from(ids, (id, i) => ({
      id,
      value: values?.get(i) as string | number | boolean | null | undefined,
    }));
    const turn = order?.descending === true ? -1 : 1;
    return rows.sort((a, b) => byValue(a.value, b.value, turn) || byText(a.id, b.id)).map(({ id }) => id);
  }

  private async describe(identity: string): Promise<VectorSet> {
    const { column, dim } = this.layouts.current.sets[identity]!;
    const count = await this.items.countRows(`${quoted(column)} IS NOT NULL`);
    const stats = await indexStats(this.items, column);
    const measured = (await this.documents.read(indexDocument(identity))) as Measured | undefined;
    if (stats === undefined || measured === undefined) return { identity, dim, count };
    const { recall, sample } = measured;
    return { identity, dim, count, index: { kind: "hnsw", recall, sample, outside: stats.outside } };
  }

  private async effort(identity: string): Promise<number> {
    const known = this.efforts.get(identity);
    if (known !== undefined) return known;
    const measured = (await this.documents.read(indexDocument(identity))) as Measured | undefined;
    const ef = measured?.ef ?? 64;
    this.efforts.set(identity, ef);
    return ef;
  }

  private async condition(where: Filter): Promise<string> {
    try {
      checkFilter(where, this.layouts.current.fields);
    } catch {
      checkFilter(where, (await this.fresh()).fields);
    }
    return toCondition(where);
  }

  /** Makes sure that sets which another process made are known. */
  private async know(identities: readonly string[]): Promise<void> {
    const { dims } = this.layouts;
    if (identities.some((identity) => !dims.has(identity))) await this.layouts.refresh();
  }

  private async requireSet(identity: string): Promise<void> {
    await this.know([identity]);
    requireSet(identity, this.layouts.dims);
  }

  private async fresh() {
    await this.layouts.refresh();
    return this.layouts.current;
  }

  private columnOf = (identity: string): string => this.layouts.current.sets[identity]!.column;
  private fieldColumns = (): string[] => ["id", ...Object.keys(this.layouts.current.fields).map(columnOf)];

  private async read<T>(body: () => Promise<T>): Promise<T> {
    if (this.closed) throw new CliptError("usage", "The store is closed.");
    return body().catch(refused(this.url));
  }

  private write<T>(body: () => Promise<T>): Promise<T> {
    const result = this.writing.then(() => this.read(() => unlessPreempted(body)));
    this.writing = result.catch(() => {});
    return result;
  }
}

/** Searches that began before a version was replaced may still read it. */
const keepVersionsMs = 60_000;

/** Tries that a write gets while others write to the same table; each waits a little longer than the last. */
const writeTries = 20;

/** Runs a write again when another process was quicker, with a write or a column: nothing of it was stored then. */
async function unlessPreempted<T>(body: () => Promise<T>): Promise<T> {
  for (let tried = 1; ; tried++)
    try {
      return await body();
    } catch (error) {
      if (tried === writeTries || !/commit conflict|concurrent|already exists/i.test(messageOf(error)))
        throw error;
      await wait(Math.random() * 10 * tried);
    }
}

const indexDocument = (identity: string): string => `.index/${identity}`;

/** A row of Arrow as a plain object. */
const plain = (row: object): Record<string, unknown> =>
  (row as { toJSON(): Record<string, unknown> }).toJSON();

function* parts<T>(list: readonly T[], size: number): Generator<T[]> {
  for (let i = 0; i < list.length; i += size) yield list.slice(i, i + size);
}

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function byValue(a: unknown, b: unknown, turn: number): number {
  if (a == null || b == null) return Number(a == null) - Number(b == null);
  return (a as number) < (b as number) ? -turn : (a as number) > (b as number) ? turn : 0;
}

import "./environment.js";
import { mkdir } from "node:fs/promises";
import { connect, type Table } from "@lancedb/lancedb";
import { CliptError } from "../../tensor/index.js";
import {
  checkDeclared,
  checkItems,
  checkQuery,
  checkSet,
  lastOfEach,
  requireFields,
  requireSet,
} from "../check-items.js";
import { checkFilter, type Filter } from "../filter.js";
import type { Hit, Item, Listing, Query, Scan, Store, VectorSet } from "../store.js";
import { Few } from "./few.js";
import { indexFields, indexStats, type Plan } from "./indexes.js";
import { nearestByIndex, nearestMeeting, nearestOfAll, type Asked } from "./nearest.js";
import { localPlace, placeOf } from "./place.js";
import { Plans } from "./plans.js";
import { itemOf, plain, toTable, vectorOf, wholeColumn, type FoundRow, type Row } from "./rows.js";
import { Layouts, openDocuments, openItems } from "./schema.js";
import { unlessPreempted } from "./preempted.js";
import { refused } from "./refused.js";
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
  const folder = localPlace(url);
  if (folder !== undefined) await mkdir(folder, { recursive: true, mode: 0o700 }).catch(refused(url));
  const db = await connect(placeOf(url), { readConsistencyInterval: 0 }).catch(refused(url));
  const items = await openItems(db).catch(refused(url));
  const { documents, table: documentTable } = await openDocuments(db).catch(refused(url));
  const { fields } = await items.schema().catch(refused(url));
  const whole = fields.some(({ name }) => name === wholeColumn);
  const layouts = new Layouts(items, documents, whole);
  await layouts.refresh().catch(refused(url));
  return new LanceStore(url, items, documents, layouts, folder !== undefined, () => {
    items.close();
    documentTable.close();
    db.close();
  });
}

/** A row as Arrow gives it. */
type RawRow = Record<string, unknown>;
type DocumentStore = Awaited<ReturnType<typeof openDocuments>>["documents"];

class LanceStore implements Store {
  private closed = false;
  /** The last write; the next one waits for it. */
  private writing: Promise<unknown> = Promise.resolve();
  private compacting: Promise<unknown> = Promise.resolve();
  private readonly plans: Plans;
  private readonly few: Few;

  constructor(
    readonly url: string,
    private readonly items: Table,
    private readonly documents: DocumentStore,
    private readonly layouts: Layouts,
    local: boolean,
    private readonly free: () => void,
  ) {
    this.plans = new Plans(items, documents, local);
    this.few = new Few(items, local);
  }

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
        this.layouts.whole,
      );
      await this.items.mergeInsert("id").whenMatchedUpdateAll().whenNotMatchedInsertAll().execute(table);
    });

  get: Store["get"] = (ids, identity) =>
    this.readSets([identity], async () => {
      if (identity !== undefined) await this.requireSet(identity);
      const found = new Map((await this.fetch([...new Set(ids)], identity)).map((item) => [item.id, item]));
      return ids.map((id) => found.get(id));
    });

  query: Store["query"] = async ({ vector, ...query }) => (await this.queryMany([vector], query))[0]!;

  queryMany: Store["queryMany"] = (vectors, query) =>
    this.readSets([query.identity], async () => {
      await this.know([query.identity]);
      for (const vector of vectors) checkQuery({ ...query, vector }, this.layouts.dims);
      if (vectors.length === 0) return [];
      const { offset = 0, k } = query;
      const wanted = offset + k;
      // One more shows whether equal scores go on, whose order is by id; then they are all looked at.
      let found = await this.nearest(vectors, query, wanted + 1);
      if (found.some((hits) => hits[wanted] && hits[wanted].score === hits[wanted - 1]?.score))
        found = await this.nearest(vectors, query, wanted + equals);
      return found.map((hits) => hits.slice(offset, wanted));
    });

  list: Store["list"] = ({ where, order, limit, offset = 0, lacking, identity }) =>
    this.readSets([lacking, identity], async () => {
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
      const batch = await this.readSets([lacking, identity], () => batches.next());
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

  compact: Store["compact"] = (progress = () => {}) => {
    const result = this.compacting.then(() => this.compactNow(progress));
    this.compacting = result.catch(() => {});
    return result;
  };

  close = async (): Promise<void> => {
    if (this.closed) return;
    this.closed = true;
    await Promise.all([this.writing, this.compacting, this.few.close()]);
    this.free();
  };

  /** Indexes are made beside searching and writing; only where files are put together, writes wait. */
  private async compactNow(progress: (stage: string, done: number, total: number) => void): Promise<void> {
    const { fields, sets } = await this.read(() => this.fresh());
    const stages = Object.entries(sets);
    const total = stages.length + 2;
    progress("indexing fields", 0, total);
    await this.beside(() => indexFields(this.items, fields));
    progress("compacting", 1, total);
    // What came since the last time goes into the indexes that are there.
    const grown = new Set<string>();
    for (const [identity, { column }] of stages)
      if (((await indexStats(this.items, column))?.outside ?? 0) > 0) grown.add(identity);
    await this.write(() => this.items.optimize({ cleanupOlderThan: new Date(Date.now() - keepVersionsMs) }));
    for (const [i, [identity, { column }]] of stages.entries()) {
      progress("indexing vectors", i + 2, total);
      await this.beside(() => this.plans.renew(identity, column, grown.has(identity)));
    }
    progress("indexing vectors", total, total);
  }

  /** Best first, equal scores by id. */
  private async nearest(
    vectors: readonly Float32Array[],
    { identity, where, exact = false, vectors: wantVectors = false }: Omit<Query, "vector">,
    wanted: number,
  ): Promise<Hit[][]> {
    const column = this.columnOf(identity);
    const columns = [...this.fieldColumns(), ...(wantVectors ? [column] : [])];
    const condition = where && (await this.condition(where));
    const plan = exact ? undefined : await this.plans.of(identity, column);
    const rows = await this.nearestRows({ vectors, column, columns, wanted }, plan, condition);
    const hits = vectors.map((): Hit[] => []);
    for (const row of rows)
      hits[row.query_index ?? 0]!.push({
        ...itemOf(row, this.layouts.current.fields),
        score: 1 - row._distance,
        ...(wantVectors && { vector: vectorOf(row[column])! }),
      });
    return hits.map((found) => found.sort((a, b) => b.score - a.score || byText(a.id, b.id)));
  }

  private async nearestRows(
    asked: Asked,
    plan: Plan | undefined,
    condition: string | undefined,
  ): Promise<readonly FoundRow[]> {
    if (plan === undefined) return nearestOfAll(this.items, asked, condition);
    if (condition === undefined) return nearestByIndex(this.items, asked, plan);
    const few = await this.few.nearest(asked, condition);
    if (few !== undefined) return few;
    return nearestMeeting(this.items, asked, plan, condition, await this.plans.share(condition));
  }

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
    const item = itemOf(plain(row), this.layouts.current.fields);
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
    const plan = await this.plans.read(identity);
    if (stats === undefined || plan === undefined) return { identity, dim, count };
    const { kind, recall, sample } = plan;
    return { identity, dim, count, index: { kind, recall, sample, outside: stats.outside } };
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
  private fieldColumns = (): string[] =>
    this.layouts.whole ? [wholeColumn] : ["id", ...Object.keys(this.layouts.current.fields).map(columnOf)];

  private async read<T>(body: () => Promise<T>): Promise<T> {
    if (this.closed) throw new CliptError("usage", "The store is closed.");
    return body().catch(refused(this.url));
  }

  /** A set that another process drops meanwhile is named as one that is not there. */
  private readSets<T>(identities: readonly (string | undefined)[], body: () => Promise<T>): Promise<T> {
    return this.read(() =>
      body().catch(async (error: unknown) => {
        await this.layouts.refresh();
        for (const identity of identities)
          if (identity !== undefined) requireSet(identity, this.layouts.dims);
        throw error;
      }),
    );
  }

  private beside<T>(body: () => Promise<T>): Promise<T> {
    return this.read(() => unlessPreempted(body));
  }

  private write<T>(body: () => Promise<T>): Promise<T> {
    const result = this.writing.then(() => this.beside(body));
    this.writing = result.catch(() => {});
    return result;
  }
}

/** Results beyond the wanted ones that are looked at when the last scores are equal. */
const equals = 100;
/** Searches that began before a version was replaced may still read it. */
const keepVersionsMs = 60_000;

function* parts<T>(list: readonly T[], size: number): Generator<T[]> {
  for (let i = 0; i < list.length; i += size) yield list.slice(i, i + size);
}

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function byValue(a: unknown, b: unknown, turn: number): number {
  if (a == null || b == null) return Number(a == null) - Number(b == null);
  return (a as number) < (b as number) ? -turn : (a as number) > (b as number) ? turn : 0;
}

import { Field, Schema, Utf8 } from "apache-arrow";
import type { Connection, Table } from "@lancedb/lancedb";
import type { FieldType } from "../fields.js";
import { itemsTable } from "./place.js";
import { fieldColumn, vectorColumn, wholeColumn, type NewColumn } from "./rows.js";
import { literal } from "./sql.js";

/** What the columns of the items' table mean. */
export interface Layout {
  readonly fields: Readonly<Record<string, FieldType>>;
  /** By identity. */
  readonly sets: Readonly<Record<string, { readonly column: string; readonly dim: number }>>;
}

/** Documents, by name; the layout is the one under this name. */
const layoutName = ".layout";

export interface Documents {
  version(): Promise<number>;
  read(name: string): Promise<unknown>;
  write(name: string, value: unknown): Promise<void>;
}

export async function openDocuments(db: Connection): Promise<{ documents: Documents; table: Table }> {
  const schema = new Schema([new Field("name", new Utf8(), false), new Field("json", new Utf8(), false)]);
  const table = await openOrMake(db, "documents", schema);
  return {
    table,
    documents: {
      version: () => table.version(),
      async read(name) {
        const found = table
          .query()
          .where(`name = ${literal(name)}`)
          .limit(1);
        const [row] = (await found.toArray()) as { json: string }[];
        return row && (JSON.parse(row.json) as unknown);
      },
      async write(name, value) {
        if (value === undefined) await table.delete(`name = ${literal(name)}`);
        else
          await table
            .mergeInsert("name")
            .whenMatchedUpdateAll()
            .whenNotMatchedInsertAll()
            .execute([{ name, json: JSON.stringify(value) }]);
      },
    },
  };
}

export const openItems = (db: Connection): Promise<Table> =>
  openOrMake(
    db,
    itemsTable,
    new Schema([new Field("id", new Utf8(), false), new Field(wholeColumn, new Utf8(), true)]),
  );

async function openOrMake(db: Connection, name: string, schema: Schema): Promise<Table> {
  try {
    return await db.openTable(name);
  } catch {
    return db.createEmptyTable(name, schema, { mode: "create", existOk: true });
  }
}

/** The layout, and how it grows: a column first, its meaning after, so that a killed process leaves at most an unused column. */
export class Layouts {
  private layout: Layout = { fields: {}, sets: {} };

  constructor(
    private readonly items: Table,
    private readonly documents: Documents,
    /** Whether the table has the column of all fields; those of clipt's first indexes have not. */
    readonly whole: boolean,
  ) {}

  get current(): Layout {
    return this.layout;
  }

  /** By identity. */
  get dims(): Map<string, number> {
    return new Map(Object.entries(this.layout.sets).map(([identity, { dim }]) => [identity, dim]));
  }

  /** Another process may have changed it. */
  async refresh(): Promise<void> {
    this.layout = ((await this.documents.read(layoutName)) as Layout | undefined) ?? { fields: {}, sets: {} };
  }

  async addFields(fields: Readonly<Record<string, FieldType>>): Promise<void> {
    if (Object.keys(fields).length === 0) return;
    await this.addColumns(Object.entries(fields).map(([name, type]) => fieldColumn(name, type)));
    await this.refresh();
    await this.save({ ...this.layout, fields: { ...this.layout.fields, ...fields } });
  }

  async addSet(identity: string, dim: number): Promise<void> {
    const column = `v_${identity.replace(/[^a-zA-Z0-9]/g, "_")}_${dim}`;
    await this.addColumns([vectorColumn(column, dim)]);
    await this.refresh();
    await this.save({ ...this.layout, sets: { ...this.layout.sets, [identity]: { column, dim } } });
  }

  async dropSet(identity: string): Promise<void> {
    const { [identity]: set, ...sets } = this.layout.sets;
    if (set === undefined) return;
    await this.save({ ...this.layout, sets });
    await this.items.dropColumns([set.column]);
  }

  private async addColumns(columns: readonly NewColumn[]): Promise<void> {
    const there = new Set((await this.items.schema()).fields.map(({ name }) => name));
    const fresh = columns.filter(({ name }) => !there.has(name));
    if (fresh.length > 0) await this.items.addColumns(fresh);
  }

  private async save(layout: Layout): Promise<void> {
    await this.documents.write(layoutName, layout);
    this.layout = layout;
  }
}

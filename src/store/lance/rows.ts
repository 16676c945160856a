import {
  Field,
  FixedSizeList,
  Float32,
  Float64,
  Table,
  Utf8,
  makeData,
  makeVector,
  vectorFromArray,
  type DataType,
  type Vector,
} from "apache-arrow";
import type { Fields, FieldType, FieldValue } from "../fields.js";
import { columnOf } from "./sql.js";

/** A date is its milliseconds. A flag is 0 or 1: Arrow's own writer loses columns of flags that are all absent. */
const toColumn = (value: FieldValue): string | number => (typeof value === "boolean" ? Number(value) : value);
const arrowType = (type: FieldType): DataType => (type === "text" ? new Utf8() : new Float64());

/** Holds an item's id and all of its fields as JSON: a result is one place to read, not one for each. Conditions read the columns. */
export const wholeColumn = "whole";

/** A column of nulls, as the engine takes it. */
export interface NewColumn {
  readonly name: string;
  readonly valueSql: string;
}

export const fieldColumn = (name: string, type: FieldType): NewColumn => ({
  name: columnOf(name),
  valueSql: `cast(NULL as ${type === "text" ? "string" : "double"})`,
});

export const vectorColumn = (name: string, dim: number): NewColumn => ({
  name,
  valueSql: `arrow_cast(NULL, 'FixedSizeList(${dim}, Float32)')`,
});

const vectorType = (dim: number): FixedSizeList =>
  new FixedSizeList(dim, new Field("item", new Float32(), true));

/** One item as a table holds it. */
export interface Row {
  readonly id: string;
  readonly fields: Fields;
  /** By the name of the set's column; undefined where the item has none. */
  readonly vectors: ReadonlyMap<string, Float32Array>;
}

/** Rows for a table with these fields and vector columns (their dims by name). `whole`: it has the column of all fields. */
export function toTable(
  rows: readonly Row[],
  fields: Readonly<Record<string, FieldType>>,
  columns: ReadonlyMap<string, number>,
  whole: boolean,
): Table {
  const texts = (of: (row: Row) => string): Vector => vectorFromArray(rows.map(of), new Utf8());
  const table: Record<string, Vector> = { id: texts(({ id }) => id) };
  if (whole) table[wholeColumn] = texts(({ id, fields }) => JSON.stringify([id, fields]));
  for (const [name, type] of Object.entries(fields))
    table[columnOf(name)] = vectorFromArray(
      rows.map(({ fields: { [name]: value } }) => (value === undefined ? null : toColumn(value))),
      arrowType(type),
    );
  for (const [name, dim] of columns)
    table[name] = vectorsOf(
      rows.map(({ vectors }) => vectors.get(name)),
      dim,
    );
  return new Table(table);
}

const bytesFor = (bits: number): number => Math.ceil(bits / 8);

/** [rows, dim], each row scaled to length 1. */
function vectorsOf(rows: readonly (Float32Array | undefined)[], dim: number): Vector {
  const data = new Float32Array(rows.length * dim);
  const present = new Uint8Array(bytesFor(rows.length));
  let absent = 0;
  for (const [i, row] of rows.entries()) {
    if (row === undefined) {
      absent++;
      continue;
    }
    present[i >> 3]! |= 1 << (i & 7);
    const length = Math.sqrt(row.reduce((sum, x) => sum + x * x, 0));
    for (let j = 0; j < dim; j++) data[i * dim + j] = (row[j] ?? 0) / length;
  }
  return makeVector(
    makeData({
      type: vectorType(dim),
      length: rows.length,
      nullCount: absent,
      nullBitmap: present,
      child: makeData({ type: new Float32(), length: data.length, data }),
    }),
  );
}

/** What a search for several vectors gives; of one vector, without its place. */
export type FoundRow = { _distance: number; query_index?: number } & Record<string, unknown>;

/** A row of Arrow as a plain object. */
export const plain = (row: object): Record<string, unknown> =>
  (row as { toJSON(): Record<string, unknown> }).toJSON();

/** The item of a row that was read: of the column that holds all, or of its columns. */
export function itemOf(
  row: Readonly<Record<string, unknown>>,
  types: Readonly<Record<string, FieldType>>,
): { id: string; fields: Fields } {
  const whole = row[wholeColumn];
  if (typeof whole === "string") {
    const [id, fields] = JSON.parse(whole) as [string, Fields];
    return { id, fields };
  }
  const fields: Record<string, FieldValue> = {};
  for (const [name, type] of Object.entries(types)) {
    const value = row[columnOf(name)] as string | number | null | undefined;
    if (value !== null && value !== undefined) fields[name] = type === "flag" ? value !== 0 : value;
  }
  return { id: row["id"] as string, fields };
}

/** The numbers of a vector that was read; undefined for none. */
export const vectorOf = (value: unknown): Float32Array | undefined =>
  value === null || value === undefined
    ? undefined
    : Float32Array.from((value as Vector).toArray() as Float32Array);

import { realpath } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { parse } from "csv-parse/sync";
import type { Fields, FieldType, FieldValue } from "../../store/index.js";
import { CliptError, messageOf } from "../../tensor/index.js";
import { numberedLines, readText } from "../../train/data/text-file.js";
import { pictureFields } from "./picture-fields.js";

/** What a person's own table says of pictures. */
export interface MetadataTable {
  readonly fields: Readonly<Record<string, FieldType>>;
  /** By the picture's real path. */
  readonly rows: ReadonlyMap<string, Fields>;
}

/** Columns that may name the picture. */
const pathColumns = ["path", "filepath", "file", "filename", "image"];

type Raw = Readonly<Record<string, unknown>>;

/**
 * Reads a CSV or TSV table with a header, or a file of JSON lines. A column named path (or filepath, file, filename, image) says which
 * picture a row is about, seen from the table's folder; the others become fields. A column of numbers is a number, of true
 * and false a flag, of dates like 2020-06-01 a date, and anything else text.
 *
 * @throws `missing`, `io`, `format`; `input` for a column that is named like a field of the index
 */
export async function readMetadata(path: string): Promise<MetadataTable> {
  const raw = /\.(jsonl|ndjson)$/i.test(path) ? await readJsonLines(path) : await readTable(path);
  const pathColumn = pathColumns.find((name) => raw.some((row) => name in row));
  if (pathColumn === undefined)
    throw new CliptError(
      "format",
      `${path} does not say which pictures it is about: it needs a column "path". There are: ${Object.keys(raw[0] ?? {}).join(", ") || "none"}.`,
    );
  const columns = [...new Set(raw.flatMap((row) => Object.keys(row)))].filter((name) => name !== pathColumn);
  const names = new Map(columns.map((column) => [column, fieldName(path, column)]));
  const types = new Map(columns.map((column) => [column, typeOf(raw.map((row) => row[column]))]));
  const rows = new Map<string, Fields>();
  for (const row of raw) {
    const named = row[pathColumn];
    if (typeof named !== "string" || named === "") continue;
    const place = resolve(dirname(path), named);
    const fields: Record<string, FieldValue> = {};
    for (const column of columns) {
      const value = valueOf(row[column], types.get(column)!);
      if (value !== undefined) fields[names.get(column)!] = value;
    }
    // Pictures that are not there are no harm: a table may be older than its folder.
    rows.set(await realpath(place).catch(() => place), fields);
  }
  return { fields: Object.fromEntries(columns.map((c) => [names.get(c)!, types.get(c)!])), rows };
}

async function readTable(path: string): Promise<Raw[]> {
  const text = await readText(path);
  const header = text.split("\n", 1)[0] ?? "";
  try {
    return parse(text, {
      columns: true,
      delimiter: header.includes("\t") ? "\t" : ",",
      skip_empty_lines: true,
      trim: true,
    });
  } catch (cause) {
    throw new CliptError("format", `${path} is no table: ${messageOf(cause)}`, { cause });
  }
}

async function readJsonLines(path: string): Promise<Raw[]> {
  const rows: Raw[] = [];
  for await (const { line, number } of numberedLines(path)) {
    let row: unknown;
    try {
      row = JSON.parse(line);
    } catch (cause) {
      throw new CliptError("format", `${path}, line ${number}: ${messageOf(cause)}`, { cause });
    }
    if (row === null || typeof row !== "object" || Array.isArray(row))
      throw new CliptError("format", `${path}, line ${number}: expected an object, {"path": …}.`);
    rows.push(row as Raw);
  }
  return rows;
}

function fieldName(path: string, column: string): string {
  const name = column.replace(/[^a-zA-Z0-9_]+/g, "_").replace(/^[^a-zA-Z]+/, "");
  if (name === "")
    throw new CliptError("input", `${path}: "${column}" cannot name a field: it needs a letter from a to z.`);
  if (name in pictureFields)
    throw new CliptError(
      "input",
      `${path}: the column "${column}" would replace what the index itself knows; rename it.`,
    );
  return name;
}

const isAbsent = (value: unknown): boolean => value === null || value === undefined || value === "";
const isNumber = (value: unknown): boolean =>
  typeof value === "number" || (typeof value === "string" && Number.isFinite(Number(value)));
const isFlag = (value: unknown): boolean =>
  typeof value === "boolean" || value === "true" || value === "false";
const isDate = (value: unknown): boolean =>
  typeof value === "string" &&
  /^\d{4}-\d{2}-\d{2}([T ][0-9:.]+Z?)?$/.test(value) &&
  !Number.isNaN(dateOf(value));

/** Without a zone, the clock's face counts, as with dates of cameras. */
const dateOf = (text: string): number =>
  Date.parse(text.includes("Z") || text.length === 10 ? text : `${text.replace(" ", "T")}Z`);

function typeOf(values: readonly unknown[]): FieldType {
  const there = values.filter((value) => !isAbsent(value));
  if (there.length === 0) return "text";
  if (there.every(isFlag)) return "flag";
  if (there.every(isNumber)) return "number";
  return there.every(isDate) ? "date" : "text";
}

function valueOf(value: unknown, type: FieldType): FieldValue | undefined {
  if (isAbsent(value)) return undefined;
  switch (type) {
    case "flag":
      return value === true || value === "true";
    case "number":
      return Number(value);
    case "date":
      return dateOf(value as string);
    case "text":
      return typeof value === "string" ? value : JSON.stringify(value);
  }
}

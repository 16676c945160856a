import { CliptError } from "../../tensor/index.js";
import type { FieldType } from "../fields.js";
import type { Filter } from "../filter.js";
import { filterToSql } from "../filter-sql.js";

/** A field's value as an expression. Texts compare by their bytes, whatever the database's language is. */
export function fieldExpression(name: string, type: FieldType): string {
  if (!/^[a-zA-Z0-9_]+$/.test(name))
    throw new CliptError("input", `"${name}" cannot be the name of a field.`);
  if (type === "text") return `((fields->>'${name}') COLLATE "C")`;
  return `((fields->'${name}')::${type === "flag" ? "boolean" : "float8"})`;
}

/** A condition whose values are parameters, appended to `values`. */
export function toCondition(
  where: Filter | undefined,
  fields: Readonly<Record<string, FieldType>>,
  values: unknown[],
): string {
  if (where === undefined) return "true";
  const parameter = (value: unknown, type: string): string => `$${values.push(value)}::${type}`;
  return filterToSql(where, {
    column: (field) => fieldExpression(field, fields[field] ?? "text"),
    value: (value) =>
      parameter(value, typeof value === "string" ? "text" : typeof value === "number" ? "float8" : "boolean"),
    starts: (column, text) => `starts_with(${column}, ${parameter(text, "text")})`,
    contains: (column, text) => `(strpos(${column}, ${parameter(text, "text")}) > 0)`,
  });
}

/** A vector as pgvector reads it. */
export const vectorText = (vector: Float32Array): string => `[${vector.join(",")}]`;
export const parseVector = (text: unknown): Float32Array =>
  Float32Array.from(JSON.parse(text as string) as number[]);

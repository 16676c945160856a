import type { FieldValue } from "../fields.js";
import type { Filter } from "../filter.js";
import { filterToSql, type Dialect } from "../filter-sql.js";

/** The columns of fields have a prefix, so that a field may have any name. */
export const columnOf = (field: string): string => `f_${field}`;

/** A column's name as it stands in a condition: DataFusion would lower its case. */
export const quoted = (column: string): string => `\`${column}\``;

export function literal(value: FieldValue): string {
  return typeof value === "string" ? `'${value.replaceAll("'", "''")}'` : String(Number(value));
}

const dialect: Dialect = {
  column: (field) => quoted(columnOf(field)),
  value: literal,
  starts: (column, text) => `starts_with(${column}, ${literal(text)})`,
  contains: (column, text) => `contains(${column}, ${literal(text)})`,
};

export const toCondition = (filter: Filter): string => filterToSql(filter, dialect);

export const oneOf = (column: string, values: readonly string[]): string =>
  `${quoted(column)} IN (${values.map(literal).join(", ")})`;

import type { FieldValue } from "./fields.js";
import type { Comparison, FieldFilter, Filter } from "./filter.js";

/** How an engine writes the parts of a condition. */
export interface Dialect {
  /** A field's column, quoted. */
  column(field: string): string;
  /** A value: a literal, or the place of a parameter. */
  value(value: FieldValue): string;
  starts(column: string, text: string): string;
  contains(column: string, text: string): string;
}

const operators: Readonly<Record<Comparison, string>> = {
  "=": "=",
  "!=": "<>",
  "<": "<",
  "<=": "<=",
  ">": ">",
  ">=": ">=",
};

/**
 * A filter as a condition of SQL. There, a comparison with an absent field is neither true nor false; at the top, and under
 * `and` and `or`, that selects nothing, as `matches` has it. Only `not` has to be told.
 */
export function filterToSql(filter: Filter, dialect: Dialect): string {
  if ("field" in filter) return fieldToSql(filter, dialect);
  if (filter.kind === "not") return `(NOT coalesce(${filterToSql(filter.of, dialect)}, false))`;
  if (filter.of.length === 0) return filter.kind === "and" ? "true" : "false";
  return `(${filter.of.map((part) => filterToSql(part, dialect)).join(` ${filter.kind.toUpperCase()} `)})`;
}

function fieldToSql(filter: FieldFilter, dialect: Dialect): string {
  const column = dialect.column(filter.field);
  switch (filter.kind) {
    case "exists":
      return `(${column} IS NOT NULL)`;
    case "in":
      return filter.values.length === 0
        ? "false"
        : `(${column} IN (${filter.values.map((value) => dialect.value(value)).join(", ")}))`;
    case "starts":
    case "contains":
      return dialect[filter.kind](column, filter.text);
    case "compare":
      return `(${column} ${operators[filter.by]} ${dialect.value(filter.value)})`;
  }
}

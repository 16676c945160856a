import { CliptError } from "../tensor/index.js";
import { accepts, type Fields, type FieldType, type FieldValue } from "./fields.js";

export type Comparison = "=" | "!=" | "<" | "<=" | ">" | ">=";

/**
 * Which items are meant. An absent field matches no comparison, `!=` included; `not` matches exactly what its filter does
 * not (no third truth value). Texts compare by their UTF-16 units; `starts` and `contains` ignore no difference of case.
 */
export type Filter =
  | FieldFilter
  | { readonly kind: "and" | "or"; readonly of: readonly Filter[] }
  | { readonly kind: "not"; readonly of: Filter };

/** A condition on one field. */
export type FieldFilter =
  | { readonly kind: "compare"; readonly field: string; readonly by: Comparison; readonly value: FieldValue }
  | { readonly kind: "in"; readonly field: string; readonly values: readonly FieldValue[] }
  | { readonly kind: "starts" | "contains"; readonly field: string; readonly text: string }
  | { readonly kind: "exists"; readonly field: string };

/** Whether an item with these fields is meant: the definition that every engine's own form has to agree with. */
export function matches(filter: Filter, fields: Fields): boolean {
  if ("field" in filter) return matchesField(filter, fields[filter.field]);
  if (filter.kind === "not") return !matches(filter.of, fields);
  return filter.kind === "and"
    ? filter.of.every((part) => matches(part, fields))
    : filter.of.some((part) => matches(part, fields));
}

function matchesField(filter: FieldFilter, value: FieldValue | undefined): boolean {
  if (value === undefined) return false;
  switch (filter.kind) {
    case "exists":
      return true;
    case "in":
      return filter.values.includes(value);
    case "starts":
      return typeof value === "string" && value.startsWith(filter.text);
    case "contains":
      return typeof value === "string" && value.includes(filter.text);
    case "compare":
      return compare(value, filter.by, filter.value);
  }
}

function compare(a: FieldValue, by: Comparison, b: FieldValue): boolean {
  switch (by) {
    case "=":
      return a === b;
    case "!=":
      return a !== b;
    case "<":
      return a < b;
    case "<=":
      return a <= b;
    case ">":
      return a > b;
    case ">=":
      return a >= b;
  }
}

/**
 * Refuses a filter that names an unknown field or compares it with a value of another type.
 *
 * @throws `input`
 */
export function checkFilter(filter: Filter, known: Readonly<Record<string, FieldType>>): void {
  if (!("field" in filter)) {
    for (const part of filter.kind === "not" ? [filter.of] : filter.of) checkFilter(part, known);
    return;
  }
  const type = Object.hasOwn(known, filter.field) ? known[filter.field] : undefined;
  if (type === undefined)
    throw new CliptError(
      "input",
      `There is no field "${filter.field}"; there are ${Object.keys(known).sort().join(", ") || "none"}.`,
    );
  for (const value of valuesOf(filter))
    if (!accepts(type, value))
      throw new CliptError(
        "input",
        `The field "${filter.field}" is a ${type}; ${JSON.stringify(value)} cannot be compared with it.`,
      );
}

function valuesOf(filter: FieldFilter): readonly FieldValue[] {
  switch (filter.kind) {
    case "compare":
      return [filter.value];
    case "in":
      return filter.values;
    case "starts":
    case "contains":
      return [filter.text];
    case "exists":
      return [];
  }
}

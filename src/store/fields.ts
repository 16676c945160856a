/** What is known of an item beside its vectors. A date is a number: milliseconds since 1970, UTC. */
export type FieldValue = string | number | boolean;
export type Fields = Readonly<Record<string, FieldValue>>;

/** Type of a field; every item of a store agrees on it. */
export type FieldType = "text" | "number" | "date" | "flag";

/** Whether a value may stand in a field of this type. */
export function accepts(type: FieldType, value: FieldValue): boolean {
  switch (type) {
    case "text":
      return typeof value === "string";
    case "flag":
      return typeof value === "boolean";
    case "number":
    case "date":
      return typeof value === "number" && Number.isFinite(value);
  }
}

import { CliptError } from "../tensor/index.js";
import { head } from "./bytes.js";

const listed = 10;

/**
 * Checks that weights are exactly those of a model. A single number may have the shape [] or [1].
 *
 * @param expected shape of each of the model's weights by name
 * @param called   what a weight is called in messages
 * @throws         `format`, naming what is missing, what the model has no use for and what has another shape
 */
export function checkWeights(
  expected: ReadonlyMap<string, readonly number[]>,
  got: ReadonlyMap<string, { readonly shape: readonly number[] }>,
  called: (name: string) => string = head,
): void {
  const missing = [...expected.keys()].filter((name) => !got.has(name));
  const unused = [...got.keys()].filter((name) => !expected.has(name));
  const misshapen = [...expected].flatMap(([name, shape]) => {
    const arrived = got.get(name)?.shape;
    return arrived === undefined || fits(shape, arrived)
      ? []
      : [`${called(name)} is [${head(arrived.join(", "))}] instead of [${shape.join(", ")}]`];
  });
  const complaints = [
    ...complaint("missing", missing.map((name) => called(name))),
    ...complaint("not part of the model", unused.map((name) => called(name))),
    ...complaint("of another shape", misshapen),
  ]; // prettier-ignore
  if (complaints.length > 0)
    throw new CliptError("format", `The weights do not fit the model. ${complaints.join(" ")}`);
}

const fits = (a: readonly number[], b: readonly number[]): boolean => {
  const plain = (shape: readonly number[]) => (shape.length === 1 && shape[0] === 1 ? "" : shape.join());
  return plain(a) === plain(b);
};

function complaint(what: string, names: readonly string[]): string[] {
  if (names.length === 0) return [];
  const more = names.length > listed ? `, … and ${names.length - listed} more` : "";
  return [`${names.length} ${what}: ${names.slice(0, listed).join(", ")}${more}.`];
}

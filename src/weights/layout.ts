import { CliptError, type Tensor } from "../tensor/index.js";
import { bytesOf, head, tensorFromBytes, type TensorInfo } from "./bytes.js";
import { gather } from "./strided.js";
import type { WeightsFile } from "./weights-file.js";

/**
 * One tensor under two names: as published, and as OpenCLIP calls it, which is what clipt calls it.
 * `*` stands for one part of a name between dots, `**` for one or more; both sides have the same ones.
 * Several published tensors are one canonical tensor, joined along its first axis.
 */
export type Rename = readonly [
  published: string | readonly string[],
  canonical: string,
  transposed?: "transposed",
];

/** How a project names and shapes the tensors of a model. */
export interface Layout {
  /** The first that matches counts; what none matches keeps its name, so that a check of the model finds it. */
  readonly renames: readonly Rename[];
  /** Published tensors that are no weights: tables of numbers 0, 1, 2 …, sizes, counters. */
  readonly ignored: readonly string[];
}

/**
 * The same weights under canonical names and in canonical shapes. Tensors that need no change keep their location.
 *
 * @throws `format` when a part of a joined tensor is missing or two tensors claim one name
 */
export function canonical(file: WeightsFile, layout: Layout): WeightsFile {
  const sources = plan(layout, file.names());
  const find = (name: string): Source => {
    const source = sources.get(name);
    if (source === undefined)
      throw new CliptError("missing", `${file.path} holds no tensor "${head(name)}".`);
    return source;
  };
  return {
    path: file.path,
    metadata: file.metadata,
    names: () => [...sources.keys()],
    entry(name) {
      const { parts, transposed } = find(name);
      return infoOf(name, parts.map((part) => file.entry(part)), transposed); // prettier-ignore
    },
    async read(name) {
      const { parts, transposed } = find(name);
      return assemble(name, await Promise.all(parts.map((part) => file.read(part))), transposed);
    },
    location(name) {
      const { parts, transposed } = find(name);
      const [only] = parts;
      return only !== undefined && parts.length === 1 && !transposed ? file.location(only) : undefined;
    },
    close: () => file.close(),
  };
}

/** Published tensors under canonical names and in canonical shapes. @throws `format` as `canonical` does */
export function toCanonical(layout: Layout, published: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  const result = new Map<string, Tensor>();
  for (const [name, { parts, transposed }] of plan(layout, [...published.keys()]))
    result.set(name, assemble(name, parts.map((part) => published.get(part) as Tensor), transposed)); // prettier-ignore
  return result;
}

/** Canonical tensors as a project publishes them. @throws `format` when a tensor cannot be divided into its parts */
export function toPublished(layout: Layout, weights: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  const rules = layout.renames.map(([published, pattern, transposed]) => ({
    parts: listOf(published),
    match: matcher(pattern),
    transposed: transposed !== undefined,
  }));
  const result = new Map<string, Tensor>();
  for (const [name, tensor] of weights) {
    const rule = rules.find(({ match }) => match(name) !== undefined);
    const { parts, match, transposed } = rule ?? { parts: [name], match: () => [], transposed: false };
    const stars = match(name) ?? [];
    const pieces = divide(name, transposed ? transpose(name, tensor) : tensor, parts.length);
    parts.forEach((part, i) => result.set(fill(part, stars), pieces[i] as Tensor));
  }
  return result;
}

/** Where a canonical tensor comes from. */
interface Source {
  readonly parts: readonly string[];
  readonly transposed: boolean;
}

function plan(layout: Layout, names: readonly string[]): Map<string, Source> {
  const ignored = layout.ignored.map(matcher);
  const rules = layout.renames.flatMap(([published, pattern, transposed]) =>
    listOf(published).map((part) => ({
      match: matcher(part),
      source: (stars: readonly string[]): Source => ({
        parts: listOf(published).map((other) => fill(other, stars)),
        transposed: transposed !== undefined,
      }),
      target: (stars: readonly string[]) => fill(pattern, stars),
    })),
  );
  const present = new Set(names);
  const result = new Map<string, Source>();
  const claims = new Map<string, string>();
  for (const name of names) {
    if (ignored.some((match) => match(name) !== undefined)) continue;
    const rule = rules.find(({ match }) => match(name) !== undefined);
    const stars = rule?.match(name) ?? [];
    const target = rule?.target(stars) ?? name;
    const source = rule?.source(stars) ?? { parts: [name], transposed: false };
    const absent = source.parts.filter((part) => !present.has(part));
    if (absent.length > 0)
      throw new CliptError(
        "format",
        `"${head(name)}" lacks what belongs to it: ${absent.map((part) => head(part)).join(", ")}.`,
      );
    const rival = claims.get(target);
    if (rival !== undefined && !source.parts.includes(rival))
      throw new CliptError("format", `"${head(rival)}" and "${head(name)}" are both "${head(target)}".`);
    claims.set(target, name);
    result.set(target, source);
  }
  return result;
}

function infoOf(name: string, parts: readonly TensorInfo[], transposed: boolean): TensorInfo {
  const [first = { dtype: "float32", shape: [] } satisfies TensorInfo] = parts;
  if (parts.length > 1) {
    const [, ...rest] = first.shape;
    const fits = ({ dtype, shape }: TensorInfo) =>
      dtype === first.dtype &&
      shape.length === first.shape.length &&
      rest.every((length, i) => length === shape[i + 1]);
    if (first.shape.length === 0 || !parts.every(fits))
      throw new CliptError(
        "format",
        `The parts of "${head(name)}" differ in type or shape and cannot be joined.`,
      );
    return {
      dtype: first.dtype,
      shape: [parts.reduce((sum, { shape }) => sum + (shape[0] ?? 0), 0), ...rest],
    };
  }
  if (transposed && first.shape.length !== 2)
    throw new CliptError(
      "format",
      `"${head(name)}" should be a matrix and has the shape [${first.shape.join(", ")}].`,
    );
  return transposed ? { dtype: first.dtype, shape: [...first.shape].reverse() } : first;
}

function assemble(name: string, parts: readonly Tensor[], transposed: boolean): Tensor {
  const { dtype, shape } = infoOf(name, parts, transposed);
  const [only] = parts;
  if (only !== undefined && parts.length === 1) return transposed ? transpose(name, only) : only;
  const bytes = new Uint8Array(parts.reduce((sum, { data }) => sum + data.byteLength, 0));
  let position = 0;
  for (const part of parts) {
    bytes.set(bytesOf(part), position);
    position += part.data.byteLength;
  }
  return tensorFromBytes(dtype, shape, bytes);
}

function divide(name: string, tensor: Tensor, count: number): Tensor[] {
  if (count === 1) return [tensor];
  const [rows = 0, ...rest] = tensor.shape;
  if (tensor.shape.length === 0 || rows % count !== 0)
    throw new CliptError(
      "format",
      `"${head(name)}" of shape [${tensor.shape.join(", ")}] does not divide into ${count}.`,
    );
  const bytes = bytesOf(tensor);
  const size = bytes.length / count;
  return Array.from({ length: count }, (_, i) =>
    tensorFromBytes(tensor.dtype, [rows / count, ...rest], bytes.subarray(i * size, (i + 1) * size)),
  );
}

function transpose(name: string, tensor: Tensor): Tensor {
  const { shape } = infoOf(name, [tensor], true);
  return gather(tensor.dtype, shape, [1, shape[0] ?? 1], bytesOf(tensor));
}

const listOf = (published: string | readonly string[]): readonly string[] =>
  typeof published === "string" ? [published] : published;

/** What the stars of a pattern stand for in a name; undefined where it does not match. */
function matcher(pattern: string): (name: string) => readonly string[] | undefined {
  const source = pattern.replace(
    /\*\*|\*|[.]/g,
    (found) => ({ "**": "(.+)", "*": "([^.]+)", ".": "\\." })[found] ?? found,
  );
  const regex = new RegExp(`^${source}$`);
  return (name) => regex.exec(name)?.slice(1);
}

function fill(pattern: string, stars: readonly string[]): string {
  let next = 0;
  return pattern.replace(/\*+/g, () => stars[next++] ?? "");
}

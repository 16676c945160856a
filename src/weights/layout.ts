import { CliptError, showShape, sizeOf, type Tensor } from "../tensor/index.js";
import { bytesOf, head, tensorFromBytes, type TensorInfo } from "./bytes.js";
import { fill, matcher } from "./name-pattern.js";
import { gather } from "./strided.js";
import type { WeightsFile } from "./weights-file.js";

/** Names that together hold one whole along its first axis, each with its share of it; 1 where none is given. */
type Parts = string | readonly (string | readonly [name: string, share: number])[];

/**
 * One tensor under two names: as published, and as OpenCLIP calls it, which is what clipt calls it.
 * `*` stands for one part of a name between dots, `**` for one or more; both sides have the same ones.
 * Where a side names several, its tensors are joined and the whole is cut into those of the other side.
 */
export type Rename = readonly [published: Parts, canonical: Parts, form?: keyof typeof forms];

/** How a project names and shapes the tensors of a model. */
export interface Layout {
  /** The first that matches counts; what none matches keeps its name, so that a check of the model finds it. */
  readonly renames: readonly Rename[];
  /** Published tensors that are no weights: tables of numbers 0, 1, 2 …, sizes, counters. */
  readonly ignored: readonly string[];
  /** Canonical numbers that are 0 where a file leaves them out. */
  readonly zeros?: readonly string[];
}

type Shape = readonly number[];
type Direction = "canonical" | "published";

/** How shapes differ; undefined where a tensor does not have the axes for it. */
const forms = {
  /** [a, b] ↔ [b, a] */
  transposed: { canonical: swapped, published: swapped },
  /** [rows, width] ↔ [1, rows, width] */
  batched: {
    canonical: (shape: Shape) => (shape.length === 2 ? [1, ...shape] : undefined),
    published: (shape: Shape) => (shape.length === 3 && shape[0] === 1 ? shape.slice(1) : undefined),
  },
  /** A single number: [1] ↔ [] */
  boxed: {
    canonical: (shape: Shape) => (sizeOf(shape) === 1 ? [] : undefined),
    published: (shape: Shape) => (sizeOf(shape) === 1 ? [1] : undefined),
  },
} as const;

function swapped(shape: Shape): Shape | undefined {
  return shape.length === 2 ? [...shape].reverse() : undefined;
}

/**
 * The same weights under canonical names and in canonical shapes. Tensors whose bytes need no change keep their
 * location.
 *
 * @throws `format` when a part of a joined tensor is missing or two tensors claim one name
 */
export function canonical(file: WeightsFile, layout: Layout): WeightsFile {
  const sources = plan(layout, "canonical", file.names());
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
      const source = find(name);
      return infoOf(source, source.parts.map((part) => file.entry(part))); // prettier-ignore
    },
    async read(name) {
      const source = find(name);
      return assemble(source, await Promise.all(source.parts.map((part) => file.read(part))));
    },
    location(name) {
      const { parts, form, share } = find(name);
      const [only] = parts;
      const whole =
        only === undefined || parts.length > 1 || form === "transposed" ? undefined : file.location(only);
      if (whole === undefined) return undefined;
      const [begin, end] = slice(whole.length, share);
      return { path: whole.path, offset: whole.offset + begin, length: end - begin };
    },
    close: () => file.close(),
  };
}

/** Published tensors under canonical names and in canonical shapes. @throws `format` as `canonical` does */
export const toCanonical = (layout: Layout, published: ReadonlyMap<string, Tensor>): Map<string, Tensor> =>
  converted(layout, "canonical", published);

/** Canonical tensors as a project publishes them. @throws `format` when a tensor cannot be divided into its parts */
export const toPublished = (layout: Layout, weights: ReadonlyMap<string, Tensor>): Map<string, Tensor> =>
  converted(layout, "published", weights);

/** The names under which a layout publishes a canonical tensor. */
export function publishedNames(layout: Layout, name: string): string[] {
  for (const [published, canonical] of layout.renames)
    for (const part of listOf(canonical)) {
      const stars = matcher(part.name)(name);
      if (stars !== undefined) return listOf(published).map((other) => fill(other.name, stars));
    }
  return [name];
}

function converted(
  layout: Layout,
  direction: Direction,
  tensors: ReadonlyMap<string, Tensor>,
): Map<string, Tensor> {
  const result = new Map<string, Tensor>();
  for (const [name, source] of plan(layout, direction, [...tensors.keys()]))
    result.set(name, assemble(source, source.parts.map((part) => tensors.get(part) as Tensor))); // prettier-ignore
  return result;
}

/** Where a tensor comes from: other tensors, joined and brought into a form, and a share of that. */
interface Source {
  readonly direction: Direction;
  readonly parts: readonly string[];
  readonly form: keyof typeof forms | undefined;
  readonly share: Share;
}

/** From `begin` to `end` of `of` equal slices. */
interface Share {
  readonly begin: number;
  readonly end: number;
  readonly of: number;
}
const whole: Share = { begin: 0, end: 1, of: 1 };
const slice = (length: number, { begin, end, of }: Share): [begin: number, end: number] => [
  (length / of) * begin,
  (length / of) * end,
];

function plan(layout: Layout, direction: Direction, names: readonly string[]): Map<string, Source> {
  const ignored = direction === "canonical" ? layout.ignored.map(matcher) : [];
  const rules = layout.renames.flatMap(([published, named, form]) => {
    const [from, to] = direction === "canonical" ? [published, named] : [named, published];
    return listOf(from).map(({ name }) => ({
      match: matcher(name),
      from: listOf(from),
      to: listOf(to),
      form,
    }));
  });
  const present = new Set(names);
  const result = new Map<string, Source>();
  const claims = new Map<string, string>();
  for (const name of names) {
    if (ignored.some((match) => match(name) !== undefined)) continue;
    const unchanged = { from: listOf(name), to: listOf(name), form: undefined, match: () => [] };
    const { from, to, form, match } = rules.find((rule) => rule.match(name) !== undefined) ?? unchanged;
    const stars = match(name) ?? [];
    const parts = from.map((part) => fill(part.name, stars));
    const absent = parts.filter((part) => !present.has(part));
    if (absent.length > 0)
      throw new CliptError(
        "format",
        `"${head(name)}" lacks what belongs to it: ${absent.map((part) => head(part)).join(", ")}.`,
      );
    for (const { name: pattern, share } of to) {
      const target = fill(pattern, stars);
      const rival = claims.get(target);
      if (rival !== undefined && !parts.includes(rival))
        throw new CliptError("format", `"${head(rival)}" and "${head(name)}" are both "${head(target)}".`);
      claims.set(target, name);
      result.set(target, { direction, parts, form, share });
    }
  }
  return result;
}

/** Type and shape of what a source makes of its parts. @throws `format` when they do not fit */
function infoOf(source: Source, parts: readonly TensorInfo[]): TensorInfo {
  const { dtype, shape } = formed(source, joined(source, parts));
  const { share } = source;
  const [rows = 0, ...rest] = shape;
  if (share.of === 1) return { dtype, shape };
  if (shape.length === 0 || rows % share.of !== 0)
    throw new CliptError(
      "format",
      `${named(source)} of shape ${showShape(shape)} does not divide into ${share.of}.`,
    );
  const [begin, end] = slice(rows, share);
  return { dtype, shape: [end - begin, ...rest] };
}

function joined(source: Source, parts: readonly TensorInfo[]): TensorInfo {
  const [first = { dtype: "float32", shape: [] } satisfies TensorInfo] = parts;
  if (parts.length === 1) return first;
  const [, ...rest] = first.shape;
  const fits = ({ dtype, shape }: TensorInfo) =>
    dtype === first.dtype &&
    shape.length === first.shape.length &&
    rest.every((length, i) => length === shape[i + 1]);
  if (first.shape.length === 0 || !parts.every(fits))
    throw new CliptError("format", `${named(source)} differ in type or shape and cannot be joined.`);
  return {
    dtype: first.dtype,
    shape: [parts.reduce((sum, { shape }) => sum + (shape[0] ?? 0), 0), ...rest],
  };
}

function formed({ direction, form, ...source }: Source, { dtype, shape }: TensorInfo): TensorInfo {
  if (form === undefined) return { dtype, shape };
  const result = forms[form][direction](shape);
  if (result === undefined)
    throw new CliptError(
      "format",
      `${named(source)} cannot be ${form}: it has the shape ${showShape(shape)}.`,
    );
  return { dtype, shape: result };
}

const named = ({ parts }: Pick<Source, "parts">): string =>
  parts.map((part) => `"${head(part)}"`).join(" and ");

function assemble(source: Source, parts: readonly Tensor[]): Tensor {
  const { dtype, shape } = infoOf(source, parts);
  const [only] = parts;
  const bytes = only !== undefined && parts.length === 1 ? bytesOf(only) : concatenated(parts);
  const formed =
    source.form === "transposed" ? transposedBytes(dtype, joined(source, parts).shape, bytes) : bytes;
  return tensorFromBytes(dtype, shape, formed.subarray(...slice(formed.length, source.share)));
}

const transposedBytes = (
  dtype: Tensor["dtype"],
  [rows = 0, columns = 0]: Shape,
  bytes: Uint8Array,
): Uint8Array => bytesOf(gather(dtype, [columns, rows], [1, columns], bytes));

function concatenated(parts: readonly Tensor[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { data }) => sum + data.byteLength, 0));
  let position = 0;
  for (const part of parts) {
    bytes.set(bytesOf(part), position);
    position += part.data.byteLength;
  }
  return bytes;
}

/** Names with the shares that they hold. */
function listOf(parts: Parts): { name: string; share: Share }[] {
  if (typeof parts === "string") return [{ name: parts, share: whole }];
  const weighed = parts.map((part) => (typeof part === "string" ? ([part, 1] as const) : part));
  const of = weighed.reduce((sum, [, size]) => sum + size, 0);
  let begin = 0;
  return weighed.map(([name, size]) => ({ name, share: { begin, end: (begin += size), of } }));
}

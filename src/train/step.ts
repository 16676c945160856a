import type { Program, Runtime, Tensors } from "../runtime/index.js";
import { f32, tensor, type Random, type Tensor } from "../tensor/index.js";
import { roleNames, type Role, type Roles } from "./objective.js";
import type { Parameters } from "./optimiser/parameters.js";
import { viewsLike } from "./optimiser/parameters.js";
import {
  backwardGraph,
  featureGraph,
  objectiveGraph,
  wholeGraph,
  type PartShape,
  type StepConfig,
  type StepGraph,
} from "./step-graphs.js";
import type { Mask } from "./tower.js";

/** One part of a batch: as many rows as go through the towers at a time. */
export interface Part {
  /** [pictures, …]: pixels, or values at the cut; pairs first, then labelled pictures. */
  readonly image: Tensor;
  /** int64 [texts, length], or values at the cut [texts, …]; captions, class names, the teacher's class names. */
  readonly text: Tensor;
  /** How many ids of each text are not padding, where the tower need not see padding. */
  readonly lengths?: readonly number[] | undefined;
  readonly rows: Roles<number>;
  /** Group numbers of pairs and of captions, int64; unique over all parts of a batch. */
  readonly pictureGroups: Tensor;
  readonly textGroups: Tensor;
  /** int64 [labelled] */
  readonly labels?: Tensor | undefined;
  /** float32 [pictures, taught classes]: the teacher's logits. */
  readonly teacher?: Tensor | undefined;
}

/**
 * How a batch of several parts is made of them. Both give the loss of the whole batch.
 * "exact": the gradient of the whole batch (Gao et al. 2021, GradCache).
 * "open_clip": the same, but temperature and bias get theirs once per part, as open_clip's `--accum-freq` does.
 */
export type Accumulation = "exact" | "open_clip";

export interface Losses {
  readonly loss: number;
  readonly terms: Readonly<Record<string, number>>;
}

/** Computes losses and gradients; the gradients are left in the parameters. */
export interface Step {
  run(parts: readonly Part[], rng: Random): Promise<Losses>;
}

export interface StepOptions {
  readonly runtime: Runtime;
  readonly config: StepConfig;
  readonly parameters: Parameters;
  /** Every weight that the programs read: trained, frozen, and running statistics, which are updated in place. */
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly accumulation: Accumulation;
}

/** Compiles programs as shapes of batches appear. */
export function openStep({ runtime, config, parameters, weights, accumulation }: StepOptions): Step {
  const compiled = new Map<string, Promise<Compiled>>();
  const program = (kind: string, shape: unknown, build: () => StepGraph): Promise<Compiled> => {
    const key = JSON.stringify([kind, shape]);
    let result = compiled.get(key);
    if (result === undefined) {
      const { outputs, masks } = build();
      result = runtime.compile(outputs).then((program) => ({ program, masks }));
      compiled.set(key, result);
    }
    return result;
  };

  /** Runs a program; gradients go where `gradients` says, running statistics are updated. */
  async function compute(
    { program }: Compiled,
    batch: Tensors,
    gradients: ReadonlyMap<string, Tensor>,
  ): Promise<Record<string, Tensor>> {
    const feeds = Object.fromEntries(program.inputs.map((name) => [name, batch[name] ?? weights.get(name)!]));
    const into = Object.fromEntries(
      program.outputs.flatMap((name) => {
        const view = name.startsWith("gradient.") ? gradients.get(name.slice(9)) : undefined;
        return view === undefined ? [] : [[name, view]];
      }),
    );
    const results = await program.run(feeds, into);
    for (const name of program.outputs)
      if (name.startsWith("statistics."))
        (weights.get(name.slice(11))!.data as Float32Array).set(results[name]!.data as Float32Array);
    return results;
  }

  async function whole(part: Part, rng: Random): Promise<Losses> {
    const shape = shapeOf(part);
    const compiled = await program("whole", shape, () => wholeGraph(config, shape));
    const batch = { ...inputsOf(part), ...draw(compiled.masks, rng) };
    return lossesOf(await compute(compiled, batch, parameters.gradients));
  }

  let scratch: { flat: Float32Array; views: Map<string, Tensor> } | undefined;
  const spare = () => {
    if (scratch === undefined) {
      const flat = new Float32Array(parameters.state.gradients.length);
      scratch = { flat, views: viewsLike(parameters, flat) };
    }
    scratch.flat.fill(0);
    return scratch;
  };

  async function inParts(parts: readonly Part[], rng: Random): Promise<Losses> {
    // Both passes of a part drop the same values.
    const masks: Tensors[] = [];
    const features: Record<string, Tensor>[] = [];
    for (const part of parts) {
      const shape = shapeOf(part);
      const compiled = await program("features", shape, () => featureGraph(config, shape));
      const drawn = draw(compiled.masks, rng);
      masks.push(drawn);
      const frozen = accumulation === "exact" ? snapshot(compiled.program, weights) : undefined;
      features.push(await compute(compiled, { ...inputsOf(part), ...drawn }, noGradients));
      frozen?.();
    }
    const rows = sumOfRows(parts);
    const objective = await program("objective", rows, () => objectiveGraph(config, rows));
    const joined = { ...joinInputs(parts), ...joinRoles(features, rows) };
    const results = await compute(objective, joined, parameters.gradients);
    const repeats = accumulation === "open_clip" ? parts.length : 1;
    if (repeats > 1)
      for (const name of objective.program.outputs)
        if (name.startsWith("gradient.")) scale(parameters.gradients.get(name.slice(9))!, repeats);
    const begin = Object.fromEntries(roleNames.map((role) => [role, 0])) as Record<Role, number>;
    for (const [i, part] of parts.entries()) {
      const shape = shapeOf(part);
      const compiled = await program("backward", shape, () => backwardGraph(config, shape));
      const cotangents = Object.fromEntries(
        roleNames.flatMap((role) => {
          const end = begin[role] + part.rows[role];
          if (end === begin[role]) return [];
          const rows = rowsBetween(results[`cotangent.${role}`]!, begin[role], end);
          begin[role] = end;
          return [[`cotangent.${role}`, rows]];
        }),
      );
      const { flat, views } = spare();
      await compute(compiled, { ...inputsOf(part), ...masks[i], ...cotangents }, views);
      add(parameters.state.gradients, flat);
    }
    return lossesOf(results);
  }

  return {
    async run(parts, rng) {
      if (parts.length === 1) return whole(parts[0]!, rng);
      parameters.state.gradients.fill(0);
      return inParts(parts, rng);
    },
  };
}

interface Compiled {
  readonly program: Program;
  readonly masks: readonly Mask[];
}

const noGradients: ReadonlyMap<string, Tensor> = new Map();

/** Padding is left out where it is more than this share: below, putting tokens together costs more than it spares. */
const padded = 0.1;

/** Lengths of packed texts are symbols: one program takes them all. */
export function shapeOf({ image, text, lengths, rows }: Part): PartShape {
  const packed = lengths !== undefined && tokensOf(lengths) < (1 - padded) * text.data.length;
  return {
    image: { shape: image.shape, dtype: image.dtype },
    text: {
      dtype: text.dtype,
      ...(packed ? { shape: [text.shape[0]!, "length"], tokens: "tokens" } : { shape: text.shape }),
    },
    rows,
  };
}

const tokensOf = (lengths: readonly number[]): number => lengths.reduce((a, b) => a + b, 0);

function inputsOf(part: Part): Tensors {
  return {
    "batch.image": part.image,
    "batch.text": part.text,
    ...(part.lengths === undefined ? {} : packingOf(part.lengths, part.text.shape[1]!)),
    ...targetsOf(part),
  };
}

/** Where each token stands in [texts, length], and which token stands at each place. */
function packingOf(lengths: readonly number[], length: number): Tensors {
  const places = new BigInt64Array(tokensOf(lengths));
  const rows = new BigInt64Array(lengths.length * length).fill(-1n);
  let token = 0;
  for (const [text, own] of lengths.entries())
    for (let i = 0; i < own; i++, token++) {
      const place = text * length + i;
      places[token] = BigInt(place);
      rows[place] = BigInt(token);
    }
  return {
    "batch.places": tensor("int64", [places.length], places),
    "batch.rows": tensor("int64", [rows.length], rows),
  };
}

const targetsOf = ({ pictureGroups, textGroups, labels, teacher }: Part): Tensors => ({
  "batch.pictureGroups": pictureGroups,
  "batch.textGroups": textGroups,
  ...(labels === undefined ? {} : { "batch.labels": labels }),
  ...(teacher === undefined ? {} : { "batch.teacher": teacher }),
});

/** Masks hold 0 where a value is dropped, and elsewhere what keeps the expectation. */
function draw(masks: readonly Mask[], rng: Random): Record<string, Tensor> {
  return Object.fromEntries(
    masks.map(({ name, shape, rate }) => {
      const kept = 1 / (1 - rate);
      const mask = f32(shape, new Float32Array(shape.reduce((a, b) => a * b, 1)));
      for (let i = 0; i < mask.data.length; i++) mask.data[i] = rng.next() < rate ? 0 : kept;
      return [name, mask];
    }),
  );
}

function lossesOf(results: Readonly<Record<string, Tensor>>): Losses {
  const terms = Object.entries(results).flatMap(([name, { data }]) =>
    name.startsWith("term.") ? [[name.slice(5), Number(data[0])] as const] : [],
  );
  return { loss: Number(results["loss"]!.data[0]), terms: Object.fromEntries(terms) };
}

/** Keeps running statistics that a program is about to change; the result puts them back. */
function snapshot(program: Program, weights: ReadonlyMap<string, Tensor>): () => void {
  const kept = program.outputs.flatMap((name) => {
    const data = name.startsWith("statistics.") ? weights.get(name.slice(11))?.data : undefined;
    return data === undefined
      ? []
      : [[data as Float32Array, Float32Array.from(data as Float32Array)] as const];
  });
  return () => {
    for (const [data, old] of kept) data.set(old);
  };
}

const sumOfRows = (parts: readonly Part[]): Roles<number> =>
  Object.fromEntries(
    roleNames.map((role) => [role, parts.reduce((sum, { rows }) => sum + rows[role], 0)]),
  ) as Record<Role, number>;

/** Targets of all parts, one after another; the teacher's rows with all pairs first, as the objective has them. */
function joinInputs(parts: readonly Part[]): Tensors {
  const all = (key: "pictureGroups" | "textGroups" | "labels"): Tensor | undefined =>
    joinRows(parts.flatMap((part) => part[key] ?? []));
  const teacher = parts.flatMap(({ teacher, rows }) =>
    teacher === undefined
      ? []
      : [
          {
            pairs: rowsBetween(teacher, 0, rows.pairs),
            rest: rowsBetween(teacher, rows.pairs, teacher.shape[0]!),
          },
        ],
  );
  const taught = joinRows([...teacher.map(({ pairs }) => pairs), ...teacher.map(({ rest }) => rest)]);
  return targetsOf({
    pictureGroups: all("pictureGroups")!,
    textGroups: all("textGroups")!,
    labels: all("labels"),
    teacher: taught,
  } as Part);
}

function joinRoles(features: readonly Record<string, Tensor>[], rows: Roles<number>): Tensors {
  return Object.fromEntries(
    roleNames.flatMap((role) =>
      rows[role] === 0
        ? []
        : [[`feature.${role}`, joinRows(features.flatMap((part) => part[`feature.${role}`] ?? []))!]],
    ),
  );
}

/** Tensors of equal rows, one below the other. */
function joinRows(tensors: readonly Tensor[]): Tensor | undefined {
  const first = tensors[0];
  if (first === undefined) return undefined;
  const rows = tensors.reduce((sum, { shape }) => sum + shape[0]!, 0);
  const data = new (first.data.constructor as Float32ArrayConstructor)(
    tensors.reduce((sum, { data }) => sum + data.length, 0),
  );
  let position = 0;
  for (const tensor of tensors) {
    data.set(tensor.data as Float32Array, position);
    position += tensor.data.length;
  }
  return { dtype: first.dtype, shape: [rows, ...first.shape.slice(1)], data };
}

function rowsBetween({ dtype, shape, data }: Tensor, begin: number, end: number): Tensor {
  const width = data.length / shape[0]!;
  return {
    dtype,
    shape: [end - begin, ...shape.slice(1)],
    data: data.subarray(begin * width, end * width) as Float32Array,
  };
}

function scale({ data }: Tensor<"float32">, factor: number): void {
  for (let i = 0; i < data.length; i++) data[i]! *= factor;
}

function add(to: Float32Array, from: Float32Array): void {
  for (let i = 0; i < to.length; i++) to[i]! += from[i]!;
}

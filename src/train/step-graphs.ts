import {
  add,
  gradients,
  input,
  mul,
  slice,
  sum,
  topological,
  type Block,
  type Packing,
  type Value,
} from "../graph/index.js";
import {
  encodeImage,
  encodeText,
  isSpec,
  tokensOf,
  type ClipConfig,
  type ClipWeights,
  type Spec,
} from "../model/index.js";
import { mapTree, product, type Dim, type DType, type Shape } from "../tensor/index.js";
import {
  objectiveTerms,
  pictureRoles,
  roleNames,
  textRoles,
  type Objective,
  type Role,
  type Roles,
} from "./objective.js";
import { inSlices } from "./slices.js";
import { trainedPart, type Forward, type Mask, type Pass } from "./tower.js";

/** All that decides the programs of a training step but the shapes of its batch. */
export interface StepConfig {
  readonly config: ClipConfig;
  readonly spec: ClipWeights<Spec>;
  readonly objective: Objective;
  /** Type in which a weight is fed: tables of some towers are bytes. */
  readonly dtypeOf: (name: string) => DType;
  /** Names of the weights that are trained. */
  readonly trained: readonly string[];
  /** Shape of one picture: [3, height, width]. */
  readonly picture: readonly number[];
  /** Points at which the towers' frozen parts end; the batch holds the values there. */
  readonly cuts?: { readonly image?: string | undefined; readonly text?: string | undefined } | undefined;
  /** Whether batch norm uses the statistics of the batch, by tower. */
  readonly batchStatistics?: { readonly image?: boolean; readonly text?: boolean } | undefined;
  /** Computes blocks again on the way back instead of keeping their values: memory for time. */
  readonly recompute?: boolean | undefined;
}

/** Shape of one input of a tower. */
export interface InputType {
  readonly shape: Shape;
  readonly dtype: DType;
  /** Texts whose padding is left out: how many tokens they are. */
  readonly tokens?: Dim | undefined;
}

/** Shapes of one part of a batch; equal ones share programs. */
export interface PartShape {
  readonly image: InputType;
  readonly text: InputType;
  readonly rows: Roles<number>;
}

export type Outputs = Record<string, Value>;
export interface StepGraph {
  readonly outputs: Outputs;
  readonly masks: readonly Mask[];
}

/** Forward pass, loss and gradients of a batch in one program: "loss", "term.…", "gradient.…", "statistics.…". */
export function wholeGraph(step: StepConfig, shape: PartShape): StepGraph {
  const { features, statistics, blocks, masks, weights } = forward(step, shape);
  const terms = objectiveTerms(step.objective, weights, features);
  const loss = total(terms);
  return {
    outputs: { ...lossOutputs(loss, terms), ...statistics, ...gradientOutputs(step, loss, blocks) },
    masks,
  };
}

/** The towers alone: "feature.ROLE" and "statistics.…". */
export function featureGraph(step: StepConfig, shape: PartShape): StepGraph {
  const { features, statistics, masks } = forward(step, shape);
  const outputs = Object.fromEntries(
    Object.entries(features).map(([role, value]) => [`feature.${role}`, value]),
  );
  return { outputs: { ...outputs, ...statistics }, masks };
}

/** The loss of features that are given: "loss", "term.…", "cotangent.ROLE", and the gradients of temperatures. */
export function objectiveGraph(step: StepConfig, rows: Roles<number>): StepGraph {
  const features: Partial<Record<Role, Value>> = {};
  for (const role of roleNames)
    if (rows[role] > 0) features[role] = input(`feature.${role}`, [rows[role], step.config.embedDim]);
  const terms = objectiveTerms(step.objective, weightInputs(step), features);
  const loss = total(terms);
  const roles = Object.keys(features);
  const cotangents = gradients(loss, Object.values(features));
  return {
    outputs: {
      ...lossOutputs(loss, terms),
      ...Object.fromEntries(roles.map((role, i) => [`cotangent.${role}`, cotangents[i]!])),
      ...gradientOutputs(step, loss, []),
    },
    masks: [],
  };
}

/** The way back from the features of one part, given the gradient that arrives at them: "gradient.…", "statistics.…". */
export function backwardGraph(step: StepConfig, shape: PartShape): StepGraph {
  const { features, statistics, blocks, masks } = forward(step, shape);
  const arriving = Object.entries(features).map(([role, value]) =>
    sum(mul(value, input(`cotangent.${role}`, value.shape))),
  );
  const scalar = arriving.reduce((a, b) => add(a, b));
  return { outputs: { ...statistics, ...gradientOutputs(step, scalar, blocks) }, masks };
}

/** Names of the weights that the towers read behind their cuts. */
export function readBehindCuts(step: Omit<StepConfig, "trained" | "objective">): Set<string> {
  const shape: PartShape = {
    image: { shape: [2, ...step.picture], dtype: "float32" },
    text: { shape: [2, 8], dtype: "int64" },
    rows: { pairs: 2, labelled: 0, captions: 2, classes: 0, taught: 0 },
  };
  const { features } = forward(step, shape);
  return new Set(inputsOf(Object.values(features)).keys());
}

function inputsOf(results: readonly Value[]): Map<string, Value> {
  const found = new Map<string, Value>();
  for (const { op, attrs, outputs } of topological(results))
    if (op.name === "input") found.set((attrs as { name: string }).name, outputs[0]!);
  return found;
}

interface ForwardPass {
  readonly features: Partial<Roles<Value>>;
  readonly statistics: Outputs;
  readonly blocks: readonly Block[];
  readonly masks: readonly Mask[];
  readonly weights: ClipWeights<Value>;
}

function forward(
  step: Omit<StepConfig, "trained" | "objective">,
  { image, text, rows }: PartShape,
): ForwardPass {
  const weights = weightInputs(step);
  const masks: Mask[] = [];
  const tower = (name: "image" | "text", type: InputType, forward: Forward): Pass | undefined => {
    const roles = name === "image" ? pictureRoles : textRoles;
    if (roles.every((role) => rows[role] === 0)) return undefined;
    const cut = step.cuts?.[name];
    const sliced = inSlices(forward, (x) => tokensOf[name](step.config, x));
    return trainedPart(sliced, cut === undefined ? ownInput(name, type) : beforeCut(name, type), name, {
      cut,
      batchStatistics: step.batchStatistics?.[name] ?? false,
      packing: packingInputs(type),
      masks,
    });
  };
  const ownInput = (name: string, { shape, dtype }: InputType): Value => input(`batch.${name}`, shape, dtype);
  // A cut replaces it: only its rows count, and that the tower takes it.
  const beforeCut = (name: string, { shape: [rows] }: InputType): Value =>
    name === "image"
      ? input("uncut.image", [rows!, ...step.picture])
      : input("uncut.text", [rows!, 8], "int64");
  const pictures = tower("image", image, (x, context) => encodeImage(step.config, weights, x, context));
  const texts = tower("text", text, (x, context) => encodeText(step.config, weights, x, context));
  const statistics = [...(pictures?.statistics ?? []), ...(texts?.statistics ?? [])];
  return {
    features: {
      ...apart(pictures?.features, pictureRoles, rows),
      ...apart(texts?.features, textRoles, rows),
    },
    statistics: Object.fromEntries(statistics.map(([name, value]) => [`statistics.${name}`, value])),
    blocks: step.recompute === true ? [...(pictures?.blocks ?? []), ...(texts?.blocks ?? [])] : [],
    masks,
    weights,
  };
}

const packingInputs = ({ shape, tokens }: InputType): Packing | undefined =>
  tokens === undefined
    ? undefined
    : {
        places: input("batch.places", [tokens], "int64"),
        rows: input("batch.rows", [product(shape)], "int64"),
      };

/** Rows of a tower by the role that they play. */
function apart(
  features: Value | undefined,
  roles: readonly Role[],
  rows: Roles<number>,
): Partial<Record<Role, Value>> {
  const result: Partial<Record<Role, Value>> = {};
  let begin = 0;
  for (const role of roles) {
    const end = begin + rows[role];
    if (features !== undefined && end > begin)
      result[role] = end - begin === features.shape[0] ? features : slice(features, 0, begin, end);
    begin = end;
  }
  return result;
}

/** Every weight is an input of the program, under its own name. */
export const weightInputs = ({ spec, dtypeOf }: Pick<StepConfig, "spec" | "dtypeOf">): ClipWeights<Value> =>
  mapTree<ClipWeights<Spec>, Spec, Value>(spec, isSpec, ({ shape }, name) =>
    input(name, shape, dtypeOf(name)),
  ) as ClipWeights<Value>;

const total = (terms: Readonly<Record<string, Value>>): Value =>
  Object.values(terms).reduce((a, b) => add(a, b));

const lossOutputs = (loss: Value, terms: Readonly<Record<string, Value>>): Outputs => ({
  loss,
  ...Object.fromEntries(Object.entries(terms).map(([name, value]) => [`term.${name}`, value])),
});

/** Gradients of the trained weights that the scalar depends on. */
function gradientOutputs({ trained }: StepConfig, loss: Value, recompute: readonly Block[]): Outputs {
  const leaves = inputsOf([loss]);
  const reached = trained.filter((name) => leaves.has(name));
  const values = gradients(
    loss,
    reached.map((name) => leaves.get(name)!),
    { recompute },
  );
  return Object.fromEntries(reached.map((name, i) => [`gradient.${name}`, values[i]!]));
}

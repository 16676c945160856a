import { f32, mapTree, sizeOf, type Mapped, type Random, type Tensor } from "../tensor/index.js";

/** How a new weight is drawn, as data. Uniform: from −bound to bound. */
export type Init =
  | { readonly kind: "constant"; readonly value: number }
  | { readonly kind: "normal"; readonly std: number }
  | { readonly kind: "uniform"; readonly bound: number };

/** One weight of a model before it has numbers: the leaf of a record that describes which weights there are. */
export interface Spec {
  readonly shape: readonly number[];
  readonly init: Init;
  /** A number that is kept up by the forward pass and not by the optimiser: running statistics. */
  readonly buffer?: boolean;
}

export const isSpec = (x: unknown): x is Spec =>
  typeof x === "object" && x !== null && "shape" in x && "init" in x;

export const zerosSpec = (...shape: number[]): Spec => filledSpec(0, shape);
export const onesSpec = (...shape: number[]): Spec => filledSpec(1, shape);
export const filledSpec = (value: number, shape: readonly number[]): Spec => ({
  shape,
  init: { kind: "constant", value },
});
export const normalSpec = (std: number, ...shape: number[]): Spec => ({
  shape,
  init: { kind: "normal", std },
});
export const uniformSpec = (bound: number, ...shape: number[]): Spec => ({
  shape,
  init: { kind: "uniform", bound },
});

/**
 * New weights for a model, drawn in the record's own order: the same seed gives the same model.
 *
 * @returns the same record with a float32 tensor at each leaf
 */
export const initialise = <R>(record: R, rng: Random): Mapped<R, Spec, Tensor> =>
  mapTree<R, Spec, Tensor>(record, isSpec, ({ shape, init }) => {
    const draw = draws[init.kind](init as never, rng);
    return f32(shape, Float32Array.from({ length: sizeOf(shape) }, draw));
  });

const draws: {
  readonly [K in Init["kind"]]: (init: Extract<Init, { kind: K }>, rng: Random) => () => number;
} = {
  constant:
    ({ value }) =>
    () =>
      value,
  normal:
    ({ std }, rng) =>
    () =>
      std * rng.normal(),
  uniform:
    ({ bound }, rng) =>
    () =>
      bound * (2 * rng.next() - 1),
};

import type { Value } from "../../graph/index.js";
import type { Shape } from "../../tensor/index.js";
import type { Context } from "../context.js";

/** A weight with a row for each place of a tower's input. */
export interface PositionTable {
  /** Its name: a dotted path among the tower's weights. */
  readonly name: string;
  /** Rows before those of the places: the class token's. */
  readonly extra: number;
  /** [height, width] of the grid of patches, or [length] of a text. */
  readonly places: readonly number[];
}

/** The grid of whole patches that a picture is cut into. */
export const patchGrid = (
  imageSize: readonly [number, number],
  patchSize: number,
): readonly [number, number] => [Math.floor(imageSize[0] / patchSize), Math.floor(imageSize[1] / patchSize)];

/** `Tower.tokens` of towers that see texts. */
export const textTokens = (_: unknown, [, length]: Shape): number | undefined =>
  typeof length === "number" ? length : undefined;

/**
 * One kind of tower: which weights a configuration has, and the function of them.
 * `S` and `V` are the same record over specs and over values; dotted paths in it are the published weights' names.
 */
export interface Tower<Config extends { readonly kind: string }, S, V> {
  /** @param embedDim width of the space that pictures and texts share */
  spec(config: Config, embedDim: number): S;
  /**
   * @param input pixels [batch, 3, height, width], or ids int64 [batch, length]
   * @returns     [batch, embedDim], not normalised
   */
  forward(config: Config, weights: V, input: Value, context: Context): Value;
  /**
   * Text towers whose result depends on the padding behind a text: their rows are always as long as the context.
   * All others may be given rows cut to the longest of a batch.
   */
  readsPadding?(config: Config): boolean;
  /** The tower's table of positions, where it has one that can be stretched. */
  positions?(config: Config): PositionTable;
  /**
   * Rows that the tower's layers compute for one input of this shape. Only towers whose inputs do not see one another have
   * it: a batch may then be computed in parts.
   */
  tokens?(config: Config, input: Shape): number | undefined;
  /** Text towers that compute less where texts are shorter than their rows, when told by `context.packing`. */
  packs?(config: Config): boolean;
  /** Those of them whose tokens see only the ones before them: equal beginnings of texts may be packed as one. */
  sharesPrefixes?(config: Config): boolean;
}

import type { Packing, Value } from "../graph/index.js";

/** What training or an inspection adds to a forward pass. Without any of it the pass is the plain function. */
export interface Context {
  /**
   * Told of values on the way, by the names of the reference: "image.block.0", "text.pooled". Without it, nobody sees
   * what a tower's pool does not read, and the last block computes only what it reads.
   */
  tap?(name: string, value: Value): void;
  /**
   * Present: batch norm uses the statistics of the batch, and notes here what the running ones become, under the
   * names of their weights.
   */
  readonly statistics?: Map<string, Value>;
  /** Drops values at a rate and scales the others up. */
  dropout?(x: Value, rate: number): Value;
  /** Where the tokens of texts stand in ids [batch, length]: a tower that `packs` leaves the padding out. */
  readonly packing?: Packing | undefined;
  /** Told of blocks that may be computed twice instead of being kept for the way back. */
  block?(inputs: readonly Value[], output: Value): void;
}

import type { Code, Seed } from "../../tensor/index.js";
import type { Sample } from "./sample.js";

/** Why a sample has no row. */
export interface Broken {
  readonly reason: string;
  /** Of the error that it was. */
  readonly code?: Code;
}

/** Turns samples into rows of numbers: decoded pictures, or cached features. */
export interface RowReader {
  /** Shape of one row; every row has it. */
  readonly shape: readonly number[];
  /** Reads that keep it busy; more than these only wait. */
  readonly parallel: number;
  /**
   * The sample's row. The seed decides everything random about it (crop, version); without one nothing is random.
   * A sample that cannot be used resolves to the reason. Rejects only when the reader itself is broken or closed.
   */
  read(sample: Sample, seed?: Seed): Promise<Float32Array | Broken>;
  /** Ends it at once; reads under way are rejected. */
  close(): Promise<void>;
}

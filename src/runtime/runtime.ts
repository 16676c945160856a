import type { Value } from "../graph/index.js";
import type { Tensor } from "../tensor/index.js";
import type { OnnxFile } from "./onnx-file.js";

/** Where a program runs. */
export type Device = "cpu" | "webgpu" | "cuda" | "coreml";

export interface RuntimeOptions {
  readonly device?: Device | undefined;
  /** Threads that one program uses inside; 0 or absent: one per physical core. */
  readonly threads?: number | undefined;
}

export type Tensors = Readonly<Record<string, Tensor>>;

/** A compiled program. Runs may be asked for at any time: they queue where the engine computes one at a time. */
export interface Program {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /**
   * Computes all outputs.
   *
   * @param feeds one tensor per input; more is an error, less is an error
   * @param into  tensors to write results to, by output name; others are allocated
   * @throws `shape` when feeds do not fit the program, `cancelled` after `close`
   */
  run(feeds: Tensors, into?: Tensors): Promise<Record<string, Tensor>>;
  /** Frees the program; repeated calls do nothing. */
  close(): Promise<void>;
}

/** Turns graphs into programs. The one contract behind which an engine stands; its suite is `runtime-suite.ts`. */
export interface Runtime {
  readonly device: Device;
  compile(outputs: Readonly<Record<string, Value>>): Promise<Program>;
  /**
   * Opens somebody else's program as it is.
   *
   * @throws `unsupported` when the engine cannot run it
   */
  load(file: OnnxFile): Promise<Program>;
  /** Closes every program and frees threads. */
  close(): Promise<void>;
}

import type { Tensor } from "../tensor/index.js";
import type { TensorInfo } from "./bytes.js";

/** Where a tensor's numbers lie, dense and little-endian, for those who map files. */
export interface Location {
  readonly path: string;
  readonly offset: number;
  readonly length: number;
}

/** Weights on disk. Only names, types and shapes have been read; numbers are read one tensor at a time. */
export interface WeightsFile {
  /** The file or folder. */
  readonly path: string;
  /** Texts that a safetensors file carries beside its tensors; {} elsewhere. */
  readonly metadata: Readonly<Record<string, string>>;
  names(): string[];
  /** @throws `missing` for a name that is not there */
  entry(name: string): TensorInfo;
  /** Reads the bytes of this tensor and no others. @throws `missing`, `format`, `io` */
  read(name: string): Promise<Tensor>;
  /** Undefined where the numbers are packed or strided. @throws `missing` */
  location(name: string): Location | undefined;
  close(): Promise<void>;
}

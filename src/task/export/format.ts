import type { Model } from "../../model/index.js";
import type { Context } from "../task.js";

/** How the numbers of weights are kept: 4, 2 or 1 byte each. */
export const exportDtypes = ["fp32", "fp16", "bf16", "q8"] as const;
export type ExportDtype = (typeof exportDtypes)[number];

/** Choices that not every format has. */
export interface ExportOptions<D extends ExportDtype = ExportDtype> {
  readonly dtype: D;
  /** The towers as models of their own, without the joint one. */
  readonly split: boolean;
}

export interface ExportJob<D extends ExportDtype> extends ExportOptions<D> {
  /** What was asked for: a folder or a file. */
  readonly path: string;
  /** The folder to write; it is there. */
  readonly out: string;
  readonly context: Context;
  /** The model at `path`. */
  readonly open: () => Promise<Model>;
}

export interface Exported {
  /** What was written, relative to the folder. */
  readonly files: readonly string[];
  /** What whoever uses the files has to know: where another program's results differ, which command goes on with them. */
  readonly notes: readonly string[];
  /** What goes on with them, for the shell. */
  readonly command?: string;
}

/** Another project's layout of a model. */
export interface ExportFormat {
  /** What the layout is and who reads it. */
  readonly summary: string;
  /** The types of numbers that it has; giving it others is an error. */
  readonly dtypes: readonly ExportDtype[];
  /** Whether its towers can stand alone. */
  readonly splits: boolean;
  /** Loaded when it is chosen. @returns what writes the files, for the types of numbers above */
  load(): Promise<(job: ExportJob<never>) => Promise<Exported>>;
}

import type { Colors } from "picocolors/types.js";
import type { Io } from "../io.js";

/** What a view may draw on. */
export interface Screen {
  readonly colors: Colors;
  /** Characters in a line. */
  readonly columns: number;
  readonly env: Io["env"];
  /** Pictures were asked for (`--show`). */
  readonly show: boolean;
}

/** A result as text for people. */
export type View = (output: unknown, screen: Screen) => string | Promise<string>;

import type { Program } from "../runtime/index.js";

/** A program that is compiled at its first use, once even when several ask at the same time. */
export function once(compile: () => Promise<Program>): { get(): Promise<Program>; close(): Promise<void> } {
  let program: Promise<Program> | undefined;
  return {
    get: () => (program ??= compile()),
    close: async () => (await program)?.close(),
  };
}

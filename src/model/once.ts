import type { Program } from "../runtime/index.js";

/** A program that is compiled at its first use, once even when several ask at the same time. */
export function once<P extends Program>(
  compile: () => Promise<P>,
): { get(): Promise<P>; close(): Promise<void> } {
  let program: Promise<P> | undefined;
  return {
    get: () => (program ??= compile()),
    close: async () => (await program)?.close(),
  };
}

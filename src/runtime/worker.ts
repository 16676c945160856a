import { parentPort } from "node:worker_threads";
import { CliptError, messageOf, type Code } from "../tensor/index.js";
import type { Compiled } from "./compile.js";
import type { Program, RuntimeOptions, Tensors } from "./runtime.js";
import { openSession } from "./session.js";

/** What a thread of `workerRuntime` is asked, and answers. Every request has a number, which its answer repeats. */
export type Request =
  | {
      readonly id: number;
      readonly kind: "open";
      readonly program: number;
      readonly model: Compiled;
      readonly options: RuntimeOptions;
    }
  | { readonly id: number; readonly kind: "run"; readonly program: number; readonly feeds: Tensors }
  | { readonly id: number; readonly kind: "close"; readonly program: number };

export type Answer =
  | {
      readonly id: number;
      readonly ok: true;
      readonly value: { inputs: readonly string[]; outputs: readonly string[] } | Tensors | undefined;
    }
  | { readonly id: number; readonly ok: false; readonly code: Code; readonly message: string };

const programs = new Map<number, Program>();

async function answer(request: Request): Promise<Extract<Answer, { ok: true }>["value"]> {
  if (request.kind === "open") {
    const program = await openSession(request.model, request.options);
    programs.set(request.program, program);
    return { inputs: program.inputs, outputs: program.outputs };
  }
  const program = programs.get(request.program);
  if (request.kind === "run") {
    if (program === undefined) throw new CliptError("cancelled", "The program is closed.");
    return program.run(request.feeds);
  }
  programs.delete(request.program);
  await program?.close();
  return undefined;
}

parentPort?.on("message", (request: Request) => {
  void answer(request).then(
    (value) => {
      const buffers =
        request.kind === "run"
          ? Object.values(value as Tensors).map((t) => t.data.buffer as ArrayBuffer)
          : [];
      parentPort!.postMessage({ id: request.id, ok: true, value } satisfies Answer, [...new Set(buffers)]);
    },
    (error: unknown) => {
      const code = error instanceof CliptError ? error.code : "shape";
      parentPort!.postMessage({
        id: request.id,
        ok: false,
        code,
        message: messageOf(error),
      } satisfies Answer);
    },
  );
});

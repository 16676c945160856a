import { compile } from "./compile.js";
import type { Program, Runtime, RuntimeOptions } from "./runtime.js";
import { openSession } from "./session.js";

/**
 * ONNX Runtime in this thread: a run blocks the event loop until it is done.
 * Right for training, whose loop has nothing else to do; `workers` is right where others wait.
 */
export function nodeRuntime(options: RuntimeOptions = {}): Runtime {
  const programs = new Set<Program>();
  return {
    device: options.device ?? "cpu",
    async compile(outputs) {
      const program = await compile(outputs, (model) => openSession(model, options));
      programs.add(program);
      return program;
    },
    async close() {
      await Promise.all([...programs].map((program) => program.close()));
      programs.clear();
    },
  };
}

import { compile, type Compiled } from "./compile.js";
import type { Program, Runtime, RuntimeOptions } from "./runtime.js";
import { openSession } from "./session.js";

/**
 * ONNX Runtime in this thread: a run blocks the event loop until it is done.
 * Right for training, whose loop has nothing else to do; `workers` is right where others wait.
 */
export function nodeRuntime(options: RuntimeOptions = {}): Runtime {
  const programs = new Set<Program>();
  const open = async (model: Compiled): Promise<Program> => {
    const program = await openSession(model, options);
    programs.add(program);
    return program;
  };
  return {
    device: options.device ?? "cpu",
    compile: (outputs) => compile(outputs, open),
    load: ({ path }) => open({ model: path }),
    async close() {
      await Promise.all([...programs].map((program) => program.close()));
      programs.clear();
    },
  };
}

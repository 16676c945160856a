import { encodeModel } from "./onnx/encode.js";
import { layOut } from "./model-folder.js";
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
      const model = encodeModel(outputs);
      if (model.files.size === 0) return keep(await openSession(model.bytes, options));
      const { path, remove } = await layOut(model);
      try {
        return keep(await openSession(path, options));
      } finally {
        await remove();
      }
    },
    async close() {
      await Promise.all([...programs].map((program) => program.close()));
      programs.clear();
    },
  };

  function keep(program: Program): Program {
    programs.add(program);
    return program;
  }
}

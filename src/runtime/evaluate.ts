import type { Value } from "../graph/index.js";
import type { Tensor } from "../tensor/index.js";
import { nodeRuntime } from "./node.js";
import type { RuntimeOptions, Tensors } from "./runtime.js";

/** Computes values once: compiles, runs, frees. For tests, tools and one-time work. */
export async function evaluate<R extends Readonly<Record<string, Value>>>(
  outputs: R,
  feeds: Tensors = {},
  options: RuntimeOptions = {},
): Promise<{ [K in keyof R]: Tensor }> {
  const runtime = nodeRuntime(options);
  try {
    const program = await runtime.compile(outputs);
    return (await program.run(feeds)) as { [K in keyof R]: Tensor };
  } finally {
    await runtime.close();
  }
}

import "./no-telemetry.js";
import { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import { CliptError, messageOf, type DType, type Tensor } from "../tensor/index.js";
import type { Compiled } from "./compile.js";
import type { Program, RuntimeOptions, Tensors } from "./runtime.js";

/** ONNX Runtime's session options for a device. */
function sessionOptions(
  { device = "cpu", threads = 0 }: RuntimeOptions,
  folder: string | undefined,
): InferenceSession.SessionOptions {
  return {
    executionProviders: [device],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: "sequential",
    graphOptimizationLevel: "all",
    // The memory pattern reserves the peak of every shape ever seen: off, a training step needs a third less.
    enableMemPattern: false,
    logSeverityLevel: 3,
    // Spinning threads burn the cores that decoding needs.
    extra: {
      session: {
        intra_op: { allow_spinning: "0" },
        ...(folder === undefined ? {} : { model_external_initializers_file_folder_path: folder }),
      },
    },
  };
}

/** Opens a compiled program. */
export async function openSession({ model, folder }: Compiled, options: RuntimeOptions): Promise<Program> {
  let session: InferenceSession;
  try {
    // One call for the compiler that tells the two kinds apart.
    session = await InferenceSession.create(model as string, sessionOptions(options, folder));
  } catch (cause) {
    const device = options.device ?? "cpu";
    throw new CliptError(
      "unsupported",
      `ONNX Runtime cannot run this model on ${device}: ${messageOf(cause)}`,
      { cause },
    );
  }
  let queue: Promise<unknown> = Promise.resolve();
  let closed = false;

  const compute = async (feeds: Tensors, into: Tensors): Promise<Record<string, Tensor>> => {
    if (closed) throw new CliptError("cancelled", "The program is closed.");
    checkFeeds(feeds, session.inputNames);
    const fetches = Object.fromEntries(
      session.outputNames.map((name) => [name, into[name] ? toOrt(into[name]) : null]),
    );
    let results: InferenceSession.OnnxValueMapType;
    try {
      results = await session.run(mapValues(feeds, toOrt), fetches);
    } catch (cause) {
      throw new CliptError("shape", `The program failed while running: ${messageOf(cause)}`, { cause });
    }
    return mapValues(results as Record<string, OrtTensor>, fromOrt);
  };

  return {
    inputs: session.inputNames,
    outputs: session.outputNames,
    run(feeds, into = {}) {
      const result = queue.then(() => compute(feeds, into));
      queue = result.catch(() => undefined);
      return result;
    },
    async close() {
      if (closed) return;
      closed = true;
      await queue;
      await session.release();
    },
  };
}

function checkFeeds(feeds: Tensors, names: readonly string[]): void {
  const missing = names.filter((name) => !(name in feeds));
  const unknown = Object.keys(feeds).filter((name) => !names.includes(name));
  if (missing.length + unknown.length === 0) return;
  const say = (what: string, list: readonly string[]) =>
    list.length > 0 ? ` ${what}: ${list.slice(0, 5).join(", ")}.` : "";
  throw new CliptError(
    "shape",
    `The program's inputs do not fit.${say("Missing", missing)}${say("Unknown", unknown)}`,
  );
}

const mapValues = <A, B>(record: Readonly<Record<string, A>>, change: (value: A) => B): Record<string, B> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));

/** Where the platform has Float16Array (Node 24), ONNX Runtime wants it; elsewhere it takes the bits. */
const HalfArray = (
  globalThis as {
    Float16Array?: new (buffer: ArrayBufferLike, offset: number, length: number) => ArrayBufferView;
  }
).Float16Array;

function toOrt({ dtype, shape, data: given }: Tensor): OrtTensor {
  // ONNX Runtime refuses memory that threads share.
  const data = given.buffer instanceof SharedArrayBuffer ? given.slice() : given;
  const half = dtype === "float16" && HalfArray !== undefined;
  const view = half ? new HalfArray(data.buffer, data.byteOffset, data.length) : data;
  return new OrtTensor(dtype as "float32", view as Float32Array, shape);
}

function fromOrt({ type, dims, data }: OrtTensor): Tensor {
  if (type === "string") throw new CliptError("unsupported", "The model returns strings.");
  const view = data as Exclude<typeof data, string[]> & ArrayBufferView;
  const bits = type === "float16" ? new Uint16Array(view.buffer, view.byteOffset, view.byteLength / 2) : view;
  return { dtype: type as DType, shape: dims, data: bits };
}

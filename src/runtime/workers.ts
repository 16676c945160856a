import "./no-telemetry.js";
import { Worker } from "node:worker_threads";
import { CliptError, type Tensor } from "../tensor/index.js";
import { compile, type Compiled } from "./compile.js";
import type { Program, Runtime, RuntimeOptions } from "./runtime.js";
import type { Answer, Request } from "./worker.js";

export interface WorkerOptions extends RuntimeOptions {
  /** Threads that each hold every program; runs go to the one with the least to do. */
  readonly workers?: number;
}

/**
 * ONNX Runtime in threads of its own: the event loop stays free, and runs of different batches overlap.
 * Feeds are copied to the thread, results are handed over without a copy; `into` is not used.
 */
export function workerRuntime({ workers = 1, ...options }: WorkerOptions = {}): Runtime {
  const threads = Array.from({ length: workers }, () => new Thread());
  let programs = 0;

  return {
    device: options.device ?? "cpu",

    compile: (outputs) => compile(outputs, open),

    load: ({ path }) => open({ model: path }),

    async close() {
      await Promise.all(threads.map((thread) => thread.end()));
    },
  };

  async function open(model: Compiled): Promise<Program> {
    const program = programs++;
    const opened = await Promise.all(
      threads.map((thread) => thread.ask({ kind: "open", program, model, options })),
    );
    return handle(program, opened[0] as Pick<Program, "inputs" | "outputs">);
  }

  function handle(program: number, { inputs, outputs }: Pick<Program, "inputs" | "outputs">): Program {
    let closed = false;
    return {
      inputs,
      outputs,
      async run(feeds) {
        if (closed) throw new CliptError("cancelled", "The program is closed.");
        const thread = threads.reduce((a, b) => (b.waiting < a.waiting ? b : a));
        return (await thread.ask({ kind: "run", program, feeds })) as Record<string, Tensor>;
      },
      async close() {
        if (closed) return;
        closed = true;
        await Promise.all(threads.map((thread) => thread.ask({ kind: "close", program })));
      },
    };
  }
}

type Question = Request extends infer R ? (R extends Request ? Omit<R, "id"> : never) : never;

/** One worker thread, started when it is first asked. An idle thread does not keep the process alive. */
class Thread {
  private worker: Worker | undefined;
  private ended = false;
  private count = 0;
  private readonly pending = new Map<
    number,
    { resolve: (value: unknown) => void; reject: (error: Error) => void }
  >();

  get waiting(): number {
    return this.pending.size;
  }

  ask(question: Question): Promise<unknown> {
    if (this.ended) return Promise.reject(new CliptError("cancelled", "The runtime is closed."));
    const worker = (this.worker ??= this.start());
    const id = this.count++;
    return new Promise((resolve, reject) => {
      this.pending.set(id, { resolve, reject });
      worker.ref();
      worker.postMessage({ ...question, id });
    });
  }

  async end(): Promise<void> {
    this.ended = true;
    await this.worker?.terminate();
    this.fail(new CliptError("cancelled", "The runtime is closed."));
  }

  private start(): Worker {
    // Without the main program's own flags: --input-type, for one, is refused for a file.
    const worker = new Worker(new URL("./worker.js", import.meta.url), { execArgv: [] });
    worker.on("message", (answer: Answer) => {
      const waiting = this.pending.get(answer.id);
      this.pending.delete(answer.id);
      if (this.pending.size === 0) worker.unref();
      if (answer.ok) waiting?.resolve(answer.value);
      else waiting?.reject(new CliptError(answer.code, answer.message));
    });
    worker.on("error", (cause) =>
      this.fail(new CliptError("shape", `A worker thread failed: ${cause.message}`, { cause })),
    );
    worker.unref();
    return worker;
  }

  private fail(error: Error): void {
    for (const { reject } of this.pending.values()) reject(error);
    this.pending.clear();
    this.worker = undefined;
  }
}

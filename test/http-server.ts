import { setTimeout as wait } from "node:timers/promises";
import { serve } from "../src/http/serve.js";
import type { Services } from "../src/task/services.js";

type Input = Parameters<typeof serve>[0];

/** A server in this process that was started as `clipt serve` starts it. */
export interface TestServer {
  readonly url: string;
  /** Everything that it has said. */
  readonly said: string[];
  get(path: string, init?: RequestInit): Promise<Response>;
  /** A JSON answer. */
  json<T = Record<string, unknown>>(path: string, init?: RequestInit): Promise<{ status: number; body: T }>;
  post<T = Record<string, unknown>>(path: string, body: unknown): Promise<{ status: number; body: T }>;
  /** Waits until no job is left. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

/** @param services are closed by whoever opened them */
export async function startServer(input: Input, services?: Services): Promise<TestServer> {
  const controller = new AbortController();
  const said: string[] = [];
  let resolve: (url: string) => void = () => {};
  const url = new Promise<string>((done) => {
    resolve = done;
  });
  const ended = serve(
    { port: 0, ...input },
    {
      ...(services && { services }),
      signal: controller.signal,
      emit(event) {
        if (event.kind !== "note" && event.kind !== "warning") return;
        said.push(event.message);
        const [address] = /http:\/\/\S+/.exec(event.message) ?? [];
        if (address !== undefined) resolve(address);
      },
    },
  );
  const address = await Promise.race([url, ended.then(({ url }) => url)]);
  const get = (path: string, init?: RequestInit): Promise<Response> => fetch(address + path, init);
  const json: TestServer["json"] = async (path, init) => {
    const response = await get(path, init);
    return { status: response.status, body: (await response.json()) as never };
  };
  return {
    url: address,
    said,
    get,
    json,
    post: (path, body) =>
      json(path, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(body),
      }),
    async settled() {
      while ((await json<{ jobs: unknown[] }>("/api/info")).body.jobs.length > 0) await wait(20);
    },
    async close() {
      controller.abort();
      await ended;
    },
  };
}

import { fork, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { option, steadyMemory, type Benchmark } from "./benchmark.js";

const server = fileURLToPath(new URL("./serve.child.js", import.meta.url));

/** What one kind of client asks; the number makes every request another one. */
type Ask = (number: number) => {
  path: string;
  method?: string;
  headers?: Record<string, string>;
  body?: Buffer;
};

/**
 * `clipt serve` in a process of its own, asked over keep-alive connections from this one: on the same cores, so that what
 * a client costs is in the figures. `--model M`, `--pictures N` (1000), `--connections N` (64), `--seconds N` (30);
 * `--minutes N` (0) of mixed load at the end; `--only search` (embeddings, classify, overload, mixed) does one part.
 */
const benchmark: Benchmark = {
  summary:
    "Requests a second over HTTP: text search, embeddings of texts, classification; with and without batches; overload",
  async run(args) {
    const number = (name: string, fallback: number): number => Number(option(args, name) ?? fallback);
    const connections = number("connections", 64);
    const seconds = number("seconds", 30);
    const folder = mkdtempSync(join(tmpdir(), "clipt-bench-serve-"));
    try {
      const pictures = await drawPictures(folder, number("pictures", 1000));
      const model = option(args, "model");
      const start = (...more: string[]) =>
        startServer([
          folder,
          "--db",
          join(folder, "db"),
          ...(model === undefined ? [] : ["--model", model]),
          ...more,
        ]);
      const asks = kinds(pictures);
      const results: Record<string, unknown> = { connections, seconds };

      const only = option(args, "only");
      const wanted = (part: string): boolean => only === undefined || only === part;
      const measured = (["search", "embeddings", "classify"] as const).filter(wanted);

      const together = await start();
      for (const name of measured) results[name] = await load(together, asks[name], connections, seconds);
      await together.stop();

      if (measured.length > 0) {
        const alone = await start("--no-batching", "--no-index");
        const each: Record<string, unknown> = {};
        for (const name of measured) each[name] = await load(alone, asks[name], connections, seconds);
        results["without_batches"] = each;
        await alone.stop();
      }

      if (wanted("overload")) {
        const small = await start("--no-index", "--queue", String(connections));
        results["overload_10x"] = await load(small, asks.search, 10 * connections, seconds);
        await small.stop();
      }

      const minutes = number("minutes", 0);
      if (minutes > 0 && wanted("mixed")) {
        const mixed = await start("--no-index");
        const all = Object.values(asks);
        results["mixed"] = await load(mixed, (n) => all[n % all.length]!(n), connections, 60 * minutes);
        await mixed.stop();
      }
      return results;
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

const kinds = (pictures: readonly string[]) => {
  const json = { "Content-Type": "application/json" };
  const words = [
    "a dog",
    "two cats",
    "a red car",
    "people on a beach",
    "an old house",
    "snow",
    "a cup of coffee",
  ];
  const text = (n: number): string => `${words[n % words.length]} number ${n}`;
  const body = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
  const bytes = pictures.slice(0, 50).map((path) => readFileSync(path));
  return {
    search: (n) => ({ path: `/api/search?k=10&q=${encodeURIComponent(text(n))}` }),
    embeddings: (n) => ({
      path: "/v1/embeddings",
      method: "POST",
      headers: json,
      body: body({ input: text(n), encoding_format: "base64" }),
    }),
    classify: (n) => ({
      path: "/v1/tasks/classify?labels=cat&labels=dog&labels=car&labels=house",
      method: "POST",
      headers: { "Content-Type": "image/jpeg" },
      body: bytes[n % bytes.length]!,
    }),
    searchByPicture: (n) => ({
      path: "/api/search",
      method: "POST",
      headers: json,
      body: body({ picture: bytes[n % bytes.length]!.toString("base64"), k: 10 }),
    }),
    similar: (n) => ({ path: `/api/similar?k=50&id=${encodeURIComponent(pictures[n % pictures.length]!)}` }),
    thumbnail: (n) => ({ path: `/api/thumbnail?id=${encodeURIComponent(pictures[n % pictures.length]!)}` }),
  } satisfies Record<string, Ask>;
};

async function drawPictures(folder: string, count: number): Promise<string[]> {
  const paths = [];
  for (let i = 0; i < count; i++) {
    const background = { r: i % 256, g: (i * 37) % 256, b: (i * 91) % 256 };
    const noise = { type: "gaussian", mean: 128, sigma: 30 } as const;
    const picture = sharp({ create: { width: 640, height: 480, channels: 3, background, noise } });
    paths.push(join(folder, `${i}.jpg`));
    writeFileSync(paths[i]!, await picture.jpeg().toBuffer());
  }
  return paths;
}

interface Started {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** Starts the server and waits until nothing is left to index. */
async function startServer(words: readonly string[]): Promise<Started> {
  const child: ChildProcess = fork(server, [...words, "--port", "0"], { silent: true, env: steadyMemory });
  const url = await new Promise<string>((resolve, reject) => {
    let said = "";
    child.stderr?.on("data", (text: Buffer) => {
      said += text.toString();
      const [address] = /http:\/\/[\w.:]+/.exec(said) ?? [];
      if (address !== undefined) resolve(address);
    });
    child.on("exit", () => reject(new Error(`The server ended: ${said}`)));
  });
  const busy = async (): Promise<boolean> =>
    ((await (await fetch(`${url}/api/info`)).json()) as { jobs: unknown[] }).jobs.length > 0;
  while (await busy()) await wait(200);
  return {
    url,
    pid: child.pid!,
    stop: () =>
      new Promise((resolve) => {
        child.removeAllListeners("exit").on("exit", () => resolve());
        child.kill("SIGINT");
      }),
  };
}

/** Of all loads: no text comes twice. */
let asked = 0;

/** Each connection asks, waits for the answer and asks again; who is refused comes back after a moment. */
async function load(
  { url, pid }: Started,
  ask: Ask,
  connections: number,
  seconds: number,
): Promise<Record<string, unknown>> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  for (let i = 0; i < 3; i++) await answer(url, ask(asked++), agent);
  const [times, statuses, memory]: [number[], Record<string, number>, number[]] = [[], {}, [rssMb(pid)]];
  let told = 0;
  const ends = performance.now() + seconds * 1000;
  const watching = setInterval(() => memory.push(rssMb(pid)), 1000);
  await Promise.all(
    Array.from({ length: connections }, async () => {
      while (performance.now() < ends) {
        const began = performance.now();
        const { status, retryAfter } = await answer(url, ask(asked++), agent);
        statuses[status] = (statuses[status] ?? 0) + 1;
        if (status === "200") times.push(performance.now() - began);
        else if (retryAfter !== undefined) told++;
        if (status !== "200") await wait(50);
      }
    }),
  );
  clearInterval(watching);
  agent.destroy();
  times.sort((a, b) => a - b);
  const at = (share: number): number => round(times[Math.floor(share * (times.length - 1))] ?? NaN);
  const { "200": _, ...others } = statuses;
  return {
    per_second: round(times.length / seconds),
    p50_ms: at(0.5),
    p99_ms: at(0.99),
    errors: others,
    ...(told > 0 && { told_when_to_come_back: told }),
    rss_mb: {
      first: memory[0],
      last: memory.at(-1),
      most: Math.max(...memory),
      ...(seconds > 60 && { each_minute: memory.filter((_, second) => second % 60 === 0) }),
    },
  };
}

function answer(
  url: string,
  { path, method = "GET", headers = {}, body }: ReturnType<Ask>,
  agent: Agent,
): Promise<{ status: string; retryAfter?: string }> {
  return new Promise((resolve) => {
    const sent = request(url + path, { method, headers, agent }, (response) => {
      response.resume().on("end", () => {
        const retryAfter = response.headers["retry-after"];
        resolve({ status: String(response.statusCode), ...(retryAfter !== undefined && { retryAfter }) });
      });
    });
    sent.on("error", (error: NodeJS.ErrnoException) => resolve({ status: error.code ?? "failed" }));
    sent.end(body);
  });
}

/** Memory that a process holds now. */
function rssMb(pid: number): number {
  try {
    const [, kilobytes = 0] = /VmRSS:\s*(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return Math.round(Number(kilobytes) / 1024);
  } catch {
    return NaN;
  }
}

const round = (value: number): number => Math.round(value * 10) / 10;

export default benchmark;

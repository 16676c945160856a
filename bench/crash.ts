import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openStore, type Item } from "../src/store/index.js";
import { random } from "../src/tensor/index.js";
import { option, type Benchmark } from "./benchmark.js";
import type { CrashJob, Said } from "./crash.child.js";
import { writePictures } from "./encode-files.js";

export interface CrashResult {
  readonly kills: number;
  /** Kills that hit the work, and not a process that was done. */
  readonly in_work: number;
  readonly rounds: number;
  readonly pictures: number;
  /** Items that were reported as written, over all killed runs. */
  readonly acknowledged: number;
}

/**
 * Kills the indexer, or a worker of its queue, at random moments; opens the index after each, and holds it against what was
 * reported: nothing acknowledged may be missing, nothing twice, and in the end the content is that of an undisturbed run.
 *
 * @param fresh a new, empty database for each round
 * @throws what is wrong
 */
export async function crash(
  kind: CrashJob["kind"],
  { folder, model, kills, seed = 1 }: { folder: string; model: string; kills: number; seed?: number },
  fresh: () => Promise<{ readonly db: string; readonly drop: () => Promise<void> }>,
): Promise<CrashResult> {
  const rng = random(["crash", seed]);
  const clean = await fresh();
  const job = (db: string): CrashJob => ({ kind, folder, model, db });
  if (kind === "work") await run({ ...job(clean.db), kind: "send" });
  const calm = await run(job(clean.db));
  if (calm.code !== 0) throw new Error(`The undisturbed run ended with ${calm.code}.`);
  const expected = await contentOf(clean.db);
  const [first = 0, last = 0] = [calm.times[0], calm.times.at(-1)];
  const between = (last - first) / Math.max(1, calm.times.length - 1);
  let [inWork, rounds, acknowledged, killed] = [0, 0, 0, 0];
  while (killed < kills) {
    const { db, drop } = await fresh();
    rounds++;
    let before = new Set<string>();
    if (kind === "work") await run({ ...job(db), kind: "send" });
    while (killed < kills && before.size < expected.size) {
      // While it starts, or soon after one of its first writes: each run gets a bit further.
      const writes = rng.int(4);
      const afterMs = rng.next() * (writes === 0 ? first : 1.5 * between);
      const { written, code } = await run(job(db), { writes, afterMs });
      killed++;
      if (code === null) inWork++;
      acknowledged += written;
      const after = await contentOf(db);
      const lost = [...before].filter((id) => !after.has(id));
      if (lost.length > 0) throw new Error(`Kill ${killed}: ${lost.length} pictures of before are gone.`);
      if (after.size < before.size + written)
        throw new Error(`Kill ${killed}: ${written} were reported, ${after.size - before.size} are there.`);
      before = new Set(after.keys());
    }
    const { code } = await run(job(db));
    if (code !== 0) throw new Error(`The run after ${killed} kills ended with ${code}.`);
    compare(await contentOf(db), expected);
    await drop();
  }
  await clean.drop();
  return { kills: killed, in_work: inWork, rounds, pictures: expected.size, acknowledged };
}

/** When a process is killed: so long after so many writes were reported. */
interface Kill {
  readonly writes: number;
  readonly afterMs: number;
}

/** One process. @param kill none when absent */
async function run(
  job: CrashJob,
  kill?: Kill,
): Promise<{ written: number; code: number | null; times: number[] }> {
  const started = Date.now();
  const child = fork(fileURLToPath(new URL("./crash.child.js", import.meta.url)));
  const times: number[] = [];
  let written = 0;
  let timer: NodeJS.Timeout | undefined;
  const arm = (): void => {
    if (kill?.writes === times.length) timer = setTimeout(() => child.kill("SIGKILL"), kill.afterMs);
  };
  child.on("message", (said: Said) => {
    written = said.written;
    times.push(Date.now() - started);
    arm();
  });
  arm();
  child.send(job);
  const [code] = (await once(child, "exit")) as [number | null];
  clearTimeout(timer);
  return { written, code, times };
}

/** All items by id, with all their vectors. @throws when one is there twice, or lacks its vector */
async function contentOf(db: string): Promise<Map<string, Item>> {
  const store = await openStore(db);
  try {
    const [set] = await store.sets();
    const content = new Map<string, Item>();
    if (set === undefined) return content;
    for await (const items of store.scan({ identity: set.identity }))
      for (const item of items) {
        if (content.has(item.id)) throw new Error(`${item.id} is there twice.`);
        if (item.vectors === undefined) throw new Error(`${item.id} has no vector.`);
        content.set(item.id, item);
      }
    if (content.size !== set.count || content.size !== (await store.count()))
      throw new Error(`${content.size} items, but the set counts ${set.count}.`);
    return content;
  } finally {
    await store.close();
  }
}

function compare(content: ReadonlyMap<string, Item>, expected: ReadonlyMap<string, Item>): void {
  if (content.size !== expected.size) throw new Error(`${content.size} items, expected ${expected.size}.`);
  for (const [id, { fields, vectors }] of expected) {
    const other = content.get(id);
    if (other === undefined) throw new Error(`${id} is missing.`);
    const timeless = (all: Item["fields"]): string =>
      JSON.stringify({ ...all, indexed: 0 }, Object.keys({ ...all }).sort());
    if (timeless(fields) !== timeless(other.fields)) throw new Error(`${id} has other fields.`);
    const [a, b] = [Object.values(vectors!)[0]!, Object.values(other.vectors!)[0]!];
    const cosine = a.reduce((sum, x, i) => sum + x * b[i]!, 0);
    if (cosine < 0.9999) throw new Error(`${id} has another vector: cosine ${cosine}.`);
  }
}

/** `--pictures N --kills N --model M`, `--kind index|work` (work needs `CLIPT_TEST_PG`), `--seed N`. */
const benchmark: Benchmark = {
  summary:
    "SIGKILL of the indexer, or of a queue's worker, at random moments: nothing is lost, nothing is twice",
  async run(args) {
    const number = (name: string, otherwise: number) => Number(option(args, name) ?? otherwise);
    const root = mkdtempSync(join(tmpdir(), "clipt-crash-"));
    const { writeSmallModel } = await import("../test/small-model.js");
    const { testDatabase } = await import("../test/test-database.js");
    const kind = option(args, "kind") === "work" ? "work" : "index";
    try {
      const folder = join(root, "pictures");
      mkdirSync(folder);
      await writePictures(folder, number("pictures", 1000), 160, 120);
      let model = option(args, "model");
      if (model === undefined) await writeSmallModel((model = join(root, "model")));
      let made = 0;
      const options = { folder, model, kills: number("kills", 50), seed: number("seed", 1) };
      return {
        ...(await crash(kind, options, async () => {
          if (kind === "work") {
            const { url, drop } = await testDatabase();
            return { db: url, drop };
          }
          const db = join(root, `db ${made++}`);
          return { db, drop: async () => rmSync(db, { recursive: true, force: true }) };
        })),
      };
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  },
};

export default benchmark;

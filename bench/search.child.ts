/** One part of the search benchmark in a process of its own, so that its memory is its own: fills a store, or asks it. */
import { readFileSync } from "node:fs";
import {
  defaultResident,
  openStore,
  residentStore,
  type Filter,
  type Query,
  type Store,
} from "../src/store/index.js";
import { peakMb, timed } from "./benchmark.js";
import { groups, readQueries, readRows, wantedGroup, type SearchData, type Truth } from "./search-data.js";

export type Job =
  | { readonly kind: "fill"; readonly db: string; readonly data: SearchData }
  | { readonly kind: "ask"; readonly db: string; readonly data: SearchData; readonly k: number };

const identity = "bench";
/** Queries before any is measured, and queries of one kind before the next one's turn. */
const [warming, turn] = [20, 10];

async function fill(db: string, data: SearchData): Promise<Record<string, unknown>> {
  const store = await openStore(db);
  const writing = await timed(async () => {
    await store.addSet({ identity, dim: data.dim });
    await store.declare({ row: "number", group: "number", path: "text" });
    for (const { from, rows } of readRows(data))
      await store.upsert(
        rows.map((vector, i) => ({
          id: String(from + i).padStart(9, "0"),
          fields: {
            row: from + i,
            group: (from + i) % groups,
            path: `photos/${(from + i) % 365}/${from + i}.jpg`,
          },
          vectors: { [identity]: vector },
        })),
      );
  });
  const building = await timed(() => store.compact());
  const [set] = await store.sets();
  await store.close();
  return {
    write_s: writing.wall,
    build_s: building.wall,
    build_cpu_s: building.cpu,
    build_peak_mb: peakMb(),
    index: set?.index,
  };
}

async function ask(db: string, data: SearchData, k: number): Promise<Record<string, unknown>> {
  const store = await openStore(db);
  const queries = readQueries(data);
  const truth = JSON.parse(readFileSync(data.truth, "utf8")) as Truth;
  const where: Filter = { kind: "compare", field: "group", by: "=", value: wantedGroup };
  interface Way {
    readonly expected: Truth["all"];
    readonly options?: Partial<Query>;
    readonly through?: Store;
  }
  /** In turns, so that what else the machine does meets all of them. */
  const measure = async <N extends string>(ways: Readonly<Record<N, Way>>, asked = queries.length) => {
    const names = Object.keys(ways) as N[];
    const took = new Map(names.map((name): [N, number[]] => [name, []]));
    const hits = new Map(names.map((name) => [name, 0]));
    const ask = (name: N, vector: Float32Array) => {
      const { through = store, options } = ways[name];
      return through.query({ identity, vector, k, ...options });
    };
    for (const name of names)
      for (const vector of queries.slice(0, Math.min(warming, asked))) await ask(name, vector);
    for (let from = 0; from < asked; from += turn)
      for (const name of names)
        for (const [i, vector] of queries.slice(from, Math.min(from + turn, asked)).entries()) {
          const start = performance.now();
          const found = await ask(name, vector);
          took.get(name)!.push(performance.now() - start);
          const rows = new Set(found.map(({ fields }) => fields["row"]));
          const right = ways[name].expected[from + i]!.filter((row) => rows.has(row)).length;
          hits.set(name, hits.get(name)! + right);
        }
    return Object.fromEntries(
      names.map((name) => {
        const sorted = took.get(name)!.sort((a, b) => a - b);
        const at = (share: number): number =>
          sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
        return [name, { p50_ms: at(0.5), p95_ms: at(0.95), recall_at_10: hits.get(name)! / (10 * asked) }];
      }),
    );
  };
  const { all, inGroup } = truth;
  const result = {
    ...(await measure({
      all: { expected: all },
      one_percent: { expected: inGroup, options: { where } },
      // As a server answers when the condition comes again.
      one_percent_held: {
        expected: inGroup,
        options: { where },
        through: residentStore(store, { ...defaultResident, restMs: 0 }),
      },
    })),
    ...(await measure({ exact: { expected: all, options: { exact: true } } }, 10)),
    ask_peak_mb: peakMb(),
  };
  await store.close();
  return result;
}

process.on("message", (job: Job) => {
  void (job.kind === "fill" ? fill(job.db, job.data) : ask(job.db, job.data, job.k)).then(
    (result) => process.send!(result, () => process.exit()),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});

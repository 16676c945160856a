/** One part of the search benchmark in a process of its own, so that its memory is its own: fills a store, or asks it. */
import { readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
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
/** Then what a process reads behind its first searches has been read. */
const settleMs = (vectors: number): number => 2000 + vectors / 50;

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
  const inGroup = (group: number): Filter => ({ kind: "compare", field: "group", by: "=", value: group });
  interface Way {
    readonly expected: Truth["all"];
    readonly options?: (query: number) => Partial<Query>;
    readonly through?: Store;
    /** Each query has a condition that none had before, those that warm up neither. */
    readonly once?: boolean;
  }
  /** In turns, so that what else the machine does meets all of them. */
  const measure = async <N extends string>(ways: Readonly<Record<N, Way>>, asked = queries.length) => {
    const names = Object.keys(ways) as N[];
    const took = new Map(names.map((name): [N, number[]] => [name, []]));
    const hits = new Map(names.map((name) => [name, 0]));
    const ask = (name: N, i: number) => {
      const { through = store, options } = ways[name];
      return through.query({ identity, vector: queries[i]!, k, ...options?.(i) });
    };
    /** The queries that are measured: all but those that warm up, where conditions must be new. */
    const end = (name: N): number => (ways[name].once === true ? Math.min(groups, asked) - warming : asked);
    for (const name of names) {
      const first = ways[name].once === true ? end(name) : 0;
      for (let i = first; i < Math.min(asked, first + warming); i++) await ask(name, i);
    }
    await setTimeout(settleMs(data.count));
    for (let from = 0; from < asked; from += turn)
      for (const name of names)
        for (let i = from; i < Math.min(from + turn, end(name)); i++) {
          const start = performance.now();
          const found = await ask(name, i);
          took.get(name)!.push(performance.now() - start);
          const rows = new Set(found.map(({ fields }) => fields["row"]));
          const right = ways[name].expected[i]!.filter((row) => rows.has(row)).length;
          hits.set(name, hits.get(name)! + right);
        }
    return Object.fromEntries(
      names.map((name) => {
        const sorted = took.get(name)!.sort((a, b) => a - b);
        const at = (share: number): number =>
          sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
        const recall = hits.get(name)! / (10 * sorted.length);
        return [name, { p50_ms: at(0.5), p95_ms: at(0.95), recall_at_10: recall }];
      }),
    );
  };
  const one = inGroup(wantedGroup);
  const result = {
    ...(await measure({
      all: { expected: truth.all },
      one_percent: {
        expected: truth.inOwn,
        options: (query) => ({ where: inGroup(query % groups) }),
        once: true,
      },
      // As a server answers when the condition comes again.
      one_percent_held: {
        expected: truth.inGroup,
        options: () => ({ where: one }),
        through: residentStore(store, { ...defaultResident, restMs: 0 }),
      },
    })),
    ...(await measure({ exact: { expected: truth.all, options: () => ({ exact: true }) } }, 10)),
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

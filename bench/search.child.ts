/** One part of the search benchmark in a process of its own, so that its memory is its own: fills a store, or asks it. */
import { readFileSync } from "node:fs";
import { defaultResident, openStore, residentStore, type Filter, type Query } from "../src/store/index.js";
import { peakMb, timed } from "./benchmark.js";
import { groups, readQueries, readRows, wantedGroup, type SearchData, type Truth } from "./search-data.js";

export type Job =
  | { readonly kind: "fill"; readonly db: string; readonly data: SearchData }
  | { readonly kind: "ask"; readonly db: string; readonly data: SearchData; readonly k: number };

const identity = "bench";

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
  const measure = async (
    expected: Truth["all"],
    options: Partial<Query>,
    { asked = queries.length, through = store } = {},
  ) => {
    const warm = Math.min(20, asked);
    for (const vector of queries.slice(0, warm)) await through.query({ identity, vector, k, ...options });
    const took: number[] = [];
    let hits = 0;
    for (const [i, vector] of queries.slice(0, asked).entries()) {
      const start = performance.now();
      const found = await through.query({ identity, vector, k, ...options });
      took.push(performance.now() - start);
      const rows = new Set(found.map(({ fields }) => fields["row"]));
      hits += expected[i]!.filter((row) => rows.has(row)).length;
    }
    took.sort((a, b) => a - b);
    const at = (share: number): number => took[Math.min(took.length - 1, Math.floor(share * took.length))]!;
    return { p50_ms: at(0.5), p95_ms: at(0.95), recall_at_10: hits / (10 * asked) };
  };
  const result = {
    all: await measure(truth.all, {}),
    one_percent: await measure(truth.inGroup, { where }),
    // As a server answers when the condition comes again.
    one_percent_held: await measure(
      truth.inGroup,
      { where },
      { through: residentStore(store, { ...defaultResident, restMs: 0 }) },
    ),
    exact: await measure(truth.all, { exact: true }, { asked: 10 }),
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

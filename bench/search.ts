import { fork, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { option, type Benchmark } from "./benchmark.js";
import { searchData } from "./search-data.js";
import type { Job } from "./search.child.js";

/**
 * Searching a store by its vectors: time, recall, a filter that lets 1 % through; building, memory, disk.
 * `--vectors N --dim N --queries N`, `--db URL` instead of a LanceDB folder, `--folder F` keeps what is made,
 * `--against CMD` adds another program's figures: it is called with the files, see compare-faiss.md.
 */
const benchmark: Benchmark = {
  summary: "Searching through the store: milliseconds, recall of the ten nearest, building",
  async run(args) {
    const number = (name: string, otherwise: number) => Number(option(args, name) ?? otherwise);
    const [kept, against] = [option(args, "folder"), option(args, "against")];
    const folder = kept ?? mkdtempSync(join(tmpdir(), "clipt-search-"));
    try {
      const data = searchData(folder, number("vectors", 100_000), number("dim", 512), number("queries", 200));
      const lance = join(folder, `${data.count}x${data.dim}.lance`);
      const db = option(args, "db") ?? lance;
      if (db === lance && !args.includes("--filled")) rmSync(lance, { recursive: true, force: true });
      const filled = args.includes("--filled") ? {} : await inChild({ kind: "fill", db, data });
      const asked = await inChild({ kind: "ask", db, data, k: 10 });
      return {
        vectors: data.count,
        dim: data.dim,
        ...filled,
        ...asked,
        ...(db === lance && { disk_mb: sizeOf(lance) / 2 ** 20 }),
        ...(against !== undefined && {
          against: rival(against, data.vectors, data.queries, data.truth, data.dim),
        }),
      };
    } finally {
      if (kept === undefined) rmSync(folder, { recursive: true });
    }
  },
};

async function inChild(job: Job): Promise<Record<string, unknown>> {
  const child = fork(fileURLToPath(new URL("./search.child.js", import.meta.url)));
  child.send(job);
  const [answer] = (await Promise.race([once(child, "message"), once(child, "exit")])) as unknown[];
  if (typeof answer !== "object") throw new Error(`The process that should ${job.kind} ended early.`);
  return answer as Record<string, unknown>;
}

const sizeOf = (folder: string): number =>
  readdirSync(folder, { recursive: true, withFileTypes: true }).reduce(
    (sum, entry) => sum + (entry.isFile() ? statSync(join(entry.parentPath, entry.name)).size : 0),
    0,
  );

function rival(command: string, ...files: (string | number)[]): unknown {
  const { stdout, status } = spawnSync(`${command} ${files.map((file) => `'${file}'`).join(" ")}`, {
    shell: true,
    stdio: ["ignore", "pipe", "inherit"],
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`"${command}" ended with ${status}.`);
  return JSON.parse(stdout);
}

export default benchmark;

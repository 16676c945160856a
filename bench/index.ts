import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packageRoot } from "../src/package-root.js";
import { bundledModel } from "../src/task/bundled-model.js";
import { decoding } from "../src/task/decoding.js";
import { indexPictures } from "../src/task/index-pictures.js";
import { openServices } from "../src/task/services.js";
import { f32 } from "../src/tensor/index.js";
import { inOrder } from "../src/train/data/in-order.js";
import { median, option, timed, type Benchmark } from "./benchmark.js";
import { writePictures } from "./encode-files.js";
import { writeVitB32 } from "./vit-b-32.js";

/** Pictures in one run of the tower, and runs under way at once, as the indexer has them. */
const batchSize = 8;
const encodedAtOnce = 4;
/** Batches whose pixels are kept for encoding alone: enough to be steady. */
const heldBatches = 48;

/**
 * How near indexing comes to what decoding and encoding alone allow, in one run and taking turns; a second run over unchanged
 * files; a moved folder; memory. `--pictures N --width N --height N --rounds N --unchanged N --folder F`;
 * `--only speed|unchanged`; `--model bundled|vit-b-32`.
 */
const benchmark: Benchmark = {
  summary: "Indexing: pictures a second beside 1 / (decoding + encoding), unchanged and moved files, memory",
  async run(args) {
    const number = (name: string, otherwise: number) => Number(option(args, name) ?? otherwise);
    const [kept, only, model] = ["folder", "only", "model"].map((name) => option(args, name));
    const folder = kept ?? mkdtempSync(join(tmpdir(), "clipt-index-"));
    mkdirSync(folder, { recursive: true });
    try {
      const result: Record<string, unknown> = {};
      if (only !== "unchanged") {
        const size = [number("width", 640), number("height", 480)] as const;
        const count = number("pictures", 1200);
        const pictures = join(folder, `${size.join("x")} ${count}`);
        const paths = await writePictures(pictures, count, ...size);
        const vit = join(folder, "vit-b-32");
        await writeVitB32(vit);
        for (const [name, path] of [
          ["bundled", bundledModel()],
          ["vit-b-32", vit],
        ] as const)
          if (model === undefined || model === name)
            result[name] = await speed(
              pictures,
              paths,
              path,
              number("rounds", 2),
              join(folder, "work", name),
            );
      }
      if (only !== "speed")
        result["files"] = await unchanged(number("unchanged", 10_000), join(folder, "files"));
      return result;
    } finally {
      if (kept === undefined) rmSync(folder, { recursive: true });
      else rmSync(join(folder, "work"), { recursive: true, force: true });
    }
  },
};

/**
 * @returns seconds of each, and two shares: of the command as a person types it, from its start to its end, and of the same
 *          task in a process that has its model and threads
 */
async function speed(
  folder: string,
  paths: readonly string[],
  model: string,
  rounds: number,
  work: string,
): Promise<Record<string, unknown>> {
  rmSync(work, { recursive: true, force: true });
  const cache = join(work, "../../cache");
  const services = openServices({ cacheFolder: join(cache, "clipt") });
  const encoder = await services.encoder({ model, inBulk: true });
  const { preprocess } = encoder.model;
  const count = paths.length;
  const decoder = await services.pictureRows({ preprocess, decode: decoding(preprocess, false) }, count);
  const size = decoder.shape.reduce((a, b) => a * b);
  // The least that these can cost: pixels are written where they are read, and nothing is allocated meanwhile.
  const batches = Math.ceil(count / batchSize);
  const pixels = Array.from(
    { length: Math.min(batches, heldBatches) },
    () => new Float32Array(new SharedArrayBuffer(4 * batchSize * size)),
  );
  const batchAt = (i: number) => pixels[i % pixels.length]!;
  const decode = () =>
    drain(each(paths.map((path, i) => ({ path, i }))), decoder.parallel, ({ path, i }) => {
      const at = (i % batchSize) * size;
      return decoder.decodeInto(
        { path, offset: 0 },
        batchAt(Math.floor(i / batchSize)).subarray(at, at + size),
      );
    });
  const encode = () =>
    drain(each(pixels.map((_, i) => i)), encodedAtOnce, (i) =>
      encoder.images(f32([batchSize, ...decoder.shape], batchAt(i))),
    );
  const index = (name: string) =>
    indexPictures({ folders: [folder], db: join(work, name), model }, { services });
  const command = async (name: string) => {
    const args = [
      join(packageRoot, "bin/clipt.js"),
      "index",
      folder,
      "--db",
      join(work, name),
      "--model",
      model,
    ];
    execFileSync(process.execPath, args, { stdio: "ignore", env: { ...process.env, XDG_CACHE_HOME: cache } });
  };
  // Everything is loaded, and the threads have started, before anything is counted.
  await decode();
  await encode();
  await index("warm");
  const seconds = { decode: [], encode: [], index: [], command: [] } as Record<string, number[]>;
  const cpu = { decode: [], encode: [], index: [] } as Record<string, number[]>;
  const shares = { command: [], index: [] } as { command: number[]; index: number[] };
  const rss: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const encoded = Math.min(batches, heldBatches) * batchSize;
    const took = {
      decode: await timed(decode),
      encode: await timed(encode),
      index: await timed(() => index(`task ${round}`)),
      command: await timed(() => command(`command ${round}`)),
    };
    rss.push(process.memoryUsage().rss / 2 ** 20);
    const each = (what: keyof typeof took): number => took[what].wall / (what === "encode" ? encoded : count);
    for (const what of ["decode", "encode", "index", "command"] as const) seconds[what]!.push(each(what));
    for (const what of ["decode", "encode", "index"] as const)
      cpu[what]!.push(took[what].cpu / (what === "encode" ? encoded : count));
    for (const what of ["command", "index"] as const)
      shares[what].push((each("decode") + each("encode")) / each(what));
  }
  await services.close();
  const milliseconds = (values: Record<string, number[]>): Record<string, number> =>
    Object.fromEntries(Object.entries(values).map(([what, each]) => [what, 1000 * median(each)]));
  return {
    pictures: count,
    share_of_possible: median(shares.command),
    share_of_possible_when_open: median(shares.index),
    pictures_per_second: 1 / median(seconds["command"]!),
    ms_a_picture: milliseconds(seconds),
    cpu_ms_a_picture: milliseconds(cpu),
    each_round: shares,
    rss_mb: rss.map(Math.round),
  };
}

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

async function drain<T>(
  items: AsyncGenerator<T>,
  ahead: number,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  for await (const _ of inOrder(items, work, ahead));
}

/** Many small files, by the command itself: nothing changed, then their folder renamed. */
async function unchanged(count: number, folder: string): Promise<Record<string, unknown>> {
  const [photos, moved, db, model] = ["photos", "moved", "db", "model"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
    string,
  ];
  rmSync(folder, { recursive: true, force: true });
  const { writeSmallModel } = await import("../test/small-model.js");
  await writeSmallModel(model);
  const [path] = await writePictures(join(folder, "one"), 1, 32, 24);
  const bytes = readFileSync(path!);
  for (let i = 0; i < count; i++) {
    const place = join(photos, String(i % 100));
    if (i < 100) mkdirSync(place, { recursive: true });
    // What stands behind a JPEG's end makes files differ and pictures not.
    writeFileSync(join(place, `${i}.jpg`), Buffer.concat([bytes, Buffer.from(String(i))]));
  }
  const index = (): { seconds: number; added: number; reused: number; unchanged: number } => {
    const start = performance.now();
    const command = [
      join(packageRoot, "bin/clipt.js"),
      "index",
      photos,
      "--db",
      db,
      "--model",
      model,
      "--json",
    ];
    const out = execFileSync(process.execPath, command, {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    return {
      ...(JSON.parse(out) as { added: number; reused: number; unchanged: number }),
      seconds: (performance.now() - start) / 1000,
    };
  };
  const first = index();
  const again = [index(), index(), index()];
  renameSync(join(photos, "7"), moved);
  mkdirSync(join(photos, "other"));
  renameSync(moved, join(photos, "other", "7"));
  const after = index();
  return {
    files: count,
    first_s: first.seconds,
    unchanged_s: median(again.map(({ seconds }) => seconds)),
    unchanged: again[0]!.unchanged,
    moved: { files: after.reused, encoded_again: after.added, seconds: after.seconds },
  };
}

export default benchmark;

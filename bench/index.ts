import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { packageRoot } from "../src/package-root.js";
import { decoding } from "../src/task/decoding.js";
import { indexPictures } from "../src/task/index-pictures.js";
import { openServices, type Services } from "../src/task/services.js";
import { tensor } from "../src/tensor/index.js";
import { inOrder } from "../src/train/data/in-order.js";
import { median, option, timed, type Benchmark } from "./benchmark.js";
import { writePictures } from "./encode-files.js";
import { writeVitB32 } from "./vit-b-32.js";

/** Pictures in one run of the tower, as the indexer has it. */
const batchSize = 16;

/**
 * How near indexing comes to what decoding and encoding alone allow, in one run and taking turns; a second run over unchanged
 * files; a moved folder; memory. `--pictures N --width N --height N --rounds N --unchanged N --folder F`; `--only speed|unchanged`.
 */
const benchmark: Benchmark = {
  summary: "Indexing: pictures a second beside 1 / (decoding + encoding), unchanged and moved files, memory",
  async run(args) {
    const number = (name: string, otherwise: number) => Number(option(args, name) ?? otherwise);
    const [kept, only] = [option(args, "folder"), option(args, "only")];
    const folder = kept ?? mkdtempSync(join(tmpdir(), "clipt-index-"));
    mkdirSync(folder, { recursive: true });
    try {
      const result: Record<string, unknown> = {};
      if (only !== "unchanged") {
        const size = [number("width", 640), number("height", 480)] as const;
        const paths = await writePictures(join(folder, size.join("x")), number("pictures", 1200), ...size);
        const vit = join(folder, "vit-b-32");
        await writeVitB32(vit);
        for (const [name, model] of [
          ["bundled", undefined],
          ["vit-b-32", vit],
        ] as const)
          result[name] = await speed(paths, model, number("rounds", 2), join(folder, "work", name));
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

async function speed(
  paths: readonly string[],
  model: string | undefined,
  rounds: number,
  work: string,
): Promise<Record<string, unknown>> {
  rmSync(work, { recursive: true, force: true });
  const services = openServices({ cacheFolder: join(work, "cache") });
  const encoder = await services.encoder({ model });
  const share = Math.floor(paths.length / rounds);
  const cpu = { decode: 0, encode: 0, index: 0 };
  const each = {
    decode: [] as number[],
    encode: [] as number[],
    index: [] as number[],
    ratio: [] as number[],
  };
  const rss: number[] = [];
  // Everything is loaded, and the threads have started, before anything is counted.
  await indexInto(paths.slice(0, 32), "warm");
  for (let round = 0; round < rounds; round++) {
    const part = paths.slice(round * share, (round + 1) * share);
    const rows: Float32Array[] = [];
    const decode = await timed(() => decodeAll(part, services, rows));
    const encode = await timed(() => encodeAll(rows));
    const index = await indexInto(part, `round ${round}`);
    const seconds = { decode: decode.wall / share, encode: encode.wall / share, index: index.wall / share };
    for (const [key, took] of Object.entries({ decode, encode, index }))
      cpu[key as keyof typeof cpu] += took.cpu;
    for (const key of ["decode", "encode", "index"] as const) each[key].push(seconds[key]);
    each.ratio.push((seconds.decode + seconds.encode) / seconds.index);
  }
  await services.close();
  return {
    decode_ms: 1000 * median(each.decode),
    encode_ms: 1000 * median(each.encode),
    index_per_second: 1 / median(each.index),
    share_of_possible: median(each.ratio),
    each_round: each.ratio,
    cpu_ms: Object.fromEntries(
      Object.entries(cpu).map(([key, all]) => [key, (1000 * all) / (share * rounds)]),
    ),
    rss_mb: rss.map(Math.round),
  };

  async function decodeAll(part: readonly string[], services: Services, into: Float32Array[]): Promise<void> {
    const { preprocess } = encoder.model;
    const rows = await services.pictureRows({ preprocess, decode: decoding(preprocess, false) }, part.length);
    async function* stream() {
      yield* part;
    }
    for await (const row of inOrder(stream(), (path) => rows.decode({ path, offset: 0 }), rows.parallel))
      if (row instanceof Float32Array) into.push(row);
  }

  async function encodeAll(rows: readonly Float32Array[]): Promise<void> {
    const { size } = encoder.model.preprocess;
    const [height, width] = typeof size === "number" ? [size, size] : size;
    async function* batches() {
      for (let i = 0; i < rows.length; i += batchSize) yield rows.slice(i, i + batchSize);
    }
    const encode = (part: readonly Float32Array[]) => {
      const data = new Float32Array(part.length * 3 * height * width);
      part.forEach((row, i) => data.set(row, i * 3 * height * width));
      return encoder.images(tensor("float32", [part.length, 3, height, width], data));
    };
    for await (const _ of inOrder(batches(), encode, 2));
  }

  /** The task, its model being open; memory is noted at its end. */
  async function indexInto(part: readonly string[], name: string): Promise<{ wall: number; cpu: number }> {
    const photos = join(work, name);
    mkdirSync(photos, { recursive: true });
    for (const path of part) copyFileSync(path, join(photos, basename(path)));
    const took = await timed(() =>
      indexPictures({ folders: [photos], db: join(work, `${name}.db`), model }, { services }),
    );
    rss.push(process.memoryUsage().rss / 2 ** 20);
    rmSync(photos, { recursive: true });
    return took;
  }
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

/**
 * The archives that the bundled model's calibration is fitted to, and measured with. See README.md beside this file.
 *
 *     node dist/recipes/calibration/archives.js --tiny-imagenet tiny-imagenet-200 --data ../shared/data --out data/calibration
 */
import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { packTar } from "modern-tar";
import { random, shuffle } from "../../src/tensor/index.js";
import { readExtent, readSamples, type Sample } from "../../src/train/data/index.js";

const { values: flags } = parseArgs({
  options: { "tiny-imagenet": { type: "string" }, data: { type: "string" }, out: { type: "string" } },
});
const { "tiny-imagenet": tiny, data, out } = flags;
if (!tiny || !data || !out)
  throw new Error("Usage: archives.js --tiny-imagenet FOLDER --data FOLDER --out FOLDER");
await mkdir(out, { recursive: true });

type Files = [name: string, bytes: Uint8Array][];

const hashOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

async function all(path: string): Promise<Sample[]> {
  const samples: Sample[] = [];
  for await (const sample of readSamples(path, { captions: [], report: () => {} })) samples.push(sample);
  return samples;
}

async function write(name: string, samples: readonly Files[]): Promise<void> {
  const path = join(out!, name);
  const entries = samples.flat().map(([file, body]) => ({
    header: { name: file, size: body.length, type: "file" as const },
    body: new Uint8Array(body),
  }));
  await writeFile(path, await packTar(entries));
  console.log(`${path}: ${samples.length} pictures`);
}

/** Tiny ImageNet's official validation part without what is tested with, and without repeats. */
async function classes(): Promise<Files[]> {
  const wnids = (await readFile(join(data!, "wnids.txt"), "utf8")).trim().split("\n");
  const test = await all(join(data!, "tinyimagenet-test-000000.tar"));
  const seen = new Set<string>();
  for (const { image } of test) seen.add(hashOf(readExtent(image)));
  const found: Files[] = [];
  const lines = (await readFile(join(tiny!, "val", "val_annotations.txt"), "utf8")).trim().split("\n");
  for (const line of lines) {
    const [file = "", wnid = ""] = line.split("\t");
    const bytes = await readFile(join(tiny!, "val", "images", file));
    const hash = hashOf(bytes);
    if (seen.has(hash)) continue;
    seen.add(hash);
    const key = file.split(".")[0]!;
    found.push([
      [`${key}.jpg`, bytes],
      [`${key}.cls`, Buffer.from(String(wnids.indexOf(wnid)))],
    ]);
  }
  return shuffle(found, random("calibration"));
}

/** Every other picture of Flickr8k's test part, by key: the model was trained on the other parts. */
async function photographs(parity: number): Promise<Files[]> {
  const samples = (await all(join(data!, "flickr8k-test-000000.tar"))).sort((a, b) =>
    a.key < b.key ? -1 : 1,
  );
  return samples
    .filter((_, i) => i % 2 === parity)
    .map(({ key, image, captions }): Files => [
      [`${key}.jpg`, readExtent(image)],
      [`${key}.json`, Buffer.from(JSON.stringify({ captions: captions.map(({ text }) => text) }))],
    ]);
}

await write("fit-tinyimagenet.tar", await classes());
await write("fit-flickr8k.tar", await photographs(0));
await write("eval-flickr8k.tar", await photographs(1));

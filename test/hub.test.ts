import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { packageRoot } from "../src/package-root.js";
import { readWeights } from "../src/weights/index.js";
import { clipt } from "./command-line.js";
import { sha256, startHub, type HubServer } from "./hub-server.js";
import { writeSmallModel } from "./small-model.js";

const name = "owner/small";
const weights = "model.safetensors";
const pictures = join(packageRoot, "examples", "pictures");
let files: Map<string, Uint8Array>;

before(async () => {
  const folder = mkdtempSync(join(tmpdir(), "clipt-small-"));
  await writeSmallModel(folder);
  files = new Map(readdirSync(folder).map((file) => [file, readFileSync(join(folder, file))]));
  files.set("pytorch_model.bin", new Uint8Array(10_000));
  rmSync(folder, { recursive: true });
});

interface Setting {
  readonly hub: HubServer;
  readonly home: string;
  readonly blobs: string;
}

async function begin(t: TestContext): Promise<Setting> {
  const home = mkdtempSync(join(tmpdir(), "clipt-home-"));
  const hub = await startHub(name, files);
  t.after(async () => {
    await hub.close();
    rmSync(home, { recursive: true });
  });
  return { hub, home, blobs: join(home, "hub", "models--owner--small", "blobs") };
}

interface Ended {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs clipt as a process of its own. */
function start({ hub, home }: Setting, words: readonly string[], more: Record<string, string> = {}) {
  const child = spawn(process.execPath, [join(packageRoot, "bin", "clipt.js"), ...words], {
    env: { PATH: process.env.PATH, HOME: home, HF_HOME: home, HF_ENDPOINT: hub.url, ...more },
  });
  const texts = { out: "", err: "" };
  child.stdout.on("data", (chunk: Buffer) => (texts.out += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (texts.err += chunk.toString()));
  const ended = new Promise<Ended>((resolve) => child.on("close", (status) => resolve({ status, ...texts })));
  return { child, ended };
}

/** The same in this process, which is quicker. */
const run = ({ hub, home }: Setting, words: readonly string[], more: Record<string, string> = {}) =>
  clipt(words, home, { HF_HOME: home, HF_ENDPOINT: hub.url, ...more });

const classify = ["classify", pictures, "--labels", "a cat,a dog", "--model", name, "--json"];

async function until(isTrue: () => boolean): Promise<void> {
  for (let waited = 0; !isTrue(); waited += 20) {
    assert.ok(waited < 10_000, "it takes too long");
    await sleep(20);
  }
}

test("a model is downloaded when it is named, and then used without the network", async (t) => {
  const setting = await begin(t);
  const { hub } = setting;
  const first = await start(setting, classify).ended;
  assert.equal(first.status, 0, first.err);
  assert.ok((JSON.parse(first.out) as unknown[]).length > 0);
  assert.deepEqual(
    hub.stored().map(({ path }) => path),
    [`/${weights}`],
  );
  await hub.close();
  const second = await start(setting, classify, { HF_HUB_OFFLINE: "1" }).ended;
  assert.deepEqual([second.status, second.out], [0, first.out], second.err);
  const info = await start(setting, ["models", "info", name, "--json"]).ended;
  assert.equal((JSON.parse(info.out) as { contextLength: number }).contextLength, 16);
});

test("a half that a towers.json names may lie on the hub", async (t) => {
  const setting = await begin(t);
  writeFileSync(join(setting.home, "towers.json"), JSON.stringify({ image: name, text: name }));
  const words = (model: string) => ["embed", pictures, "--model", model, "--json", "--out"];
  const joined = await run(setting, [...words(setting.home), join(setting.home, "joined.safetensors")]);
  const whole = await run(setting, [...words(name), join(setting.home, "whole.safetensors")]);
  assert.deepEqual([joined.status, whole.status], [0, 0], joined.err);
  const vectors = await Promise.all(
    ["joined", "whole"].map((file) => readWeights(join(setting.home, `${file}.safetensors`))),
  );
  assert.deepEqual(vectors[0], vectors[1]);
});

test("a download that was killed half way goes on where it was", async (t) => {
  const setting = await begin(t);
  const { hub, blobs } = setting;
  const whole = files.get(weights)!;
  const half = Math.floor(whole.length / 2);
  hub.behaviour.holdAt = half;
  const { child, ended } = start(setting, classify);
  const draft = join(blobs, `${sha256(whole)}.incomplete`);
  await until(() => (statSync(draft, { throwIfNoEntry: false })?.size ?? 0) === half);
  child.kill("SIGKILL");
  await ended;
  hub.behaviour.holdAt = undefined;
  const again = await start(setting, classify).ended;
  assert.equal(again.status, 0, again.err);
  assert.equal(hub.stored().at(-1)?.range, `bytes=${half}-${whole.length - 1}`);
  assert.equal(sha256(readFileSync(join(blobs, sha256(whole)))), sha256(whole));
});

test("two processes that pull at once end with one good copy", async (t) => {
  const setting = await begin(t);
  const { hub, home, blobs } = setting;
  const pull = ["models", "pull", name, "--json"];
  const ends = await Promise.all([start(setting, pull).ended, start(setting, pull).ended]);
  for (const { status, err } of ends) assert.equal(status, 0, err);
  assert.equal(ends[0].out, ends[1].out);
  const { files: taken } = JSON.parse(ends[0].out) as { files: string[] };
  assert.equal(readdirSync(blobs).length, taken.length, "no remainders");
  assert.equal(hub.stored().length, 1, "the weights are downloaded once");
  assert.deepEqual(readdirSync(join(home, "hub", ".locks", "models--owner--small")), []);
  const whole = files.get(weights)!;
  assert.equal(sha256(readFileSync(join(blobs, sha256(whole)))), sha256(whole));
});

test("refusals end with a status and words that help", async (t) => {
  const setting = await begin(t);
  const { hub } = setting;
  hub.behaviour.token = "hf_right";
  const denied = await run(setting, classify);
  assert.deepEqual([denied.status, denied.out], [7, ""]);
  assert.match(denied.err, /error: owner\/small is private, gated or not there.*set HF_TOKEN/);
  assert.equal((await run(setting, classify, { HF_TOKEN: "hf_right" })).status, 0);
  const unknown = await run(setting, ["models", "pull", "owner/smal"], { HF_TOKEN: "hf_right" });
  assert.equal(unknown.status, 4);
  assert.match(unknown.err, /no repository owner\/smal /);
  const tag = await run(setting, ["models", "pull", "ViT-B-32", "--pretrained", "laion3b"]);
  assert.equal(tag.status, 4);
  assert.match(tag.err, /no weights "laion3b"\. Its tags: openai/);
  const offline = await run(setting, ["models", "pull", "ViT-B-32::openai"], { HF_HUB_OFFLINE: "1" });
  assert.equal(offline.status, 4);
  assert.match(offline.err, /timm\/vit_base_patch32_clip_224\.openai at "main" is not in the cache/);
});

test("the list begins with the bundled model, marks what is here, and sorts and filters", async (t) => {
  const setting = await begin(t);
  assert.equal((await run(setting, ["models", "pull", name])).status, 0);
  const list = async (...words: string[]) => {
    const { out, err } = await run(setting, ["models", "list", "--json", ...words]);
    assert.equal(err, "");
    return JSON.parse(out) as {
      name: string;
      state: string;
      bytes: number;
      imagenet: { value: number; source: string } | null;
    }[];
  };
  const all = await list();
  assert.deepEqual([all[0]?.name, all[0]?.state], ["clipt-small", "bundled"]);
  assert.ok(all.length > 20);
  const best = await list("--sort", "imagenet", "--language", "ru", "--max-download", "2000");
  assert.equal(best[1]?.name, "timm/ViT-B-16-SigLIP2-256");
  assert.match(best[1]?.imagenet?.source ?? "", /siglip2/);
  const here = await list("--cached");
  assert.deepEqual(
    here.map((row) => [row.name, row.state]),
    [
      ["clipt-small", "bundled"],
      [name, "cached"],
    ],
  );
  const removed = await run(setting, ["models", "remove", name, "--json"]);
  assert.equal((JSON.parse(removed.out) as { bytes: number }).bytes, here[1]?.bytes);
  assert.equal((await list("--cached")).length, 1);
});

test("the bundled model goes by its name, too", async () => {
  const { status, out } = await clipt(["models", "info", "clipt-small", "--json"]);
  assert.equal(status, 0);
  assert.match((JSON.parse(out) as { path: string }).path, /models.clipt-small$/);
});

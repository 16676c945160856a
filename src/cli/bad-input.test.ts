import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { clipt } from "../../test/command-line.js";
import { drawnPicture, writeFiles, writeTar } from "../../test/made-data.js";
import { writeSmallModel } from "../../test/small-model.js";
import { packageRoot } from "../package-root.js";
import { readSafetensors, saveSafetensors } from "../weights/index.js";

const bin = join(packageRoot, "bin", "clipt.js");

/** What people get wrong and what machines do to them: a clear message, the right exit code, and the rest goes on. */
describe("bad input", () => {
  let root = "";
  const at = (...parts: string[]): string => join(root, ...parts);
  const model = (): string[] => ["--model", at("model")];
  const paths = (out: string): string[] =>
    (JSON.parse(out) as { results: { path: string }[] }).results.map(({ path }) => path).sort();

  before(async () => {
    root = mkdtempSync(join(tmpdir(), "clipt-bad-"));
    await writeSmallModel(at("model"));
    const good = await drawnPicture(1, "jpeg");
    writeFiles(root, {
      "photos/good.jpg": good,
      "photos/sub/also good.png": await drawnPicture(2),
      "photos/truncated.jpg": good.subarray(0, good.length / 2),
      "photos/text.jpg": "I am a text.",
      "photos/notes.txt": "no picture",
      "broken/text.jpg": "I am a text.",
      "good.jpg": good,
    });
    mkdirSync(at("empty"));
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  test("a truncated JPEG and a text file named .jpg are named and skipped", async () => {
    const { status, out, err } = await clipt(
      ["search", "a cat", at("photos"), "--json", ...model()],
      at("cache"),
    );
    assert.equal(status, 0);
    assert.deepEqual(paths(out), [at("photos/good.jpg"), at("photos/sub/also good.png")]);
    assert.match(err, /skipped .*text\.jpg: Not a picture: begins with .I am a te/);
    assert.match(err, /skipped .*truncated\.jpg: The JPEG is truncated/);
    assert.match(err, /2 items skipped/);
  });

  test("when nothing is usable, that is an error", async () => {
    const { status, out, err } = await clipt(["search", "a cat", at("broken"), "--json", ...model()]);
    assert.deepEqual({ status, out }, { status: 3, out: "" });
    assert.match(err, /error: .*text\.jpg: Not a picture/);
  });

  test("a text of 10,000 words is cut, with a warning", async () => {
    const text = "dog ".repeat(10_000).trim();
    const { status, err } = await clipt(["search", text, at("photos/sub"), "--json", ...model()]);
    assert.equal(status, 0);
    assert.match(
      err,
      /warning: the text "dog dog .*…" is longer than the model reads \(16 tokens\); its end was left out/,
    );
  });

  test("a model that does not exist", async () => {
    const { status, out, err } = await clipt(["search", "a cat", at("photos"), "--model", at("no-model")]);
    assert.deepEqual({ status, out }, { status: 4, out: "" });
    assert.match(err, /error: .*no-model.* does not exist/);
  });

  test("a checkpoint with a missing tensor", async () => {
    await writeSmallModel(at("incomplete"));
    const file = at("incomplete/model.safetensors");
    const { tensors } = readSafetensors(readFileSync(file));
    const name = "visual.transformer.resblocks.1.ln_1.weight";
    assert.ok(tensors.delete(name));
    await saveSafetensors(file, tensors);
    const { status, err } = await clipt(["search", "a cat", at("photos"), "--model", at("incomplete")]);
    assert.equal(status, 5);
    assert.ok(err.includes(name), err);
  });

  test("a shard that is cut in half: its first half counts", async () => {
    const files: Record<string, string | Uint8Array> = {};
    for (let i = 0; i < 10; i++) {
      files[`${i}.jpg`] = await drawnPicture(i, "jpeg");
      files[`${i}.cls`] = String(i % 2);
    }
    await writeTar(at("shards/0.tar"), files);
    truncateSync(at("shards/0.tar"), 512 * 12 + 100);
    writeFiles(root, { "classnames.txt": "cat\ndog\n" });
    const { status, out, err } = await clipt([
      ...["eval", "zeroshot", "--data", at("shards"), "--classnames", at("classnames.txt"), "--json"],
      ...model(),
    ]);
    assert.equal(status, 0);
    const result = JSON.parse(out) as Record<string, unknown> & { metrics: Record<string, number | null> };
    assert.deepEqual(Object.keys(result), ["dataset", "model", "pretrained", "task", "metrics", "language"]);
    assert.equal(result.metrics.acc5, null);
    assert.match(err, /skipped .*0\.tar.* cut/);
  });

  test("a label alone gets a warning: it always scores 100 %", async () => {
    const alone = await clipt(["classify", at("good.jpg"), "--labels", "cat", ...model()]);
    assert.equal(alone.status, 0);
    assert.match(alone.err, /warning: a label without others .* 100 %/);
  });

  test("repeated and empty labels", async () => {
    const twice = await clipt(["classify", at("good.jpg"), "--labels", "cat,dog,cat", ...model()]);
    assert.equal(twice.status, 3);
    assert.match(twice.err, /The label "cat" occurs twice, as number 1 and 3\./);
    const empty = await clipt(["classify", at("good.jpg"), "--labels", "cat,,dog", ...model()]);
    assert.equal(empty.status, 3);
    assert.match(empty.err, /Label 2 of 3 is empty\./);
  });

  test("an empty folder, a folder that does not exist, an empty query", async () => {
    const empty = await clipt(["search", "a cat", at("empty"), ...model()]);
    assert.equal(empty.status, 3);
    assert.match(empty.err, /no picture there/);
    const absent = await clipt(["search", "a cat", at("absent"), ...model()]);
    assert.equal(absent.status, 4);
    assert.match(absent.err, /absent does not exist/);
    const blank = await clipt(["search", " ", at("photos"), ...model()]);
    assert.equal(blank.status, 3);
  });

  test("a query picture that does not exist", async () => {
    const { status, err } = await clipt(["search", at("absent.jpg"), at("photos/sub"), ...model()]);
    assert.equal(status, 4);
    assert.match(err, /absent\.jpg does not exist/);
  });

  const links = process.platform === "win32" ? "needs symbolic links" : false;
  test("a folder that cannot be opened is named, and the others are searched", { skip: links }, async () => {
    writeFiles(root, { "partly/good.jpg": readFileSync(at("good.jpg")) });
    // A link to itself cannot be opened by anyone, root included.
    symlinkSync(at("partly/loop"), at("partly/loop"));
    const { status, out, err } = await clipt(["search", "a cat", at("partly"), "--json", ...model()]);
    assert.equal(status, 0);
    assert.deepEqual(paths(out), [at("partly/good.jpg")]);
    assert.match(err, /skipped .*loop/);
  });

  const other = runsAsAnother();
  test(
    "a folder without permission to read",
    { skip: typeof other === "string" ? other : links },
    async () => {
      writeFiles(root, { "locked/good.jpg": readFileSync(at("good.jpg")), "locked/inner/a.jpg": "" });
      chmodSync(root, 0o755);
      chmodSync(at("locked/inner"), 0);
      const words = ["search", "a cat", at("locked"), "--json", "--no-cache", ...model()];
      const { status, out, err } = await spawnClipt(words, typeof other === "object" ? other : {});
      chmodSync(at("locked/inner"), 0o755);
      assert.equal(status, 0, err);
      assert.deepEqual(paths(out), [at("locked/good.jpg")]);
      assert.match(err, /skipped .*inner cannot be read: .*permission denied/);
    },
  );

  test("a cache that cannot be written is a warning", async () => {
    writeFiles(root, { "no-cache": "a file where the cache's folder should be" });
    const { status, out, err } = await clipt(
      ["search", "a cat", at("photos/sub"), "--json", ...model()],
      at("no-cache"),
    );
    assert.equal(status, 0);
    assert.equal(paths(out).length, 1);
    assert.match(err, /warning: the folder's embeddings are not kept/);
  });

  test("a full disk while vectors are written: status 7, nothing left behind", { skip: links }, async (t) => {
    mkdirSync(at("full"));
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=4k", "tmpfs", at("full")], { stdio: "ignore" });
    } catch {
      return t.skip("needs the right to mount a small file system");
    }
    try {
      const texts = Array.from({ length: 400 }, (_, i) => `text ${i}`).join("\n");
      writeFiles(root, { "texts.txt": texts });
      const { status, err } = await clipt([
        ...["embed", "--texts", at("texts.txt"), "--out", at("full/v.safetensors")],
        ...model(),
      ]);
      assert.equal(status, 7, err);
      assert.match(err, /Cannot write .*v\.safetensors: the disk is full/);
      assert.deepEqual(readdirSync(at("full")), []);
    } finally {
      execFileSync("umount", [at("full")]);
    }
  });

  test("vectors of another model are refused", async () => {
    await writeSmallModel(at("other"), "other");
    const made = await clipt(["embed", at("good.jpg"), "--out", at("v.safetensors"), "--model", at("other")]);
    assert.equal(made.status, 0);
    const { status, err } = await clipt(["search", "a cat", at("v.safetensors"), ...model()]);
    assert.equal(status, 3);
    assert.match(err, /holds vectors of another model/);
  });

  test("Ctrl-C ends with 130 and keeps what was encoded", { skip: links }, async () => {
    const many: Record<string, Uint8Array> = {};
    for (let i = 0; i < 2000; i++) many[`many/${1000 + i}.png`] = await drawnPicture(i);
    // When this one is named, those before it have been encoded.
    writeFiles(root, { ...many, "many/1400.png": "no picture" });
    const child = spawn(process.execPath, [bin, "search", "a cat", at("many"), ...model()], {
      env: { ...process.env, XDG_CACHE_HOME: at("kept") },
      stdio: ["ignore", "ignore", "pipe"],
    });
    let err = "";
    child.stderr.on("data", (text: Buffer) => {
      err += text.toString();
    });
    const ended = new Promise<number | null>((resolve) => child.on("exit", resolve));
    while (!err.includes("skipped") && child.exitCode === null)
      await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill("SIGINT");
    assert.equal(await ended, 130, err);
    assert.match(err, /Stopped on request/);
    assert.equal(readdirSync(at("kept/clipt/embeddings")).length, 1);
  });
});

/** How to run a child that permissions bind: as it is, or as "nobody" when root may do everything. */
function runsAsAnother(): { uid?: number } | string {
  if (process.getuid?.() !== 0) return {};
  const nobody = 65_534;
  try {
    execFileSync(
      process.execPath,
      ["-e", `require("fs").readFileSync(${JSON.stringify(join(packageRoot, "package.json"))})`],
      {
        uid: nobody,
        stdio: "ignore",
        cwd: "/",
      },
    );
    return { uid: nobody };
  } catch {
    return "runs as root, who may read everything, and nobody else may read this folder";
  }
}

async function spawnClipt(
  words: readonly string[],
  options: { uid?: number },
): Promise<{ status: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [bin, ...words], { cwd: "/", ...options });
  const texts = { out: "", err: "" };
  child.stdout.on("data", (text: Buffer) => (texts.out += text.toString()));
  child.stderr.on("data", (text: Buffer) => (texts.err += text.toString()));
  const status = await new Promise<number | null>((resolve) => child.on("close", resolve));
  return { status, ...texts };
}

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { clipt } from "../../test/command-line.js";
import { packageRoot } from "../package-root.js";
import { commands } from "./commands.js";

test("help lists every command, and each command's help its flags and examples", async () => {
  const { status, out } = await clipt(["--help"]);
  assert.equal(status, 0);
  for (const { name } of commands) assert.match(out, new RegExp(`^  ${name.split(" ")[0]} `, "m"));
  for (const { name } of commands) {
    const help = await clipt([...name.split(" "), "--help"]);
    assert.equal(help.status, 0);
    assert.match(
      help.out,
      new RegExp(`Usage: clipt ${name} [^]*--json[^]*Examples:\n  # [^]*\\$ clipt ${name}`),
    );
  }
});

test("each entry of the catalog loads the task of its name, whose examples its schema accepts", async () => {
  for (const entry of commands) {
    const { description } = await entry.load();
    const { name } = entry;
    assert.equal(description.name, name);
    for (const { title, input } of description.examples)
      assert.ok(description.input.safeParse(input).success, `${name}: ${title}`);
  }
});

test("the version is the package's", async () => {
  const { version } = JSON.parse(readFileSync(join(packageRoot, "package.json"), "utf8")) as {
    version: string;
  };
  assert.deepEqual(await clipt(["--version"]), { status: 0, out: `${version}\n`, err: "" });
});

test("an unknown flag or command is named with the one that was meant, status 2", async () => {
  const flag = await clipt(["classify", "cat.jpg", "--lables", "cat,dog"]);
  assert.equal(flag.status, 2);
  assert.match(flag.err, /unknown option '--lables'\n\(Did you mean --labels\?\)/);
  assert.equal(flag.out, "");
  const command = await clipt(["clasify", "cat.jpg"]);
  assert.equal(command.status, 2);
  assert.match(command.err, /unknown command 'clasify'\n\(Did you mean classify\?\)/);
  const second = await clipt(["eval", "zeroshto"]);
  assert.equal(second.status, 2);
  assert.match(second.err, /Did you mean zeroshot\?/);
});

test("values out of range and missing ones are named by their flags, status 2", async () => {
  for (const [words, message] of [
    [["search", "a cat", "photos", "-k", "0"], /-k: must be at least 1, not 0/],
    [["search", "a cat", "photos", "-k", "many"], /'-k <N>' argument 'many' is invalid/],
    [["search", "a cat", "photos", "--device", "tpu"], /--device: must be one of cpu, .*, not "tpu"/],
    [["search", "", "photos"], /error: query: must not be empty/],
    [["search"], /Give a query and a folder/],
    [["search", "a cat", "photos", "--where", "width > 9"], /Conditions and dates need an index/],
    [["doctor", "tokenizer", "tokenizer.json"], /--reference: is required/],
    [["classify", "cat.jpg"], /--labels A,B,C or --labels-file/],
    [["train"], /give --model/],
    [["classify"], /missing required argument 'pictures'/],
    [["embed", "photos", "--out", "photos.csv"], /written as .safetensors, .npy, .jsonl/],
  ] as const) {
    const { status, out, err } = await clipt(words);
    assert.equal(status, 2, words.join(" "));
    assert.match(err, message);
    assert.equal(out, "");
  }
});

const shells = process.platform === "win32" ? "needs a POSIX shell" : false;
test("a pipe that is closed early is no error", { skip: shells }, async () => {
  const bin = join(packageRoot, "bin", "clipt.js");
  const { stdout, stderr } = await promisify(execFile)("bash", [
    "-o",
    "pipefail",
    "-c",
    '"$0" "$1" train --help | true',
    process.execPath,
    bin,
  ]);
  assert.deepEqual({ stdout, stderr }, { stdout: "", stderr: "" });
});

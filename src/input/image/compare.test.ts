import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { needsShared, sharedPath } from "../../../test/shared.js";
import { packageRoot } from "../../package-root.js";
import { f32, tensor, zeros, type Tensor } from "../../tensor/index.js";
import { readSafetensors } from "../../weights/index.js";
import { comparePreprocess } from "./compare.js";

const fixtures = join(packageRoot, "test/fixtures/pictures");
const tensorsOf = (file: string) => readSafetensors(readFileSync(file)).tensors;

async function checkFolder(folder: string, expected: string): Promise<void> {
  const goldens = tensorsOf(expected);
  const report = await comparePreprocess(folder, goldens);
  const wrong = report.files.filter(({ ok, maxLevels }) => !ok || maxLevels > 1e-4);
  assert.deepEqual(wrong, []);
  assert.deepEqual([report.ok, report.compared, report.differentPixels], [true, goldens.size, 0]);
}

test("the fixtures are preprocessed bit for bit", () =>
  checkFolder(fixtures, join(fixtures, "expected.safetensors")));

test("so is every picture of the reference", needsShared("reference/preprocess.safetensors"), () =>
  checkFolder(sharedPath("reference/preprocess") ?? "", sharedPath("reference/preprocess.safetensors") ?? ""),
);

test("a difference is found, counted and measured", async () => {
  const right = tensorsOf(join(fixtures, "expected.safetensors")).get("picture.bmp/clip32");
  const data = Uint8Array.from(right?.data as Uint8Array);
  data[30]! ^= 8;
  data[31]! ^= 1;
  const goldens = new Map([["picture.bmp/clip32", tensor("uint8", [32, 32, 3], data)]]);
  assert.deepEqual(await comparePreprocess(fixtures, goldens), {
    ok: false,
    compared: 1,
    differentPixels: 1,
    files: [{ name: "picture.bmp", key: "clip32", different: 1, maxLevels: 8, allowed: 0, ok: false }],
  });
});

test("what cannot be compared fails with its reason", async () => {
  const goldens = new Map<string, Tensor>([
    ["absent.png/clip32", zeros("uint8", [32, 32, 3])],
    ["gray.jpg/blurred", zeros("uint8", [32, 32, 3])],
    ["gray.jpg/float_siglip2", f32([3, 2, 2], Array<number>(12).fill(NaN))],
    ["gray.jpg/squash_bicubic8", zeros("uint8", [9, 9, 3])],
  ]);
  const report = await comparePreprocess(fixtures, goldens);
  assert.ok(report.files.every(({ ok }) => !ok));
  assert.match(report.files[0]?.error ?? "", /does not exist/);
  assert.match(report.files[1]?.error ?? "", /Unknown kind of tensor/);
  assert.deepEqual(
    report.files.map(({ different }) => different),
    [0, 0, 4, 81],
  );
  await assert.rejects(comparePreprocess(fixtures, new Map()), /holds no tensors/);
});

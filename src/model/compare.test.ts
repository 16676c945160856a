import assert from "node:assert/strict";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { needsShared, sharedPath } from "../../test/shared.js";
import { packageRoot } from "../package-root.js";
import { f32 } from "../tensor/index.js";
import { openWeights, saveSafetensors } from "../weights/index.js";
import { compareModel, type ModelComparison } from "./compare.js";
import { readAll } from "./values.js";

const fixture = join(packageRoot, "test/fixtures/models/openclip-avg-tiny");

/** Fails with the names of what differs. */
function assertAgrees({ ok, tensors }: ModelComparison, checkpoints: number): void {
  assert.deepEqual(
    tensors.filter((tensor) => !tensor.ok),
    [],
  );
  assert.ok(ok);
  assert.equal(new Set(tensors.map(({ checkpoint }) => checkpoint)).size, checkpoints);
}

test("a model of OpenCLIP's in all its values", async () => {
  const report = await compareModel(fixture);
  assertAgrees(report, 1);
  assert.ok(report.tensors.some(({ name }) => name === "tap.image.block.1"));
});

describe("text towers of transformers in all their values", () => {
  const folders = [
    "openclip-xlmr-tiny",
    "openclip-bert-tiny",
    "chinese-clip-tiny",
    "mclip-tiny",
    "sentence-transformers-tiny",
  ];
  for (const folder of folders)
    test(folder, async () => {
      const report = await compareModel(join(packageRoot, "test/fixtures/models", folder));
      assertAgrees(report, 1);
      assert.ok(report.tensors.some(({ name }) => name === "tap.text.block.0"));
    });
});

describe("MobileCLIP's towers through OpenCLIP and timm", () => {
  // As trained, folded with five stages, a convolutional stem before a transformer, a plain class token.
  for (const folder of ["mobileclip-s-tiny", "mobileclip2-s-tiny", "mobileclip-b-tiny", "mobileclip2-l-tiny"])
    test(folder, async () => assertAgrees(await compareModel(join(fixture, "..", folder)), 1));
});

describe("published layouts agree with their projects, every tap included", needsShared("reference"), () => {
  // Checkpoints, or variants of a configuration, in each folder.
  const folders = {
    "vit-tiny": 4,
    "rn-tiny": 2,
    "hf-clip-tiny": 2,
    "hf-siglip-tiny": 1,
    "hf-siglip2-tiny": 1,
    "openclip-avg-tiny": 1,
    "openclip-siglip-tiny": 1,
  };
  for (const [folder, checkpoints] of Object.entries(folders))
    test(folder, async () => assertAgrees(await compareModel(sharedPath("reference", folder)!), checkpoints));
  test("shards, against the reference of the folder beside it that they were made of, named or not", async () => {
    const shards = sharedPath("reference", "hf-clip-tiny-sharded")!;
    const golden = sharedPath("reference", "hf-clip-tiny", "golden.safetensors");
    const [named, found] = [await compareModel(shards, golden), await compareModel(shards)];
    assertAgrees(named, 1);
    const label = "model.safetensors.index.json (../hf-clip-tiny/golden.safetensors)";
    assert.deepEqual(
      found.tensors,
      named.tensors.map((tensor) => ({ ...tensor, checkpoint: label })),
    );
  });
  test("one file of several", async () => {
    assertAgrees(await compareModel(sharedPath("reference", "vit-tiny", "vit-tiny.fp16.pt")!), 1);
  });
});

describe("what does not agree is named", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "clipt-test-"));
    await cp(fixture, folder, { recursive: true });
  });
  after(() => rm(folder, { recursive: true }));

  test("a changed reference, a tensor that clipt lacks, one of another shape", async () => {
    const file = await openWeights(join(fixture, "golden.safetensors"));
    const { tensors } = await readAll(file);
    await file.close();
    const pooled = tensors.get("tap.text.pooled")!;
    const moved = Float32Array.from(pooled.data as Float32Array);
    moved[3]! += 0.5;
    tensors.set("tap.text.pooled", f32(pooled.shape, moved));
    tensors.set("tap.text.block.9", pooled);
    tensors.set("logits_per_image", f32([1], [0]));
    const reference = join(folder, "changed.safetensors");
    await saveSafetensors(reference, tensors);
    const wrong = (await compareModel(folder, reference)).tensors.filter(({ ok }) => !ok);
    assert.deepEqual(wrong.map(({ name }) => name).sort(), [
      "logits_per_image",
      "tap.text.block.9",
      "tap.text.pooled",
    ]);
    assert.ok(Math.abs(wrong.find(({ name }) => name === "tap.text.pooled")!.maxAbs! - 0.5) < 1e-4);
    await rm(reference);
  });

  test("a checkpoint that cannot be read is one line, and the others are compared", async () => {
    await writeFile(join(folder, "broken.pt"), "no weights");
    const { ok, tensors } = await compareModel(folder);
    assert.ok(!ok);
    assert.deepEqual(
      tensors.filter((t) => !t.ok).map(({ checkpoint }) => checkpoint),
      ["broken.pt"],
    );
    assert.ok(tensors.length > 10);
  });

  test("only a folder that is named as another one in shards borrows its reference", async () => {
    const [whole, shards, other] = ["whole", "whole-sharded", "whole-other"].map((name) =>
      join(folder, "beside", name),
    );
    for (const made of [whole!, shards!, other!]) await cp(fixture, made, { recursive: true });
    for (const made of [shards!, other!]) await rm(join(made, "golden.safetensors"));
    const report = await compareModel(`${shards!}/`);
    assertAgrees(report, 1);
    assert.match(report.tensors[0]!.checkpoint, /\.bin \(\.\.\/whole\/golden\.safetensors\)$/);
    await assert.rejects(compareModel(other!), { code: "missing", message: /golden/ });
  });

  test("a folder that does not exist, one without a reference", async () => {
    await assert.rejects(compareModel(join(folder, "nowhere")), { code: "missing" });
    await rm(join(folder, "golden.safetensors"));
    await assert.rejects(compareModel(folder), { code: "missing", message: /golden/ });
  });
});

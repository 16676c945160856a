import assert from "node:assert/strict";
import { mkdir, mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { needsShared, sharedPath } from "../../test/shared.js";
import * as torch from "../../test/torch-files.js";
import { CliptError, f32, type Tensor, toFloat32 } from "../tensor/index.js";
import { bytesOf } from "./bytes.js";
import { openWeights } from "./file.js";
import { writeSafetensors } from "./safetensors.js";

let folder = "";
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "clipt-weights-"));
});
after(() => rm(folder, { recursive: true }));

async function put(name: string, data: Uint8Array | string): Promise<string> {
  const path = join(folder, name);
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, data);
  return path;
}

async function readAll(path: string): Promise<Map<string, Tensor>> {
  const file = await openWeights(path);
  try {
    const tensors = new Map<string, Tensor>();
    for (const name of file.names()) {
      const tensor = await file.read(name);
      assert.deepEqual(file.entry(name), { dtype: tensor.dtype, shape: tensor.shape });
      tensors.set(name, tensor);
    }
    return tensors;
  } finally {
    await file.close();
  }
}
const widened = (tensors: Map<string, Tensor>) =>
  new Map(
    [...tensors].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, tensor]) => [name, toFloat32(tensor)]),
  );
const reference = (path: string) => sharedPath("reference", path) as string;

describe("one model, saved in several ways, is one model", () => {
  const pairs: [string, string, readonly string[]][] = [
    ["vit-tiny/vit-tiny.safetensors", "vit-tiny/vit-tiny.fp16.pt", []],
    ["vit-tiny/vit-tiny.safetensors", "vit-tiny/vit-tiny.train.pt", []],
    [
      "vit-tiny/vit-tiny.safetensors",
      "vit-tiny/vit-tiny.torchscript.pt",
      ["input_resolution", "context_length", "vocab_size"],
    ],
    ["rn-tiny/rn-tiny.safetensors", "rn-tiny/rn-tiny.fp16.pt", []],
    [
      "hf-clip-tiny",
      "hf-clip-tiny-sharded",
      ["text_model.embeddings.position_ids", "vision_model.embeddings.position_ids"],
    ],
  ];
  for (const [a, b, extra] of pairs)
    test(b, needsShared("reference"), async () => {
      const tensors = widened(await readAll(reference(b)));
      for (const name of extra) assert.ok(tensors.delete(name));
      assert.deepEqual(tensors, widened(await readAll(reference(a))));
    });
});

test("a folder with a .bin is read", needsShared("reference"), async () => {
  const tensors = await readAll(reference("openclip-avg-tiny"));
  assert.deepEqual(tensors.get("visual.conv1.weight")?.dtype, "float32");
});

test("a location names the very bytes", async () => {
  const w = f32([3], [1, 2, 3]);
  for (const [name, bytes] of [
    ["mapped.safetensors", writeSafetensors([["v", f32([1], [0])], ["w", w]])],
    ["mapped.pt", torch.torchFile(torch.pickle(torch.dict([torch.text("w"), torch.strided(torch.storage("FloatStorage", "0", 4), 1, [3], [1])])), { 0: torch.floats(0, 1, 2, 3) })],
  ] as const) {
    const path = await put(name, bytes);
    const weights = await openWeights(path);
    const at = weights.location("w");
    assert.ok(at !== undefined);
    assert.equal(at.path, path);
    const file = await open(path);
    const { buffer } = await file.read({ buffer: Buffer.alloc(at.length), position: at.offset });
    assert.deepEqual(Buffer.from(buffer), Buffer.from(bytesOf(w)), name);
    await file.close();
    await weights.close();
  }
}); // prettier-ignore

test("an array of an archive has no location: its check sum is held against its bytes", async () => {
  const bytes = torch.zip([{ name: "w.npy", data: torch.npy("<f4", [3], torch.floats(1, 2, 3)) }]);
  const whole = await openWeights(await put("stored.npz", bytes));
  assert.equal(whole.location("w"), undefined);
  assert.deepEqual(await whole.read("w"), f32([3], [1, 2, 3]));
  await whole.close();
  bytes[bytes.indexOf(torch.floats(2)) + 1]! ^= 1;
  const damaged = await openWeights(await put("damaged.npz", bytes));
  await assert.rejects(damaged.read("w"), { code: "format", message: /check sum of "w.npy" is wrong/ });
  await damaged.close();
});

test("strided and packed tensors have no location and are read all the same", async () => {
  const transposed = torch.strided(torch.storage("FloatStorage", "0", 4), 0, [2, 2], [1, 2]);
  const pt = await put(
    "transposed.pt",
    torch.torchFile(torch.pickle(torch.dict([torch.text("w"), transposed])), { 0: torch.floats(1, 2, 3, 4) }),
  );
  const array = torch.npy("<f4", [2, 2], torch.floats(1, 2, 3, 4), true);
  const npz = await put("packed.npz", torch.zip([{ name: "w.npy", data: array, deflate: true }]));
  for (const path of [pt, npz]) {
    const weights = await openWeights(path);
    assert.equal(weights.location("w"), undefined);
    assert.deepEqual(await weights.read("w"), f32([2, 2], [1, 3, 2, 4]));
    await weights.close();
  }
});

test("a NumPy file is one tensor called array", async () => {
  const path = await put("one.npy", torch.npy("<f4", [2, 1], torch.floats(5, 6)));
  assert.deepEqual(await readAll(path), new Map([["array", f32([2, 1], [5, 6])]]));
});

test("shards are joined by their index", async () => {
  const [a, b] = [f32([1], [1]), f32([1], [2])];
  await put("shards/1.safetensors", writeSafetensors([["a", a]], { format: "pt" }));
  await put("shards/2.safetensors", writeSafetensors([["b", b]]));
  const index = { weight_map: { a: "1.safetensors", b: "2.safetensors" } };
  await put("shards/model.safetensors.index.json", JSON.stringify(index));
  const path = join(folder, "shards");
  assert.deepEqual(
    await readAll(path),
    new Map([
      ["a", a],
      ["b", b],
    ]),
  );
});

describe("what cannot be opened says why", () => {
  const cases: [string, () => Promise<string>, string, RegExp][] = [
    ["nothing there", async () => join(folder, "absent.pt"), "missing", /absent\.pt does not exist/],
    ["an empty folder", () => mkdir(join(folder, "empty"), { recursive: true }).then(() => join(folder, "empty")), "missing", /holds no weights/],
    ["an empty file", () => put("empty.safetensors", ""), "format", /0 bytes long/],
    ["a picture", () => put("cat.bin", "\x89PNG\r\n\x1a\n and so on"), "format", /Not a safetensors file/],
    ["a Git LFS pointer", () => put("lfs.bin", "version https://git-lfs.github.com/spec/v1\noid"), "format", /git lfs pull/],
    ["an index that leaves its folder", () => put("x.index.json", '{"weight_map":{"a":"../secret.bin"}}'), "format", /none beside it/],
    ["an index of nothing", () => put("y.index.json", "[]"), "format", /no weight_map/],
    ["an index whose shard is gone", () => put("z.index.json", '{"weight_map":{"a":"gone.bin"}}'), "missing", /gone\.bin does not exist/],
    ["an index whose shard lacks the tensor", async () => {
      await put("v.safetensors", writeSafetensors([["a", f32([1], [1])]]));
      return put("v.index.json", '{"weight_map":{"b":"v.safetensors"}}');
    }, "missing", /no tensor "b"/],
  ]; // prettier-ignore
  for (const [name, make, code, message] of cases)
    test(name, async () => assert.rejects(openWeights(await make()), { name: "CliptError", code, message }));

  test("a folder with several files", async () => {
    await put("several/a.safetensors", writeSafetensors([]));
    await put("several/b.safetensors", writeSafetensors([]));
    await assert.rejects(openWeights(join(folder, "several")), /several files of weights/);
  });

  test("a name that is not there", async () => {
    const weights = await openWeights(await put("w.safetensors", writeSafetensors([])));
    assert.throws(() => weights.entry("visual.proj"), { code: "missing", message: /"visual\.proj"/ });
    await assert.rejects(weights.read("visual.proj"), CliptError);
    await weights.close();
  });
});

describe("a file cut at any of 200 places is refused when opened or read", () => {
  const view = torch.strided(torch.storage("FloatStorage", "0", 4), 0, [4], [1]);
  const data = torch.pickle(torch.dict([torch.text("w"), view]));
  const numbers = torch.floats(1, 2, 3, 4);
  const array = torch.npy("<f4", [4], numbers);
  const formats = {
    safetensors: writeSafetensors([["w", f32([4], [1, 2, 3, 4])]], { format: "pt" }),
    pytorch: torch.torchFile(data, { 0: numbers }),
    "pytorch before 1.6": torch.legacyTorchFile(data, { 0: { count: 4, numbers } }),
    npz: torch.zip([{ name: "w.npy", data: array, deflate: true }]),
    npy: array,
  };
  for (const [format, whole] of Object.entries(formats))
    test(format, async () => {
      await readAll(await put("cut", whole));
      for (let i = 0; i < 200; i++) {
        const path = await put("cut", whole.subarray(0, Math.floor((i * whole.length) / 200)));
        await assert.rejects(readAll(path), CliptError);
      }
    });
});

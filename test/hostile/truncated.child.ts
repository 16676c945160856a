// Reads files of every format, each cut at 200 places. Says on its standard output what it tries, and what went wrong.
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { openTokenizer } from "../../src/input/text/index.js";
import { openEncoderAt, openModel } from "../../src/model/index.js";
import { packageRoot } from "../../src/package-root.js";
import { nodeRuntime } from "../../src/runtime/index.js";
import { readEmbeddings, writeEmbeddings } from "../../src/task/embeddings/file.js";
import { f32, random } from "../../src/tensor/index.js";
import { tarShard } from "../../src/train/data/tar-source.js";
import { readWeights, savePyTorch, saveSafetensors } from "../../src/weights/index.js";
import { writeTar } from "../made-data.js";
import { writeSmallModel } from "../small-model.js";
import { tinyWeights } from "../tiny-model.js";
import * as torch from "../torch-files.js";
import { misbehaviour, useModel } from "./use-model.js";

const places = 200;
const rng = random("cuts");
const root = await mkdtemp(join(tmpdir(), "clipt-cut-"));
const at = (...parts: string[]) => join(root, ...parts);
const fixture = (...parts: string[]) => join(packageRoot, "test/fixtures", ...parts);

/** Reads a file at that many places of its length; `read` must do so from beginning to end. */
async function cut(path: string, read: () => Promise<unknown>): Promise<void> {
  const whole = await readFile(path);
  await read();
  for (let i = 0; i < places; i++) {
    const length = rng.int(whole.length);
    await writeFile(path, whole.subarray(0, length));
    console.log(`try ${basename(path)} of ${length} bytes`);
    const trouble = await misbehaviour(read);
    if (trouble !== undefined) console.log(`BAD ${path} of ${length} bytes: ${trouble}`);
  }
  await writeFile(path, whole);
}

async function folder(name: string): Promise<void> {
  await cp(fixture("models", name), at(name), { recursive: true });
  // A short one instead of CLIP's own, which takes longer to read than all the rest.
  await writeFile(at(name, "bpe_simple_vocab_16e6.txt"), "#version: 0.2\na b\n");
}

try {
  await writeSmallModel(at("own"));
  for (const name of ["model.safetensors", "config.json", "tokenizer.json"])
    await cut(at("own", name), () => useModel(at("own")));
  await folder("openclip-avg-tiny");
  await cut(at("openclip-avg-tiny", "open_clip_config.json"), () => openModel(at("openclip-avg-tiny")));
  await folder("chinese-clip-tiny");
  for (const name of ["config.json", "preprocessor_config.json", "vocab.txt"])
    await cut(at("chinese-clip-tiny", name), () => useModel(at("chinese-clip-tiny")));

  const weights = tinyWeights();
  await savePyTorch(at("dict.pt"), weights);
  await cut(at("dict.pt"), () => readWeights(at("dict.pt")));
  const numbers = torch.floats(...Array.from({ length: 64 }, (_, i) => i));
  const view = torch.strided(torch.storage("FloatStorage", "0", 64), 0, [8, 8], [1, 8]);
  const script = torch.scriptModule("CLIP", [
    torch.text("visual"),
    torch.scriptModule("V", [torch.text("w"), view]),
  ]);
  await writeFile(at("script.pt"), torch.torchFile(torch.pickle(script), { 0: numbers }));
  await cut(at("script.pt"), () => readWeights(at("script.pt")));
  const dict = torch.pickle(torch.dict([torch.text("w"), view]));
  await writeFile(at("legacy.pt"), torch.legacyTorchFile(dict, { 0: { count: 64, numbers } }));
  await cut(at("legacy.pt"), () => readWeights(at("legacy.pt")));
  const array = torch.npy("<f4", [8, 8], numbers);
  await writeFile(at("array.npy"), array);
  await cut(at("array.npy"), () => readWeights(at("array.npy")));
  const members = [{ name: "a.npy", data: array, deflate: true }, { name: "b.npy", data: array }]; // prettier-ignore
  await writeFile(at("arrays.npz"), torch.zip(members));
  await cut(at("arrays.npz"), () => readWeights(at("arrays.npz")));
  await mkdir(at("shards"));
  await saveSafetensors(at("shards", "model-1.safetensors"), weights);
  const index = {
    weight_map: Object.fromEntries([...weights.keys()].map((name) => [name, "model-1.safetensors"])),
  };
  await writeFile(at("shards", "model.safetensors.index.json"), JSON.stringify(index));
  for (const name of ["model.safetensors.index.json", "model-1.safetensors"])
    await cut(at("shards", name), () => readWeights(at("shards")));

  await folder("onnx-siglip-tiny");
  const runtime = nodeRuntime();
  await cut(at("onnx-siglip-tiny", "onnx", "vision_model.onnx"), async () => {
    const encoder = await openEncoderAt(at("onnx-siglip-tiny"), runtime);
    try {
      await encoder.images(f32([1, 3, 16, 16], new Float32Array(3 * 16 ** 2)));
    } finally {
      await encoder.close();
    }
  });
  await runtime.close();

  await cp(fixture("text", "tiny.model"), at("tiny.model"));
  await cut(at("tiny.model"), async () => {
    const tokenizer = openTokenizer({ "tiny.model": await readFile(at("tiny.model")) });
    tokenizer.decode(tokenizer.batch(["a photo of a cat", "ÀÉ 猫"]).ids);
  });

  const embeddings = { identity: "id", items: ["a", "b"], vectors: f32([2, 3], [1, 0, 0, 0, 1, 0]) };
  for (const name of ["e.safetensors", "e.npy", "e.jsonl"]) {
    await writeEmbeddings(at(name), embeddings);
    await cut(at(name), () => readEmbeddings(at(name)));
  }
  await cut(at("e.npy.json"), () => readEmbeddings(at("e.npy")));

  const samples = { "a.jpg": "picture", "a.txt": "a cat", "b.jpg": "picture", "b.json": '{"caption": "b"}' };
  await writeTar(at("shard.tar"), samples);
  await cut(at("shard.tar"), async () => {
    for await (const sample of tarShard(at("shard.tar")).samples(() => {}))
      if (sample.key === "") throw new Error("no key");
  });
} finally {
  await rm(root, { recursive: true });
}
console.log(`peak ${Math.round(process.resourceUsage().maxRSS / 1024)} MB`);

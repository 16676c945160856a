// Opens files that were made to do harm or to fill the memory. Each must be refused. Says on its standard output what it
// tries, and what went wrong.
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateRawSync, gzipSync } from "node:zlib";
import { decodeImage, fitImage, clipPreprocess, rgbPicture } from "../../src/input/image/index.js";
import { openModel } from "../../src/model/index.js";
import { CliptError } from "../../src/tensor/index.js";
import { tarShard } from "../../src/train/data/tar-source.js";
import { numberedLines } from "../../src/train/data/text-file.js";
import { readWeights } from "../../src/weights/index.js";
import { writeTar } from "../made-data.js";
import { writeSmallModel } from "../small-model.js";
import * as t from "../torch-files.js";
import { misbehaviour } from "./use-model.js";

const million = 1_000_000;
const times = (count: number, opcodes: string) => Buffer.alloc(count * opcodes.length, opcodes, "latin1");
const four = t.floats(1, 2, 3, 4);
const view = t.strided(t.storage("FloatStorage", "0", 4), 0, [2, 2], [2, 1]);
const torch = (...parts: (string | Buffer)[]) => t.torchFile(t.pickle(...parts), { 0: four });
const safetensors = (header: string, data = 0) => {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(Buffer.byteLength(header)));
  return Buffer.concat([length, Buffer.from(header), Buffer.alloc(data)]);
};
const zeros = (mega: number) => Buffer.alloc(mega * million);

/** Weights, each made when its turn comes. */
const weights: Record<string, () => Buffer> = {
  "os.system by GLOBAL": () => torch(t.call(t.global("os", "system"), t.text("touch /tmp/clipt-was-here"))),
  "posix.system": () => torch(t.call(t.global("posix", "system"), t.text("id"))),
  "eval by STACK_GLOBAL": () => torch(t.text("builtins"), t.text("eval"), "\x93", t.text("1"), "\x85R"),
  "exec behind a dict": () =>
    torch(t.dict([t.text("w"), view]), t.call(t.global("builtins", "exec"), t.text("1")), "0"),
  "subprocess by INST": () => torch("(", t.text("id"), "isubprocess\nPopen\n"),
  "an object by OBJ": () => torch("(", t.global("os", "system"), t.text("id"), "o"),
  "an extension": () => torch("\x82\x01"),
  "a class's attribute": () => torch(t.call(t.global("torch.nn.modules.linear", "Linear.forward"))),
  "getattr in a tensor's place": () =>
    torch(t.dict([t.text("w"), t.call(t.global("builtins", "getattr"), view, t.text("data"))])),
  "reduces in reduces": () => torch(Array.from({ length: 1000 }, () => t.global("collections", "OrderedDict")).join("") + "(t" + "R".repeat(1000)), // prettier-ignore
  "a call of what a call gave": () => torch(t.call(t.call(t.global("collections", "OrderedDict")))),
  "torch.load of another file": () => torch(t.call(t.global("torch", "load"), t.text("/etc/passwd"))),
  "a list that holds itself": () => torch("]q\x00h\x00a"),
  "a dictionary that holds itself": () => torch("}q\x00", t.text("w"), "h\x00s"),
  "modules that hold each other": () =>
    torch(t.global("__torch__", "A"), ")\x81q\x00}q\x01", t.text("w"), "h\x00sb"),
  "millions of lists": () => torch(times(30 * million, "]")),
  "millions of dictionaries": () => torch(times(30 * million, "}")),
  "millions of marks": () => torch(times(30 * million, "(")),
  "tuples nested millions deep": () => torch(")", times(20 * million, "\x85")),
  "a list that grows by itself": () => torch("]q\x00", times(10 * million, "h\x00a")),
  "doubled thirty times": () =>
    torch("]q\x00", Array.from({ length: 30 }, () => "](h\x00h\x00eq\x00").join("")),
  "a memo of millions": () => torch("N", times(10 * million, "\x94")),
  "a text of 4 GiB": () => torch("X\xff\xff\xff\xff"),
  "a storage of 2^40 numbers": () =>
    torch(t.strided(t.storage("FloatStorage", "0", 2 ** 30), 0, [2 ** 30], [1])),
  "a view of 2^62 numbers": () => torch(t.dict([t.text("w"), t.strided(t.storage("FloatStorage", "0", 4), 0, [2 ** 30, 2 ** 30, 4], [0, 0, 1])])), // prettier-ignore
  "storages that are packed": () => t.zip([{ name: "a/data.pkl", data: t.pickle(view) }, { name: "a/data/0", data: zeros(10), deflate: true }]), // prettier-ignore
  "old PyTorch, counts that lie": () =>
    t.legacyTorchFile(t.pickle(view), { 0: { count: 2 ** 50, numbers: four } }),
  "a bomb among arrays": () => t.zip([{ name: "a.npy", data: zeros(100), deflate: true }]),
  "a thousand bombs": () => bombs(1000, 50),
  "an archive's name that climbs out": () =>
    t.zip([{ name: "../../evil.npy", data: t.npy("<f4", [4], four) }]),
  "an array's shape that lies": () => t.npy("<f4", [2 ** 40, 2 ** 40], four),
  "an array of 2^50 numbers": () => t.npy("<f4", [2 ** 50], four),
  "a header of 4 GiB": () => { const bytes = safetensors("{}"); bytes.writeBigUInt64LE(2n ** 32n); return bytes; }, // prettier-ignore
  "a header of lists": () => safetensors(`{"w":[${"[],".repeat(20 * million)}[]]}`),
  "a header of tensors": () => safetensors(`{${Array.from({ length: million }, (_, i) => `"${i}":{"dtype":"U8","shape":[],"data_offsets":[0,1]}`).join(",")}}`, 1), // prettier-ignore
  "a shape of a million axes": () => safetensors(`{"w":{"dtype":"U8","shape":[${"1,".repeat(million)}1],"data_offsets":[0,1]}}`, 1), // prettier-ignore
};

/** An archive of packed zeros, each small enough to pass alone. */
function bombs(count: number, mega: number): Buffer {
  const data = zeros(mega);
  const header = t.npy("|u1", [mega * million], Buffer.alloc(0));
  const packed = deflateRawSync(Buffer.concat([header, data]));
  const size = header.length + data.length;
  return t.zip(
    Array.from({ length: count }, (_, i) => ({ name: `${i}.npy`, data: packed, packedFrom: size })),
  );
}

const root = await mkdtemp(join(tmpdir(), "clipt-bombs-"));
const at = (...parts: string[]) => join(root, ...parts);

async function attempt(name: string, work: () => Promise<unknown>): Promise<void> {
  console.log(`try ${name}`);
  const trouble = await misbehaviour(async () => {
    await work();
    throw new Error("It was not refused.");
  });
  if (trouble !== undefined) console.log(`BAD ${name}: ${trouble}`);
}

try {
  for (const [name, make] of Object.entries(weights)) {
    await writeFile(at("weights"), make());
    await attempt(name, () => readWeights(at("weights")));
  }
  const index = (file: unknown) => JSON.stringify({ weight_map: { w: file } });
  for (const file of [
    "../weights.safetensors",
    "/etc/passwd",
    "a/b.safetensors",
    "..\\w.safetensors",
    "",
    5,
    null,
    "w.safetensors\0",
  ]) {
    await writeFile(at("model.safetensors.index.json"), index(file));
    await attempt(`a shard ${JSON.stringify(file)}`, () => readWeights(at("model.safetensors.index.json")));
  }

  await writeSmallModel(at("own"));
  const files: Record<string, () => string | Buffer> = {
    "config.json of brackets": () => "[".repeat(20 * million),
    "config.json of lists": () => `[${"[],".repeat(20 * million)}[]]`,
    "config.json of a long text": () => `{"format":"${"a".repeat(50 * million)}"}`,
    "tokenizer.json of lists": () => `{"model":[${"[],".repeat(20 * million)}[]]}`,
    "tokenizer.json of one long piece": () => JSON.stringify({ model: { type: "Unigram", unk_id: 0, vocab: [["a".repeat(50 * million), 0]] } }), // prettier-ignore
  };
  const { readFile } = await import("node:fs/promises");
  for (const [name, make] of Object.entries(files)) {
    const path = at("own", name.split(" ")[0]!);
    const whole = await readFile(path);
    await writeFile(path, make());
    await attempt(name, async () => (await openModel(at("own"))).tokenizer);
    await writeFile(path, whole);
  }
  await rm(at("own", "config.json"));
  await symlink("/dev/zero", at("own", "config.json"));
  await attempt("config.json that never ends", () => openModel(at("own")));
  await rm(at("own", "tokenizer.json"));
  await writeSmallModel(at("own2"));
  await rm(at("own2", "tokenizer.json"));
  await writeFile(at("own2", "bpe_simple_vocab_16e6.txt.gz"), gzipSync(zeros(200)));
  await attempt("a vocabulary that unpacks without end", async () => (await openModel(at("own2"))).tokenizer);

  await writeFile(at("lines.jsonl.gz"), gzipSync(zeros(300)));
  await attempt("a line without end", async () => {
    for await (const { number } of numberedLines(at("lines.jsonl.gz"))) if (number < 0) break;
  });
  await writeTar(at("shard.tar"), { "a.jpg": "picture", "a.txt": "a cat" });
  const archive = await readFile(at("shard.tar"));
  for (const [name, size] of [
    ["negative", "-1024"],
    ["none", "x"],
    ["huge", "99999999999999999999"],
  ] as const)
    // prettier-ignore
    await attempt(`a tar archive with a size that is ${name}`, async () => {
      await writeFile(at("shard.tar"), Buffer.concat([pax(size), archive]));
      const reasons: string[] = [];
      for await (const { key } of tarShard(at("shard.tar")).samples(({ reason }) => reasons.push(reason)))
        reasons.push(key);
      throw new CliptError("format", reasons.join());
    });

  await attempt("a picture that would become too long", () =>
    Promise.resolve(
      fitImage(rgbPicture(60_000, 1, new Uint8Array(180_000)), { ...clipPreprocess, size: 224 }),
    ),
  );
  await attempt("a picture that claims too many pixels", () => decodeImage(hugePng()));
} finally {
  await rm(root, { recursive: true });
}
console.log(`peak ${Math.round(process.resourceUsage().maxRSS / 1024)} MB`);

/** An extended header that gives the next file another size. */
function pax(size: string): Buffer {
  const record = (length: number) => `${length} size=${size}\n`;
  const text = record(record(10).length);
  const header = Buffer.alloc(512);
  header.write("pax", 0);
  header.write("0000644\0", 100);
  header.write(text.length.toString(8).padStart(11, "0"), 124);
  header.write("x", 156);
  header.write("ustar\u000000", 257, "latin1");
  header.fill(" ", 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return Buffer.concat([header, Buffer.alloc(512, text + "\0".repeat(512 - text.length))]);
}

/** A PNG whose header says 100,000 × 100,000. */
function hugePng(): Buffer {
  const png = Buffer.from("89504e470d0a1a0a0000000d49484452000186a0000186a00802000000", "hex");
  return Buffer.concat([png, Buffer.alloc(64)]);
}

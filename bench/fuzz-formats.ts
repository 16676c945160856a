import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { clipPreprocess, decodeImage, exifBlock, fitImage } from "../src/input/image/index.js";
import { openTokenizer, toTokenizerJson, trainBpe } from "../src/input/text/index.js";
import { families } from "../src/model/index.js";
import { packageRoot } from "../src/package-root.js";
import { readSignature } from "../src/runtime/index.js";
import { readEmbeddings } from "../src/task/embeddings/file.js";
import { f32, parseJson, tensor } from "../src/tensor/index.js";
import { tarShard } from "../src/train/data/tar-source.js";
import { readPyTorch, readSafetensors, stateDict, writeSafetensors } from "../src/weights/index.js";
import { openNpy, openNpz } from "../src/weights/npy.js";
import { bytesSource } from "../src/weights/source.js";
import { decodeStored, type Stored } from "../src/weights/stored.js";
import { writeTar } from "../test/made-data.js";
import { halves, madeNef } from "../test/made-raw.js";
import * as t from "../test/torch-files.js";

export interface Format {
  /** Sound files, the start of all damage. */
  readonly whole: readonly Uint8Array[];
  /** Files of other kinds that are worth a try. */
  readonly others?: readonly fc.Arbitrary<Uint8Array>[];
  /** Reads everything in a file. */
  readonly read: (bytes: Uint8Array) => unknown;
}

const fixture = (...parts: string[]) => readFileSync(join(packageRoot, "test/fixtures", ...parts));
const scratch = mkdtempSync(join(tmpdir(), "clipt-fuzz-"));
process.on("exit", () => rmSync(scratch, { recursive: true, force: true }));
/** For readers that take a path. */
const onDisk =
  (name: string, read: (path: string) => Promise<unknown>) =>
  (bytes: Uint8Array): Promise<unknown> => {
    writeFileSync(join(scratch, name), bytes);
    return read(join(scratch, name));
  };

const samples = { "a.jpg": "picture", "a.txt": "a cat", "b.jpg": "picture", "b.json": '{"caption": "b"}' };
await writeTar(join(scratch, "shard.tar"), samples);
const shard = readFileSync(join(scratch, "shard.tar"));

const numbers = t.floats(1, 2, 3, 4);
const view = t.strided(t.storage("FloatStorage", "0", 4), 0, [2, 2], [1, 2]);
const checkpoint = t.pickle(
  t.dict(
    [t.text("epoch"), t.int(1)],
    [t.text("state_dict"), t.orderedDict([t.text("module.w"), view])],
    [t.text("optimizer"), t.dict([t.text("state"), t.dict([t.int(0), t.dict([t.text("exp_avg"), view])])])],
  ),
);
const modules = t.scriptModule("A", [t.text("b"), t.scriptModule("B", [t.text("w"), view])]);
const array = t.npy("<f4", [2, 2], numbers, true);
const members = [
  { name: "a.npy", data: array, deflate: true },
  { name: "b.npy", data: array },
];
const tensors = [
  ["w", f32([2, 2], [1, 2, 3, 4])],
  ["n", tensor("int64", [1], BigInt64Array.of(5n))],
] as const;

const load = (bytes: Uint8Array, stored: Stored) =>
  decodeStored(stored, bytes.subarray(stored.begin, stored.end));

const opcode = fc.integer({ min: 0, max: 255 });
const randomPickle = fc
  .array(opcode, { maxLength: 400 })
  .map((ops) => t.torchFile(t.pickle(Buffer.from(ops)), { 0: numbers }));
/** The parts of the sound pickle in any order, between random opcodes: what is well-formed in a wrong place. */
const shuffledPickle = fc
  .array(fc.oneof(fc.constantFrom(view, checkpoint.subarray(2, -1), modules), opcode.map((op) => Buffer.of(op))), { maxLength: 30 })
  .map((parts) => t.torchFile(t.pickle(...parts), { 0: numbers })); // prettier-ignore

const someJson = fc.oneof(fc.json({ maxDepth: 4 }), fc.string()).map((json) => Buffer.from(json));

/** Valid JSON with some of its values exchanged for others, which damaged bytes seldom leave. */
function changed(files: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const other = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom(1e9, 2 ** 53, -1, 0.5, "", null, true),
  );
  return fc
    .tuple(
      fc.constantFrom(...files.map((file) => JSON.parse(text(file)) as unknown)),
      fc.array(fc.tuple(fc.nat(), other), { minLength: 1, maxLength: 3 }),
    )
    .map(([whole, changes]) => {
      const copy = { whole: structuredClone(whole) };
      for (const [number, value] of changes) {
        const places = placesIn(copy);
        const [owner, key] = places[number % places.length]!;
        (owner as Record<string, unknown>)[key] = structuredClone(value);
      }
      return json(copy.whole);
    });
}

/** Every value in a JSON value, by what holds it. */
const placesIn = (value: object): [owner: object, key: string][] =>
  Object.entries(value).flatMap(([key, inner]: [string, unknown]) => [
    [value, key] as [object, string],
    ...(typeof inner === "object" && inner !== null ? placesIn(inner) : []),
  ]);

const randomHeader = someJson.map((text) => {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, numbers]);
});

const texts = ["a photo of a cat", "ÀÉ, 12 «кошки» 猫 <|endoftext|> </s>", ""];
const tokenize = (files: Record<string, Uint8Array>) => {
  const tokenizer = openTokenizer(files, { cleaning: "whitespace" });
  tokenizer.decode(tokenizer.batch(texts).ids);
  return tokenizer.identity();
};

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const json = (value: unknown) => Buffer.from(JSON.stringify(value));
const { tokenizers } = JSON.parse(text(fixture("text", "tokenizer-json.json"))) as {
  tokenizers: { tokenizer: unknown }[];
};
const small = toTokenizerJson(trainBpe(["a cat and a dog", "the dog ran"], { vocabSize: 520 }));

const configOf = (name: string) => (bytes: Uint8Array) =>
  families
    .filter((family) => family.name === name)
    .map((family) =>
      family.describe({
        config: parseJson(text(bytes), "config"),
        preprocessor: parseJson(text(bytes), "preprocessor"),
        tokenizer: parseJson(text(bytes), "tokenizer"),
        shapes: new Map(),
      }),
    );
const hf = (kind: "clip" | "siglip") =>
  json({
    model_type: kind,
    vision_config: { image_size: 32, patch_size: 8, hidden_act: "gelu" },
    text_config: { max_position_embeddings: 16, projection_size: 8, eos_token_id: 2 },
    do_resize: true,
    do_center_crop: true,
    size: { shortest_edge: 32 },
    crop_size: { height: 32, width: 32 },
    image_mean: [0.5, 0.5, 0.5],
    tokenizer_class: "CLIPTokenizer",
  });

const picture = (name: string) => fixture("pictures", name);
const preview = await halves(64, 48);

const jsonFormat = (whole: readonly Uint8Array[], read: Format["read"]): Format => ({
  whole,
  others: [someJson, changed(whole), changed(whole)],
  read,
});

/** Every reader of files that others made, by the name of the format. */
export const formats: Readonly<Record<string, Format>> = {
  safetensors: {
    whole: [writeSafetensors(tensors, { format: "pt" })],
    others: [randomHeader],
    read: readSafetensors,
  },
  "PyTorch archive": {
    whole: [t.torchFile(checkpoint, { 0: numbers }), t.torchFile(t.pickle(modules), { 0: numbers })],
    others: [randomPickle, shuffledPickle],
    read: (bytes) => stateDict(readPyTorch(bytes).root),
  },
  "PyTorch before 1.6": {
    whole: [t.legacyTorchFile(checkpoint, { 0: { count: 4, numbers } })],
    read: (bytes) => stateDict(readPyTorch(bytes).root),
  },
  npy: { whole: [array], read: (bytes) => load(bytes, openNpy(bytesSource(bytes))) },
  npz: {
    whole: [t.zip(members), t.zip(members, true)],
    read: (bytes) => [...openNpz(bytesSource(bytes)).values()].map((stored) => load(bytes, stored)),
  },
  ONNX: {
    whole: [fixture("models/onnx-siglip-tiny/onnx/text_model.onnx")],
    read: (bytes) => readSignature(bytes),
  },
  "tokenizer.json": jsonFormat([small, ...tokenizers.map(({ tokenizer }) => tokenizer)].map(json), (bytes) =>
    tokenize({ "tokenizer.json": bytes }),
  ),
  "tokenizer_config.json": jsonFormat(
    [json({ tokenizer_class: "BertTokenizer", model_max_length: 16, sep_token: { content: "[SEP]" } })],
    (bytes) =>
      tokenize({
        "vocab.txt": fixture("models/openclip-bert-tiny/vocab.txt"),
        "tokenizer_config.json": bytes,
      }),
  ),
  "vocab.txt": {
    whole: [fixture("models/openclip-bert-tiny/vocab.txt")],
    read: (bytes) => tokenize({ "vocab.txt": bytes }),
  },
  SentencePiece: {
    whole: [fixture("text/tiny.model")],
    read: (bytes) => tokenize({ "tiny.model": bytes }),
  },
  "config.json of transformers": jsonFormat([hf("clip"), hf("siglip")], configOf("transformers")),
  "open_clip_config.json": jsonFormat(
    ["openclip-avg-tiny", "mobileclip-s-tiny", "mobileclip-b-tiny"].map((name) =>
      fixture("models", name, "open_clip_config.json"),
    ),
    configOf("OpenCLIP"),
  ),
  "config.json of clipt": jsonFormat(
    [readFileSync(join(packageRoot, "models/clipt-small/config.json"))],
    configOf("clipt"),
  ),
  embeddings: jsonFormat(
    [json({ item: "a", identity: "id", embedding: [1, 0, 0] })],
    onDisk("e.jsonl", readEmbeddings),
  ),
  tar: {
    whole: [shard],
    read: onDisk("shard.tar", async (path) => {
      const keys: string[] = [];
      for await (const { key } of tarShard(path).samples(() => {})) keys.push(key);
      return keys;
    }),
  },
  "raw files": {
    whole: [madeNef(preview), madeNef(preview, { little: false })],
    read: async (bytes) => {
      exifBlock(bytes);
      return decodeImage(bytes, { maxPixels: 1e6 });
    },
  },
  pictures: {
    whole: ["gray.gif", "rle8.bmp", "565.bmp", "two-frames.gif", "palette-alpha.png", "palette.tif", "lossy.webp", "gray.jpg"].map(picture), // prettier-ignore
    read: async (bytes) =>
      fitImage(await decodeImage(bytes, { maxPixels: 1e6 }), { ...clipPreprocess, size: 16 }),
  },
};

/**
 * Feeds the readers of weights with damaged and random files for some seconds. Each must give data or a CliptError,
 * soon, and without asking for more memory than the file could justify.
 *
 *     node dist/bench/fuzz-readers.js [seconds = 30] [seed]
 */
import { performance } from "node:perf_hooks";
import fc from "fast-check";
import { CliptError, f32, tensor } from "../src/tensor/index.js";
import { readPyTorch, readSafetensors, stateDict, writeSafetensors } from "../src/weights/index.js";
import { openNpy, openNpz } from "../src/weights/npy.js";
import { bytesSource } from "../src/weights/source.js";
import { decodeStored, type Stored } from "../src/weights/stored.js";
import * as t from "../test/torch-files.js";

const [seconds = 30, seed = Date.now() % 2 ** 31] = process.argv.slice(2).map(Number);

interface Format {
  /** A sound file, the start of all damage. */
  readonly whole: Uint8Array;
  /** Reads everything in a file. */
  readonly read: (bytes: Uint8Array) => unknown;
}

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
const readWeights = (bytes: Uint8Array) => stateDict(readPyTorch(bytes).root);

const safetensors: Format = { whole: writeSafetensors(tensors, { format: "pt" }), read: readSafetensors };
const pytorch: Format = { whole: t.torchFile(checkpoint, { 0: numbers }), read: readWeights };
const formats: readonly Format[] = [
  safetensors,
  pytorch,
  { whole: t.torchFile(t.pickle(modules), { 0: numbers }), read: readWeights },
  { whole: t.legacyTorchFile(checkpoint, { 0: { count: 4, numbers } }), read: readWeights },
  { whole: array, read: (bytes) => load(bytes, openNpy(bytesSource(bytes))) },
  {
    whole: t.zip(members),
    read: (bytes) => [...openNpz(bytesSource(bytes)).values()].map((stored) => load(bytes, stored)),
  },
];

/** Bytes that steer a reader: opcodes that repeat, nest and call; brackets, signs, lengths near a limit. */
const telling = Buffer.from(
  '()]}{[:",.-0129RbQtuaesqhjcXJKM\x00\x01\x7f\x80\x81\x85\x86\x87\x8a\x8e\x93\x94\xff',
  "latin1",
);
const byte = fc.oneof(fc.constantFrom(...telling), fc.integer({ min: 0, max: 255 }));

/** Some bytes in place of others, at a part of the file's length. */
interface Edit {
  readonly at: number;
  readonly remove: number;
  readonly insert: Buffer;
}
const edit: fc.Arbitrary<Edit> = fc.record({
  at: fc.double({ min: 0, max: 0.999, noNaN: true }),
  remove: fc.oneof(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 200 })),
  insert: fc.array(byte, { maxLength: 8 }).map((bytes) => Buffer.from(bytes)),
});
// A change that keeps all lengths gets past the directory, deeper into a reader.
const overwrite = edit.map(({ at, insert }): Edit => ({ at, insert, remove: insert.length }));
const edits = fc.oneof(
  fc.array(overwrite, { minLength: 1, maxLength: 6 }),
  fc.array(edit, { minLength: 1, maxLength: 4 }),
);

const damage = (whole: Uint8Array, changes: readonly Edit[]): Uint8Array =>
  changes.reduce((bytes, { at, remove, insert }) => {
    const start = Math.floor(at * bytes.length);
    return Buffer.concat([bytes.subarray(0, start), insert, bytes.subarray(start + remove)]);
  }, whole);

interface Case {
  readonly format: Format;
  readonly bytes: Uint8Array;
}
const damaged = fc
  .tuple(fc.constantFrom(...formats), edits)
  .map(([format, changes]): Case => ({ format, bytes: damage(format.whole, changes) }));
const randomPickle = fc
  .array(byte, { maxLength: 400 })
  .map((ops): Case => ({ format: pytorch, bytes: t.torchFile(t.pickle(Buffer.from(ops)), { 0: numbers }) }));
/** The parts of the sound pickle in any order, between random opcodes: what is well-formed in a wrong place. */
const shuffledPickle = fc
  .array(fc.oneof(fc.constantFrom(view, checkpoint.subarray(2, -1), modules), byte.map((op) => Buffer.of(op))), { maxLength: 30 })
  .map((parts): Case => ({ format: pytorch, bytes: t.torchFile(t.pickle(...parts), { 0: numbers }) })); // prettier-ignore
const randomHeader = fc.oneof(fc.json({ maxDepth: 4 }), fc.string()).map((json): Case => {
  const text = Buffer.from(json);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return { format: safetensors, bytes: Buffer.concat([length, text, numbers]) };
});

const count = { read: 0, refused: 0 };
let slowestMs = 0;
const property = fc.property(
  fc.oneof({ weight: 6, arbitrary: damaged }, randomPickle, shuffledPickle, randomHeader),
  ({ format, bytes }) => {
    const start = performance.now();
    try {
      format.read(bytes);
      count.read++;
    } catch (error) {
      if (!(error instanceof CliptError)) throw error;
      count.refused++;
    }
    slowestMs = Math.max(slowestMs, performance.now() - start);
  },
);

for (const { whole, read } of formats) read(whole);
const result = fc.check(property, { seed, numRuns: 1e9, interruptAfterTimeLimit: seconds * 1000 });
const peakRssMb = Math.round(process.resourceUsage().maxRSS / 1024);
console.log(
  JSON.stringify({
    ok: !result.failed,
    seconds,
    seed,
    ...count,
    slowestMs: Math.round(slowestMs),
    peakRssMb,
  }),
);
if (result.failed) {
  const [example] = result.counterexample ?? [];
  console.log(result.errorInstance, Buffer.from(example?.bytes ?? []).toString("hex"));
  process.exitCode = 1;
}

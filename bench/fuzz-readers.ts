import fc from "fast-check";
import { CliptError } from "../src/tensor/index.js";
import { option, peakMb, type Benchmark } from "./benchmark.js";
import { formats, type Format } from "./fuzz-formats.js";

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
const edits = fc.array(
  fc.record<Edit>({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    remove: fc.integer({ min: 0, max: 8 }),
    insert: fc.array(byte, { maxLength: 8 }).map((bytes) => Buffer.from(bytes)),
  }),
  { minLength: 1, maxLength: 8 },
);

const damage = (whole: Uint8Array, changes: readonly Edit[]): Uint8Array =>
  changes.reduce<Uint8Array>((bytes, { at, remove, insert }) => {
    const start = Math.floor(at * bytes.length);
    return Buffer.concat([bytes.subarray(0, start), insert, bytes.subarray(start + remove)]);
  }, whole);

/** Files of a format: sound ones that were damaged, and what the format itself has to offer. */
const filesOf = ({ whole, others = [] }: Format): fc.Arbitrary<Uint8Array> => {
  const damaged = fc
    .tuple(fc.constantFrom(...whole), edits)
    .map(([bytes, changes]) => damage(bytes, changes));
  return fc.oneof({ weight: 4, arbitrary: damaged }, ...others);
};

interface Outcome {
  readonly read: number;
  readonly refused: number;
  readonly slowestMs: number;
  /** What went wrong, and a file that does it. */
  readonly found?: string;
}

async function fuzz(format: Format, seconds: number, seed: number): Promise<Outcome> {
  const count = { read: 0, refused: 0, slowestMs: 0 };
  for (const bytes of format.whole) await format.read(bytes);
  const property = fc.asyncProperty(filesOf(format), async (bytes) => {
    const start = process.cpuUsage();
    try {
      await format.read(bytes);
      count.read++;
    } catch (error) {
      if (!(error instanceof CliptError)) throw error;
      count.refused++;
    }
    const { user, system } = process.cpuUsage(start);
    count.slowestMs = Math.max(count.slowestMs, Math.round((user + system) / 1000));
  });
  const result = await fc.check(property, { seed, numRuns: 1e9, interruptAfterTimeLimit: seconds * 1000 });
  if (!result.failed) return count;
  const [example = new Uint8Array()] = result.counterexample ?? [];
  return { ...count, found: `${String(result.errorInstance)} ${Buffer.from(example).toString("hex")}` };
}

export default {
  summary:
    "Damaged and random files for every reader: each must give data or a CliptError, soon, in little memory.",
  async run(args) {
    const seconds = Number(option(args, "seconds") ?? 60);
    const seed = Number(option(args, "seed") ?? Date.now() % 2 ** 31);
    const only = option(args, "only");
    const readers: Record<string, Outcome> = {};
    for (const [name, format] of Object.entries(formats))
      if (only === undefined || name.includes(only)) readers[name] = await fuzz(format, seconds, seed);
    const ok = Object.values(readers).every(({ found }) => found === undefined);
    if (!ok) process.exitCode = 1;
    return { ok, secondsEach: seconds, seed, peakMb: Math.round(peakMb()), readers };
  },
} satisfies Benchmark;

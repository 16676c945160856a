import assert from "node:assert/strict";
import { test } from "node:test";
import type { Encoder } from "../model/index.js";
import { CliptError, f32, type Tensor } from "../tensor/index.js";
import { batchingEncoder } from "./batching.js";

/** Answers a text with its length and a picture with its first value, a call at a time, and writes down the calls. */
function countingEncoder(): { encoder: Encoder; calls: string[][] } {
  const calls: string[][] = [];
  const pause = () => new Promise((resolve) => setTimeout(resolve, 5));
  const encoder = {
    model: { config: { embedDim: 1 }, preprocess: { size: 1 } },
    async texts(texts: readonly string[]) {
      calls.push([...texts]);
      await pause();
      if (texts.includes("bad")) throw new CliptError("input", "bad text");
      const truncated = texts.flatMap((text, i) => (text.length > 5 ? [i] : []));
      return {
        features: f32(
          [texts.length, 1],
          Float32Array.from(texts, ({ length }) => length),
        ),
        truncated,
      };
    },
    async images({ shape: [count = 0], data }: Tensor) {
      calls.push(Array.from({ length: count }, (_, i) => String(data[i * 3])));
      await pause();
      return f32(
        [count, 1],
        Float32Array.from({ length: count }, (_, i) => Number(data[i * 3])),
      );
    },
  } as unknown as Encoder;
  return { encoder, calls };
}

const picture = (value: number): Tensor => f32([1, 3, 1, 1], new Float32Array(3).fill(value));

test("what comes while a batch runs is the next batch", async () => {
  const { encoder, calls } = countingEncoder();
  const shared = batchingEncoder(encoder, { texts: 3, pictures: 2 }).for({});
  const first = shared.texts(["a"]);
  while (calls.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const others = ["bb", "ccc", "dddd", "eeeeee"].map((text) => shared.texts([text]));
  const answers = await Promise.all([first, ...others]);
  assert.deepEqual(calls, [["a"], ["bb", "ccc", "dddd"], ["eeeeee"]]);
  assert.deepEqual(
    answers.map(({ features, truncated }) => [features.data[0], truncated]),
    [
      [1, []],
      [2, []],
      [3, []],
      [4, []],
      [6, [0]],
    ],
  );
});

test("pictures of several requests run together, and each gets its own", async () => {
  const { encoder, calls } = countingEncoder();
  const shared = batchingEncoder(encoder, { texts: 3, pictures: 2 }).for({});
  const answers = await Promise.all([3, 1, 2].map((value) => shared.images(picture(value))));
  assert.deepEqual(calls, [["3", "1"], ["2"]]);
  assert.deepEqual(
    answers.map(({ data }) => data[0]),
    [3, 1, 2],
  );
});

test("a text that fails is not the fault of those beside it", async () => {
  const { encoder } = countingEncoder();
  const shared = batchingEncoder(encoder).for({});
  const [good, bad] = await Promise.allSettled([shared.texts(["good"]), shared.texts(["bad"])]);
  assert.equal(good.status, "fulfilled");
  assert.equal(bad.status === "rejected" && (bad.reason as Error).message, "bad text");
});

test("whoever has gone is not worked for", async () => {
  const { encoder, calls } = countingEncoder();
  const batching = batchingEncoder(encoder, { texts: 1, pictures: 1 });
  const gone = new AbortController();
  const first = batching.for({}).texts(["a"]);
  const waiting = batching.for({ signal: gone.signal }).texts(["b"]);
  gone.abort(new CliptError("cancelled", "gone"));
  await assert.rejects(waiting, { message: "gone" });
  await first;
  assert.deepEqual(calls, [["a"]]);
});

test("the background waits for everybody else", async () => {
  const { encoder, calls } = countingEncoder();
  const batching = batchingEncoder(encoder, { texts: 2, pictures: 1 });
  const behind = batching.for({ background: true });
  const before = batching.for({});
  await Promise.all([
    behind.texts(["x1", "x2", "x3"]),
    before.texts(["y1"]),
    before.texts(["y2"]),
    before.texts(["y3"]),
  ]);
  assert.deepEqual(calls, [["y1", "y2"], ["y3"], ["x1", "x2"], ["x3"]]);
});

test("a text that comes again is remembered", async () => {
  const { encoder, calls } = countingEncoder();
  const shared = batchingEncoder(encoder).for({});
  await shared.texts(["cat", "dog"]);
  const { features } = await shared.texts(["dog", "horse"]);
  assert.deepEqual(calls, [["cat", "dog"], ["horse"]]);
  assert.deepEqual([...features.data], [3, 5]);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Encoder } from "../../model/index.js";
import { CliptError, f32 } from "../../tensor/index.js";
import type { Context } from "../task.js";
import { referenceTexts, referenceVectors } from "./reference-texts.js";

const askedBy = (texts: Encoder["texts"]): readonly [Encoder, AbortController, Context] => {
  const stop = new AbortController();
  const services = { cacheFolder: undefined } as Context["services"];
  const encoder = { model: { identity: "of this test" }, texts } as unknown as Encoder;
  return [encoder, stop, { services, signal: stop.signal, emit: () => {} }];
};

test("who waits for the vectors of reference texts gets them, though the one who began went away", async () => {
  const [leaving, stop, itsContext] = askedBy(
    () =>
      new Promise((_, reject) =>
        stop.signal.addEventListener("abort", () => reject(stop.signal.reason as Error)),
      ),
  );
  const [staying, , context] = askedBy(async (texts) => ({
    features: f32([texts.length, 2], new Float32Array(2 * texts.length)),
    truncated: [],
  }));
  const [first, second] = [referenceVectors(leaving, itsContext), referenceVectors(staying, context)];
  // After the first has begun.
  setTimeout(() => stop.abort(new CliptError("cancelled", "The client went away.")), 300);
  await assert.rejects(first, { code: "cancelled" });
  assert.ok((await second).texts.shape[0]! > 1000);
});

test("a scene is of the kinds that it names", async () => {
  const { texts, kinds } = await referenceTexts();
  const of = (kind: string): string[] =>
    kinds.find(({ names }) => names.includes(kind))!.members.map((place) => texts[place]!);
  const scene = "a woman and a child walking along a street";
  assert.ok(texts.includes(scene));
  for (const kind of ["person", "woman", "child"]) assert.ok(of(kind).includes(scene), kind);
  for (const kind of ["man", "dog", "car"]) assert.ok(!of(kind).includes(scene), kind);
  // A dog's face, but no hot dog: names of things are of the kinds that list them.
  assert.ok(of("dog").includes("a dog's face"));
  assert.ok(!of("dog").includes("hot dog"));
});

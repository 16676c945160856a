import assert from "node:assert/strict";
import { test } from "node:test";
import { f32 } from "../../tensor/index.js";
import { explainer, practise, type KnownQuery } from "../index.js";

test("a class that photographs leave open is not learned from among them, even where it is here", () => {
  // Four pictures of each of two classes, and twelve photographs, of which nobody says whether they show the first class.
  const classes = [0, 0, 0, 0, 1, 1, 1, 1, ...Array.from({ length: 12 }, () => -1)];
  const vectors = f32(
    [classes.length, 2],
    Float32Array.from(classes.flatMap((own) => (own === 0 ? [1, 0] : own === 1 ? [0, 1] : [0.6, 0.8]))),
  );
  const explain = explainer(f32([1, 2], Float32Array.of(0.8, 0.6)));
  const query = (thing: number, photographs: number): KnownQuery => {
    const text = Float32Array.of(1 - thing, thing);
    return {
      search: text,
      evidence: text,
      truth: Int8Array.from(classes, (own) => (own < 0 ? photographs : Number(own === thing))),
      traits: { words: 1, everyday: 0, place: explain.place(text), agreeing: 0 },
      thing,
      kind: "en names",
    };
  };
  const { examples } = practise(
    { pictures: { vectors, rows: explain.read(vectors), classes }, queries: [query(0, -1), query(1, 0)] },
    explain,
    "test",
  );
  const open = examples.filter(({ matches }) => matches.includes(undefined));
  assert.ok(open.some(({ matches }) => matches.includes(true)));
  assert.ok(open.every(({ present }) => present === undefined));
  const sure = examples.filter(({ matches }) => !matches.includes(undefined));
  assert.ok(sure.length > 0);
  assert.ok(sure.every(({ present, matches }) => present === matches.includes(true)));
});

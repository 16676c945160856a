import assert from "node:assert/strict";
import { test } from "node:test";
import { adapt, changeBy, hitProbabilities, presence, type Calibration } from "../index.js";

const head = (count: number) => ({ bias: 0.3, weights: Array.from({ length: count }, () => 0) });
const evidence = {
  cosines: [0.3, 0.2],
  margins: [-0.1, -0.2],
  size: 2,
  traits: { words: 1, everyday: 0.5, place: { nearest: 0.5, mean: 0.1 }, agreeing: 0 },
};
const heads = { present: head(16), hit: head(7), pair: head(4) };
const calibration: Calibration = {
  version: 4,
  identity: "m",
  reference: "r",
  sorts: { name: heads, word: heads, sentence: heads },
  label: head(4),
};

test("without marks nothing changes", () => {
  assert.deepEqual(changeBy([]), { factor: 1, shift: 0 });
  const adapted = adapt(calibration, { results: [], queries: [] });
  assert.deepEqual(hitProbabilities(adapted, evidence), hitProbabilities(calibration, evidence));
  assert.equal(presence(adapted, evidence), presence(calibration, evidence));
});

test("marks pull probabilities to what they say, a few of them a little", () => {
  const no = { logit: 0.3, yes: false };
  const after = (count: number): number =>
    hitProbabilities(
      adapt(calibration, { results: Array.from({ length: count }, () => no), queries: [] }),
      evidence,
    )[0]!;
  const [before, few, many] = [0, 3, 300].map(after);
  assert.ok(before! > few! && few! > many!, `${before} ${few} ${many}`);
  assert.ok(few! > 0.2 && many! < 0.05);
});

test("marks that agree with the probabilities leave them nearly as they are", () => {
  // Of ten results with the logit 0, half are right; of ten with 2.2, nine are (e^2.2 / (1 + e^2.2) = 0.90).
  const marks = Array.from({ length: 20 }, (_, i) =>
    i < 10 ? { logit: 0, yes: i % 2 === 0 } : { logit: 2.2, yes: i !== 10 },
  );
  const { factor, shift } = changeBy(marks);
  assert.ok(Math.abs(factor - 1) < 0.02 && Math.abs(shift) < 0.02, `${factor} ${shift}`);
});

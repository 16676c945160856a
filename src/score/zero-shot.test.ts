import assert from "node:assert/strict";
import { test } from "node:test";
import { f32 } from "../tensor/index.js";
import { probabilities, rankLabels } from "./probabilities.js";
import { classDirections, zeroShotHead } from "./zero-shot.js";

const close = (actual: ArrayLike<number>, expected: number[]) =>
  expected.forEach((value, i) =>
    assert.ok(Math.abs((actual[i] ?? NaN) - value) < 1e-6, `${i}: ${actual[i]}`),
  );

test("a class points to the mean of its sentences' directions, whatever their lengths", () => {
  const features = f32([3, 2], [10, 0, 0, 0.1, 3, 4]);
  const directions = classDirections(features, [2, 1]);
  close(directions.data, [Math.SQRT1_2, Math.SQRT1_2, 0.6, 0.8]);
});

test("sentences of all classes are encoded in one call", async () => {
  const calls: (readonly string[])[] = [];
  const head = await zeroShotHead([["a cat", "the cat"], ["a dog"]], async (texts) => {
    calls.push(texts);
    return f32([3, 1], [1, 1, -1]);
  });
  assert.deepEqual(calls, [["a cat", "the cat", "a dog"]]);
  assert.deepEqual([...head.data], [1, -1]);
});

test("softmax compares labels, sigmoid judges each alone", () => {
  close(probabilities([1, 0], { scale: Math.log(3), bias: 5 }, "softmax"), [0.75, 0.25]);
  close(probabilities([1, 1], { scale: 2, bias: -2 }, "sigmoid"), [0.5, 0.5]);
  close(probabilities([1, -1], { scale: 5000, bias: 0 }, "softmax"), [1, 0]);
});

test("equal scores keep the order of the labels", () => {
  assert.deepEqual(
    rankLabels(["a", "b", "c"], [0.2, 0.6, 0.2]).map(({ label }) => label),
    ["b", "a", "c"],
  );
});

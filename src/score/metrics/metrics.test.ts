import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { needsShared, sharedPath } from "../../../test/shared.js";
import { f32, i64 } from "../../tensor/index.js";
import { readSafetensors } from "../../weights/index.js";
import { compareMetrics } from "../compare-metrics.js";
import { classificationMetrics, meanAveragePrecision } from "./classification.js";
import { retrievalMetrics } from "./retrieval.js";

test("recall is averaged over the classes that occur; there is no acc5 below 5 classes", () => {
  const scores = [3, 1, 2, 3, 1, 2, 1, 3, 2];
  assert.deepEqual(classificationMetrics(scores, [0, 2, 1], 3), {
    acc1: 2 / 3,
    acc5: NaN,
    mean_per_class_recall: 2 / 3,
  });
  assert.equal(classificationMetrics(scores, [0, 0, 1], 3).mean_per_class_recall, 1);
});

test("average precision by hand; a class without positives counts as 0", () => {
  // Class 0: hits at places 1 and 3 → (1/1 + 2/3) / 2. Class 1: no positive.
  const targets = i64([3, 2], [1, 0, 0, 0, 1, 0]);
  assert.equal(meanAveragePrecision([0.9, 0, 0.8, 0, 0.1, 0], targets), (1 + 2 / 3) / 2 / 2);
});

test("a picture is found by any of its texts", () => {
  const images = f32([2, 2], [1, 0, 0, 1]);
  const texts = f32([3, 2], [1, 0, 0, 1, 0, 1]);
  // The second text belongs to picture 0 but looks like picture 1.
  assert.deepEqual(retrievalMetrics(images, texts, [0, 0, 1], [1, 2]), {
    "image_retrieval_recall@1": 2 / 3,
    "text_retrieval_recall@1": 0.5,
    "image_retrieval_recall@2": 1,
    "text_retrieval_recall@2": 1,
  });
});

test("CLIP_benchmark's own results are met to 1e-6", needsShared("reference/metrics.json"), () => {
  const { tensors } = readSafetensors(readFileSync(sharedPath("reference/metrics.safetensors") ?? ""));
  const reference: unknown = JSON.parse(readFileSync(sharedPath("reference/metrics.json") ?? "", "utf8"));
  const report = compareMetrics(tensors, reference);
  assert.deepEqual(
    report.metrics.filter(({ ok }) => !ok),
    [],
  );
  assert.equal(report.compared, 14);
  assert.ok(report.ok);
});

test("a metric that differs is not ok", () => {
  const tensors = new Map([
    ["image_features", f32([2, 2], [1, 0, 0, 1])],
    ["classifier", f32([2, 2], [1, 0, 0, 1])],
    ["targets", f32([2], [0, 0])],
  ]);
  const report = compareMetrics(tensors, { classification: { acc1: 0.51, acc5: null } });
  assert.deepEqual(report.metrics, [
    { name: "classification.acc1", value: 0.5, expected: 0.51, ok: false },
    { name: "classification.acc5", value: null, expected: null, ok: true },
  ]);
  assert.equal(report.ok, false);
});

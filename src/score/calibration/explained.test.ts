import assert from "node:assert/strict";
import { test } from "node:test";
import { f32 } from "../../tensor/index.js";
import { explainer } from "../index.js";

test("a text lies where its five nearest reference texts are, and all of them", () => {
  const cosines = [0.1, 0.8, -0.2, 0.5, 0.3, 0.9, 0.4, 0];
  const reference = Float32Array.from(cosines.flatMap((c) => [c, Math.sqrt(1 - c * c)]));
  const explain = explainer(f32([cosines.length, 2], reference));
  const text = Float32Array.of(1, 0);
  const before = explain.place(text);
  explain.weigh(text);
  for (const { nearest, mean } of [before, explain.place(text)]) {
    assert.ok(Math.abs(nearest - (0.9 + 0.8 + 0.5 + 0.4 + 0.3) / 5) < 1e-6);
    assert.ok(Math.abs(mean - 2.8 / 8) < 1e-6);
  }
});

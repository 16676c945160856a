import assert from "node:assert/strict";
import { test } from "node:test";
import { exp, input, mul } from "./ops/index.js";
import { print } from "./print.js";
import { substitute } from "./substitute.js";

test("a program goes on from a value in its middle", () => {
  const middle = exp(input("x", [2]));
  const side = exp(input("z", [2]));
  const result = mul(mul(middle, middle), side);
  const became = substitute([result], new Map([[middle, input("cached", [2])]]));
  assert.equal(
    print(became(result)),
    [
      "%0 = input(name=cached, shape=[2]) : float32[2]",
      "%1 = mul(%0, %0) : float32[2]",
      "%2 = input(name=z, shape=[2]) : float32[2]",
      "%3 = exp(%2) : float32[2]",
      "%4 = mul(%1, %3) : float32[2]",
      "return %4",
    ].join("\n"),
  );
  assert.equal(became(side), side);
  assert.throws(() => substitute([result], new Map([[middle, input("cached", [3])]])), /cannot stand for/);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Filter } from "./filter.js";
import { parseFilter } from "./parse-filter.js";

const known = { camera: "text", width: "number", taken: "date", shared: "flag" } as const;
const parse = (text: string): Filter => parseFilter(text, known);

test("and binds closer than or, not closest", () =>
  assert.deepEqual(parse('width > 100 or not shared = true and camera contains "X \\"1\\""'), {
    kind: "or",
    of: [
      { kind: "compare", field: "width", by: ">", value: 100 },
      {
        kind: "and",
        of: [
          { kind: "not", of: { kind: "compare", field: "shared", by: "=", value: true } },
          { kind: "contains", field: "camera", text: 'X "1"' },
        ],
      },
    ],
  }));

test("dates are read in UTC, to the day or the second", () => {
  const [day, time] = ["taken>=2020-06-01", "taken < 2020-06-01T12:30:00"].map(parse);
  assert.deepEqual(day, { kind: "compare", field: "taken", by: ">=", value: Date.UTC(2020, 5, 1) });
  assert.deepEqual(time, { kind: "compare", field: "taken", by: "<", value: Date.UTC(2020, 5, 1, 12, 30) });
});

test("lists, parentheses and exists", () =>
  assert.deepEqual(parse("(camera in (X100, 'Y 2')) AND exists taken"), {
    kind: "and",
    of: [
      { kind: "in", field: "camera", values: ["X100", "Y 2"] },
      { kind: "exists", field: "taken" },
    ],
  }));

for (const [text, message] of [
  ["", /its end: a field/],
  ["width", /=, !=/],
  ["width > ", /a value/],
  ["width > wide", /"wide" in the filter is not a number/],
  ["lens = x", /no field "lens"; there are camera/],
  ["width > 1 width", /`width`: the end/],
  ["(width > 1", /\) was expected/],
  [`${"(".repeat(5000)}width > 1`, /more than 50 levels/],
  ['camera = "X', /cannot be read at `"X`/],
] as const)
  test(`a filter that cannot be read: ${text.slice(0, 20)}`, () =>
    assert.throws(() => parse(text), { code: "input", message }));

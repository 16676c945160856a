import assert from "node:assert/strict";
import { test } from "node:test";
import { checkFilter, matches, type Filter } from "./filter.js";

const photo = { path: "2019/dog.jpg", width: 640, shared: true };

const cases: readonly [string, Filter, boolean][] = [
  ["equal", { kind: "compare", field: "width", by: "=", value: 640 }, true],
  ["less", { kind: "compare", field: "width", by: "<", value: 640 }, false],
  ["one of", { kind: "in", field: "width", values: [320, 640] }, true],
  ["one of none", { kind: "in", field: "width", values: [] }, false],
  ["starts", { kind: "starts", field: "path", text: "2019/" }, true],
  ["contains, case counts", { kind: "contains", field: "path", text: "Dog" }, false],
  ["exists", { kind: "exists", field: "shared" }, true],
  ["an absent field differs from nothing", { kind: "compare", field: "camera", by: "!=", value: "X" }, false],
  ["not an absent field", { kind: "not", of: { kind: "exists", field: "camera" } }, true],
  ["and of nothing", { kind: "and", of: [] }, true],
  ["or of nothing", { kind: "or", of: [] }, false],
];

for (const [name, filter, expected] of cases)
  test(`a filter: ${name}`, () => assert.equal(matches(filter, photo), expected));

const known = { path: "text", width: "number", taken: "date" } as const;

test("a filter on an unknown field names the known ones", () =>
  assert.throws(
    () => checkFilter({ kind: "not", of: { kind: "exists", field: "camera" } }, known),
    /no field "camera"; there are path, taken, width/,
  ));

test("a filter compares a field with its own type only", () => {
  checkFilter({ kind: "compare", field: "taken", by: ">", value: Date.UTC(2020, 0) }, known);
  assert.throws(
    () => checkFilter({ kind: "compare", field: "width", by: ">", value: "640" }, known),
    /"width" is a number; "640"/,
  );
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { printable } from "./printable.js";

test("names from strangers cannot write to the terminal; letters of all languages stay", () => {
  assert.equal(printable("a\nb\t\x1b[31mred\u202egnp.exe"), "a\\nb\\t\\u001b[31mred\\u202egnp.exe");
  assert.equal(printable("пёс 日本語 😀 café.jpg"), "пёс 日本語 😀 café.jpg");
});

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { anyString } from "../../../../test/any-string.js";
import { packageRoot } from "../../../package-root.js";
import { cleanings, type Cleaning } from "./clean.js";
import { fixText } from "./fix-text.js";
import { htmlUnescape } from "./html-unescape.js";

interface Mangled {
  readonly rows: readonly { text: string; fixed: string; unescaped: string; clean: string }[];
}

const { rows } = JSON.parse(
  readFileSync(join(packageRoot, "test/fixtures/text/mangled.json"), "utf8"),
) as Mangled;

test("fixText is ftfy's fix_text on mangled texts", () => {
  for (const { text, fixed } of rows) assert.equal(fixText(text), fixed, JSON.stringify(text));
});

test("htmlUnescape is Python's html.unescape on mangled texts", () => {
  for (const { text, unescaped } of rows) assert.equal(htmlUnescape(text), unescaped, JSON.stringify(text));
});

test("CLIP's cleaning of mangled texts", () => {
  for (const { text, clean } of rows) assert.equal(cleanings.clip(text), clean, JSON.stringify(text));
});

test("references: longest name wins, old names need no semicolon, numbers follow HTML", () => {
  assert.equal(htmlUnescape("&notit; &notin; &amp &#150;&#x80;"), "¬it; ∉ & –€");
  assert.equal(htmlUnescape("&#0;&#xD800;&#x110000;&#99999999999999;"), "\ufffd\ufffd\ufffd\ufffd");
  assert.equal(htmlUnescape("&#1;&#x7f;&#xfffe;&unknown;"), "&unknown;");
});

test("entities are replaced until a line holds a tag", () => {
  assert.equal(fixText("&amp;\n<b>\n&amp;"), "&\n<b>\n&amp;");
});

test("SigLIP: an underscore parts words in OpenCLIP and vanishes in transformers", () => {
  assert.equal(cleanings.canonicalize("Don't_stop,  NOW!"), "dont stop now");
  assert.equal(cleanings["siglip-transformers"]("Don't_stop,  NOW!"), "dontstop now");
});

test("transformers' CLIP knows no final sigma", () => {
  assert.equal(cleanings["clip-transformers"]("ΟΔΟΣ"), "οδοσ");
  assert.equal(cleanings.clip("ΟΔΟΣ"), "οδος");
});

test("no cleaning throws on any string, and each is stable where it should be", () => {
  fc.assert(
    fc.property(anyString, fc.constantFrom(...Object.keys(cleanings)), (text, name) => {
      cleanings[name as Cleaning](text);
      assert.equal(fixText(fixText(text)), fixText(text));
    }),
  );
});

test("ten times the text takes about ten times as long", () => {
  const time = (text: string): number => {
    const start = performance.now();
    cleanings.clip(text);
    return performance.now() - start;
  };
  const damaged = "naÃ¯ve &amp; “мир” ";
  time(damaged.repeat(1000));
  const short = Math.max(time(damaged.repeat(1000)), 1);
  assert.ok(time(damaged.repeat(10_000)) < 60 * short);
});

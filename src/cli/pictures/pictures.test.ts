import assert from "node:assert/strict";
import { test } from "node:test";
import { rgbPicture } from "../../input/image/index.js";
import { halfBlocks } from "./half-blocks.js";
import { kitty } from "./kitty.js";
import { protocolOf } from "./show-picture.js";
import { sixel } from "./sixel.js";

const red = [255, 0, 0];
const white = [255, 255, 255];

test("a terminal is known by the names it gives itself", () => {
  assert.equal(protocolOf({ TERM: "xterm-kitty" }), "kitty");
  assert.equal(protocolOf({ TERM: "xterm-256color", TERM_PROGRAM: "ghostty" }), "kitty");
  assert.equal(protocolOf({ TERM_PROGRAM: "iTerm.app" }), "iterm");
  assert.equal(protocolOf({ TERM: "foot" }), "sixel");
  assert.equal(protocolOf({ TERM: "xterm-256color" }), "blocks");
});

test("half blocks: two dots to a character, an odd last line alone", () => {
  const picture = rgbPicture(1, 3, Uint8Array.from([...red, ...white, ...red]));
  assert.equal(
    halfBlocks(picture),
    "\x1b[38;2;255;0;0m\x1b[48;2;255;255;255m▀\x1b[0m\n\x1b[38;2;255;0;0m▀\x1b[0m",
  );
});

test("sixel: a band of six rows for each colour, runs counted", () => {
  // 5 × 2 white: register 215, dots 1 and 2 of each column set: "B".
  const picture = rgbPicture(5, 2, Uint8Array.from(Array.from({ length: 10 }, () => white).flat()));
  assert.equal(sixel(picture), '\x1bP0;1q"1;1;5;2#215;2;100;100;100#215!5B\x1b\\');
});

test("kitty: pixels in chunks of at most 4096 characters", () => {
  const picture = rgbPicture(40, 40, new Uint8Array(4800));
  const sequences = kitty(picture).split("\x1b\\").slice(0, -1);
  assert.equal(sequences.length, 2);
  assert.ok(sequences[0]?.startsWith("\x1b_Ga=T,f=24,s=40,v=40,q=2,m=1;"));
  assert.ok(sequences[1]?.startsWith("\x1b_Gm=0;"));
  const payload = sequences.map((sequence) => sequence.split(";")[1] ?? "").join("");
  assert.equal(Buffer.from(payload, "base64").length, 4800);
});

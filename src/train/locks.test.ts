import assert from "node:assert/strict";
import { test } from "node:test";
import { lockRules } from "./locks.js";

const block = (at: string) => [`${at}.ln_1.weight`, `${at}.mlp.c_fc.weight`];
const names = [
  "positional_embedding",
  "text_projection",
  "logit_scale",
  "token_embedding.weight",
  ...block("transformer.resblocks.0"),
  ...block("transformer.resblocks.1"),
  "ln_final.weight",
  "visual.class_embedding",
  "visual.proj",
  "visual.conv1.weight",
  ...block("visual.transformer.resblocks.0"),
  ...block("visual.transformer.resblocks.1"),
  "visual.ln_post.weight",
];
const left = (list: readonly string[], locks: Parameters<typeof lockRules>[1]): string[] => {
  const frozen = new Set(lockRules(list, locks).map(({ match }) => match));
  return list.filter((name) => !frozen.has(name));
};

test("a locked image tower leaves the text tower and the temperature", () => {
  assert.deepEqual(
    left(names, { image: { unlockedGroups: 0 } }),
    names.filter((name) => !name.startsWith("visual.")),
  );
});

test("two unlocked groups of text: the last block with its norm, and the projection", () => {
  assert.deepEqual(left(names, { image: { unlockedGroups: 0 }, text: { unlockedGroups: 2 } }), [
    "text_projection",
    "logit_scale",
    ...block("transformer.resblocks.1"),
    "ln_final.weight",
  ]);
});

test("the head over a trunk stays open", () => {
  const trunk = ["visual.trunk.conv_stem.weight", "visual.trunk.blocks.0.0.conv_pw.weight", "visual.trunk.conv_head.weight", "visual.head.proj.weight"]; // prettier-ignore
  assert.deepEqual(left(trunk, { image: { unlockedGroups: 0 } }), ["visual.head.proj.weight"]);
  assert.deepEqual(left(trunk, { image: { unlockedGroups: 1 } }), trunk.slice(2));
});

test("of a tower in stages, the last blocks are unlocked first, as timm groups them", () => {
  const at = "visual.trunk";
  const staged = [`${at}.stem.0.reparam_conv.weight`, `${at}.stages.0.blocks.0.mlp.fc1.weight`, `${at}.stages.0.blocks.1.mlp.fc1.weight`, `${at}.stages.1.downsample.proj.0.reparam_conv.weight`, `${at}.stages.1.blocks.0.mlp.fc1.weight`, `${at}.final_conv.se.fc1.weight`, `${at}.head.fc.weight`]; // prettier-ignore
  assert.deepEqual(left(staged, { image: { unlockedGroups: 1 } }), staged.slice(5));
  assert.deepEqual(left(staged, { image: { unlockedGroups: 2 } }), staged.slice(3));
  assert.deepEqual(left(staged, { image: { unlockedGroups: 3 } }), staged.slice(2));
});

test("a locked text tower of transformers: its encoder, layer by layer, but not the projection", () => {
  const text = ["text.transformer.embeddings.LayerNorm.bias", "text.transformer.encoder.layer.0.output.dense.bias", "text.transformer.encoder.layer.1.output.dense.bias", "text.proj.weight"]; // prettier-ignore
  assert.deepEqual(left(text, { text: { unlockedGroups: 0 } }), text.slice(3));
  assert.deepEqual(left(text, { text: { unlockedGroups: 1 } }), text.slice(2));
});

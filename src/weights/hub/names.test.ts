import assert from "node:assert/strict";
import { test } from "node:test";
import { CliptError } from "../../tensor/index.js";
import { repositoryOf } from "./names.js";
import { pretrained } from "./pretrained.js";
import { published } from "./published.js";

const laion = "laion/CLIP-ViT-B-32-laion2B-s34B-b79K";
const openai = "timm/vit_base_patch32_clip_224.openai";

test("every spelling of a model leads to its repository", () => {
  for (const [model, tag, name, revision] of [
    ["owner/name", undefined, "owner/name", "main"],
    ["owner/name@v1.0", undefined, "owner/name", "v1.0"],
    ["owner/name@refs/pr/7", undefined, "owner/name", "refs/pr/7"],
    ["hf-hub:owner/name", undefined, "owner/name", "main"],
    ["hf-hub:owner/name@abc", undefined, "owner/name", "abc"],
    ["https://huggingface.co/owner/name", undefined, "owner/name", "main"],
    ["https://huggingface.co/owner/name/tree/v2", undefined, "owner/name", "v2"],
    ["owner/ViT-B-32__openai", undefined, "owner/ViT-B-32__openai", "main"],
    ["ViT-B-32", "laion2b_s34b_b79k", laion, "main"],
    ["ViT-B-32-quickgelu", "openai", openai, "main"],
    ["ViT-B-32::laion2b_s34b_b79k", undefined, laion, "main"],
    ["ViT-B-32__openai", undefined, openai, "main"],
    ["vit-b-32::OpenAI", undefined, openai, "main"],
    ["ViT-B/32", undefined, openai, "main"],
    ["ViT-B/32::openai", undefined, openai, "main"],
    ["ViT-L/14@336px", undefined, "timm/vit_large_patch14_clip_336.openai", "main"],
    [
      "XLM-Roberta-Base-ViT-B-32__laion5b_s13b_b90k",
      undefined,
      "laion/CLIP-ViT-B-32-xlm-roberta-base-laion5B-s13B-b90k",
      "main",
    ],
    ["ViT-B-16-SigLIP__webli", undefined, "timm/ViT-B-16-SigLIP", "main"],
    ["ViT-B-16-SigLIP2-256", undefined, "timm/ViT-B-16-SigLIP2-256", "main"],
  ] as const)
    assert.deepEqual(repositoryOf(model, tag), { name, revision }, model);
});

test("what can only be a path is none", () => {
  for (const path of [
    "model.pt",
    "./models/x",
    "/models/x",
    "../x/y",
    "a/b/c",
    "owner/name@../..",
    "C:\\models",
  ])
    assert.equal(repositoryOf(path), undefined, path);
});

test("what is not in the table is told what is", () => {
  const refused = (model: string, tag: string | undefined, code: string, message: RegExp): void =>
    assert.throws(
      () => repositoryOf(model, tag),
      (error) => error instanceof CliptError && error.code === code && message.test(error.message),
    );
  refused(
    "ViT-B-32",
    undefined,
    "usage",
    /choose by --pretrained or ViT-B-32::TAG\. Tags: openai, .*laion2b_s34b_b79k/,
  );
  refused("ViT-B-32", "laion3b", "missing", /no weights "laion3b"\. Its tags: openai/);
  refused("ViT-B32::openai", undefined, "missing", /"ViT-B32" is none .* nearest are ViT-B-32/);
  refused("some/folder", "openai", "missing", /owner\/name, without a tag/);
});

test("the tables name repositories", () => {
  const listed = Object.values(pretrained).flatMap((tags) => Object.values(tags));
  for (const name of [...listed, ...published.map((model) => model.name)])
    assert.deepEqual(repositoryOf(name), { name, revision: "main" });
});

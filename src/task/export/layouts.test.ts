import assert from "node:assert/strict";
import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { temporaryFolder } from "../../../test/made-data.js";
import { needsShared, sharedPath } from "../../../test/shared.js";
import { writeSmallModel } from "../../../test/small-model.js";
import { compareModel, openModel } from "../../model/index.js";
import { packageRoot } from "../../package-root.js";
import { f32, scalar, toFloat32 } from "../../tensor/index.js";
import { openWeights } from "../../weights/index.js";
import { bundledModel } from "../bundled-model.js";
import { exportModel } from "../export.js";
import { castWeights } from "./cast.js";

type Target = "safetensors" | "open_clip" | "hf";

describe("the reference's models in other layouts give the reference's numbers", () => {
  const can: readonly (readonly [model: string, targets: readonly Target[], file?: string])[] = [
    ["vit-tiny", ["safetensors", "open_clip", "hf"], "vit-tiny.safetensors"],
    ["vit-tiny", ["safetensors", "open_clip", "hf"], "vit-tiny.torchscript.pt"],
    ["rn-tiny", ["safetensors", "open_clip"], "rn-tiny.safetensors"],
    ["hf-clip-tiny", ["safetensors", "open_clip", "hf"]],
    ["hf-siglip-tiny", ["safetensors", "hf"]],
    ["hf-siglip2-tiny", ["safetensors", "hf"]],
    ["openclip-siglip-tiny", ["safetensors", "hf"]],
    ["openclip-avg-tiny", ["safetensors", "open_clip"]],
  ];
  for (const [model, targets, file = ""] of can)
    for (const to of targets)
      test(`${join(model, file)} → ${to}`, needsShared("reference", model), async (t) => {
        const out = temporaryFolder(t);
        await exportModel({ model: sharedPath("reference", model, file)!, to, out });
        const { tensors } = await compareModel(out, sharedPath("reference", model, "golden.safetensors"));
        // The last norm is that of all tokens, or in transformers of the pooled one only.
        const other = to === "hf" && model === "vit-tiny" ? "tap.image.ln_post" : "";
        assert.deepEqual(
          tensors.filter(({ ok, name }) => !ok && name !== other),
          [],
        );
      });
});

describe("a model of clipt's", () => {
  const model = join(temporaryFolder({ after }), "small");
  const texts = ["a cat and a dog", "The DOG ran!", "  the cat   sat ", "Katze"];
  before(async () => {
    await writeSmallModel(model);
    // OpenCLIP has one activation for both towers.
    const config = join(model, "config.json");
    const text = await readFile(config, "utf8");
    await writeFile(config, text.replace('"activation": "gelu"', '"activation": "quick_gelu"'));
  });

  for (const to of ["safetensors", "open_clip", "hf"] as const)
    test(`opens again from ${to} with the same weights, pictures and ids`, async (t) => {
      const out = temporaryFolder(t);
      const { files } = await exportModel({ model, to, out });
      assert.ok(files.every(({ bytes }) => bytes > 0));
      const [before, after] = [await openModel(model), await openModel(out)];
      assert.deepEqual(new Map([...after.weights].sort()), new Map([...before.weights].sort()));
      const { convert: _c, cropRounding: _r, ...fit } = after.preprocess;
      for (const [key, value] of Object.entries(fit))
        assert.deepEqual(
          [value].flat(),
          key === "size" ? [16] : [before.preprocess[key as "mean"]].flat(),
          key,
        );
      for (const text of texts)
        assert.deepEqual(after.tokenizer.encode(text).ids, before.tokenizer.encode(text).ids, text);
    });

  test("in fewer bytes: the nearest numbers, but the temperature as it is", async (t) => {
    const before = (await openModel(model)).weights;
    for (const [dtype, type] of [["fp16", "float16"], ["bf16", "bfloat16"]] as const) {
      const out = temporaryFolder(t);
      await exportModel({ model, to: "hf", out, dtype });
      const after = await openModel(out);
      const [wide, close] = [before, after.weights].map((weights) => weights.get("visual.proj")!);
      const file = await openWeights(out);
      assert.deepEqual(["visual_projection.weight", "logit_scale"].map((name) => file.entry(name).dtype), [type, "float32"]);
      await file.close();
      const near = toFloat32(close!).data;
      wide!.data.forEach((x, i) => assert.ok(Math.abs(Number(x) - near[i]!) <= Math.abs(Number(x)) / 256));
    }
  }); // prettier-ignore

  test("one file alone is a model", async (t) => {
    const out = temporaryFolder(t);
    await exportModel({ model, to: "safetensors", out });
    const alone = join(temporaryFolder(t), "anything.safetensors");
    await cp(join(out, "model.safetensors"), alone);
    assert.deepEqual((await openModel(alone)).config, (await openModel(model)).config);
    const file = await openWeights(alone);
    await file.close();
    assert.equal(file.metadata["format"], "pt");
    assert.equal(file.metadata["identity"], (await openModel(model)).identity);
  });
});

describe("what a layout cannot hold is refused with the reason", () => {
  const refused = (t: Parameters<typeof temporaryFolder>[0], to: Target, model: string, message: RegExp) =>
    assert.rejects(exportModel({ model, to, out: temporaryFolder(t) }), { code: "unsupported", message });
  const fixture = join(packageRoot, "test/fixtures/models/openclip-avg-tiny");

  test("the bundled model in transformers and open_clip", async (t) => {
    const towers = /CLIPModel cannot hold clipt-small: its image tower is a efficientnet-lite, not a ViT; .*sentence-encoder/;
    await refused(t, "hf", bundledModel(), towers);
    await refused(t, "open_clip", bundledModel(), /no image tower of the kind efficientnet-lite/);
  }); // prettier-ignore
  test("towers of two activations in open_clip", async (t) => {
    const model = temporaryFolder(t);
    await writeSmallModel(model);
    await refused(t, "open_clip", model, /text tower would have activation "quick_gelu" instead of "gelu"/);
  });
  test("means of tokens, other sides, layer scales in transformers", (t) =>
    refused(
      t,
      "hf",
      fixture,
      /32 × 48 px, not square; .*pools by avg.*; .*layer scales; .*the token eos 2;/,
    ));
  test("SigLIP's towers of no size of timm's in open_clip", needsShared("reference"), (t) =>
    refused(t, "open_clip", sharedPath("reference", "hf-siglip-tiny")!, /by timm's names, and timm has none/),
  );
  test("types of numbers", async (t) => {
    const input = { model: fixture, to: "open_clip", dtype: "q8", out: temporaryFolder(t) } as const;
    await assert.rejects(exportModel(input), { code: "usage", message: /has no --dtype q8; it has fp32, fp16, bf16/ });
    const large = new Map([["w", f32([2], [1, 70000])]]); // prettier-ignore
    assert.throws(() => castWeights(large, "fp16"), { code: "unsupported", message: /"w" has numbers beyond/ });
    assert.deepEqual(castWeights(new Map([["s", scalar(1e6)]]), "fp16").get("s"), scalar(1e6));
  }); // prettier-ignore
});

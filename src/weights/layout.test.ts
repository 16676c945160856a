import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { needsShared, sharedPath } from "../../test/shared.js";
import { f32, type Tensor, toFloat32 } from "../tensor/index.js";
import { checkWeights } from "./check.js";
import { openWeights } from "./file.js";
import { canonical, type Layout, toCanonical, toPublished } from "./layout.js";
import { hfClip, hfSiglip, openClip, openClipCustomText } from "./layouts.js";

const reference = (path: string) => sharedPath("reference", path) as string;
async function readAll(path: string, layout?: Layout): Promise<Map<string, Tensor>> {
  const opened = await openWeights(path);
  const file = layout === undefined ? opened : canonical(opened, layout);
  const tensors = new Map<string, Tensor>();
  for (const name of file.names()) {
    const tensor = await file.read(name);
    assert.deepEqual(file.entry(name), { dtype: tensor.dtype, shape: tensor.shape });
    const at = file.location(name);
    assert.ok(at === undefined || at.length === tensor.data.byteLength);
    tensors.set(name, tensor);
  }
  await file.close();
  return tensors;
}

describe("transformers' CLIPModel", needsShared("reference"), () => {
  test("becomes OpenCLIP's names and shapes", async () => {
    const [published, weights] = [await readAll(reference("hf-clip-tiny")), await readAll(reference("hf-clip-tiny"), hfClip)];
    assert.deepEqual(weights.get("visual.proj")?.shape, [64, 56]);
    assert.deepEqual(weights.get("text_projection")?.shape, [48, 56]);
    assert.deepEqual(weights.get("visual.transformer.resblocks.1.attn.in_proj_weight")?.shape, [192, 64]);
    assert.deepEqual(weights.get("transformer.resblocks.0.attn.in_proj_bias")?.shape, [144]);
    const q = published.get("vision_model.encoder.layers.1.self_attn.k_proj.bias") as Tensor;
    const joined = weights.get("visual.transformer.resblocks.1.attn.in_proj_bias") as Tensor;
    assert.deepEqual([...joined.data.subarray(64, 128)], [...q.data]);
    assert.deepEqual([...weights.keys()].filter((name) => /_model|position_ids/.test(name)), []);
  }); // prettier-ignore
  test("comes back exactly", async () => {
    const published = await readAll(reference("hf-clip-tiny"));
    const back = toPublished(hfClip, toCanonical(hfClip, published));
    assert.equal(back.size, published.size);
    for (const [name, tensor] of published) assert.deepEqual(toFloat32(back.get(name) as Tensor), tensor);
  });
  test("is the same in shards, position_ids left out", async () => {
    assert.deepEqual(
      new Map([...(await readAll(reference("hf-clip-tiny-sharded"), hfClip))].sort()),
      new Map([...(await readAll(reference("hf-clip-tiny"), hfClip))].sort()),
    );
  });
});

describe("transformers' SiglipModel", needsShared("reference"), () => {
  for (const folder of ["hf-siglip-tiny", "hf-siglip2-tiny"])
    test(`${folder} becomes timm's names and shapes, and comes back exactly`, async () => {
      const published = await readAll(reference(folder));
      const weights = toCanonical(hfSiglip, published);
      assert.deepEqual(weights, await readAll(reference(folder), hfSiglip));
      const width = published.get("vision_model.post_layernorm.weight")!.shape[0]!;
      assert.deepEqual(weights.get("visual.trunk.attn_pool.kv.weight")?.shape, [2 * width, width]);
      assert.deepEqual(weights.get("logit_bias")?.shape, []);
      const kv = weights.get("visual.trunk.attn_pool.kv.bias") as Tensor;
      const joined = published.get("vision_model.head.attention.in_proj_bias") as Tensor;
      assert.deepEqual([...kv.data], [...joined.data.subarray(width)]);
      assert.deepEqual(toPublished(hfSiglip, weights), new Map(published));
    });
  test("has the names of OpenCLIP's SigLIP", async () => {
    const theirs = await readAll(reference("openclip-siglip-tiny"), openClipCustomText);
    const ours = await readAll(reference("hf-siglip-tiny"), hfSiglip);
    assert.deepEqual([...ours.keys()].sort(), [...theirs.keys()].sort());
  });
});

test("OpenAI's archive loses its three sizes, a ResNet its counters", needsShared("reference"), async () => {
  const names = async (path: string) => [...(await readAll(reference(path), openClip)).keys()].sort();
  assert.deepEqual(await names("vit-tiny/vit-tiny.torchscript.pt"), await names("vit-tiny/vit-tiny.safetensors"));
  const resnet = await names("rn-tiny/rn-tiny.safetensors");
  assert.deepEqual(resnet.filter((name) => name.endsWith("num_batches_tracked")), []);
  assert.ok(resnet.includes("visual.layer2.1.bn3.running_var"));
}); // prettier-ignore

test(
  "a custom text tower gets the text. that its oldest checkpoints lack",
  needsShared("reference"),
  async () => {
    const published = await readAll(reference("openclip-avg-tiny"));
    assert.deepEqual(toCanonical(openClipCustomText, published), published);
    const old = new Map([...published].map(([name, tensor]) => [name.replace(/^text\./, ""), tensor]));
    assert.deepEqual(toCanonical(openClipCustomText, old), published);
  },
);

describe("what does not fit is named", () => {
  const one = f32([3, 1], [1, 2, 3]);
  const layer = "text_model.encoder.layers.0.self_attn";
  test("a key without its query and value", () => {
    const lonely = new Map([[`${layer}.k_proj.weight`, one]]);
    assert.throws(() => toCanonical(hfClip, lonely), { code: "format", message: /lacks .*q_proj\.weight, .*v_proj\.weight/ });
  }); // prettier-ignore
  test("parts of different widths", () => {
    const parts = new Map(["q", "k", "v"].map((x, i) => [`${layer}.${x}_proj.weight`, f32([1, i], new Float32Array(i))]));
    assert.throws(() => toCanonical(hfClip, parts), { code: "format", message: /v_proj\.weight" differ/ });
  }); // prettier-ignore
  test("two tensors for one name", () => {
    const twice = new Map([["text.ln_final.bias", one], ["ln_final.bias", one]]); // prettier-ignore
    assert.throws(() => toCanonical(openClipCustomText, twice), { code: "format", message: /are both "text\.ln_final\.bias"/ });
  }); // prettier-ignore
  test("a projection that is no matrix", () => {
    const vector = new Map([["visual_projection.weight", f32([1], [1])]]);
    assert.throws(() => toCanonical(hfClip, vector), {
      code: "format",
      message: /visual_projection.*transposed.*\[1\]/,
    });
  });
  test("a joined tensor that does not divide", () => {
    const odd = new Map([["transformer.resblocks.0.attn.in_proj_bias", f32([4], [1, 2, 3, 4])]]);
    assert.throws(() => toPublished(hfClip, odd), { code: "format", message: /does not divide into 3/ });
  });
  test("half of a pool's matrix, a table without its axis", () => {
    const half = new Map([["visual.trunk.attn_pool.q.weight", one]]);
    assert.throws(() => toPublished(hfSiglip, half), { code: "format", message: /lacks .*attn_pool\.kv\.weight/ });
    const flat = new Map([["vision_model.embeddings.position_embedding.weight", f32([3], [1, 2, 3])]]);
    assert.throws(() => toCanonical(hfSiglip, flat), { code: "format", message: /position_embedding.*batched.*\[3\]/ });
  }); // prettier-ignore
  test("weights against the model", () => {
    const expected = new Map<string, number[]>([["a", [2]], ["b", [2, 3]], ["logit_scale", []]]); // prettier-ignore
    const fitting = new Map([["a", { shape: [2] }], ["b", { shape: [2, 3] }], ["logit_scale", { shape: [1] }]]); // prettier-ignore
    checkWeights(expected, fitting);
    const extra = Array.from({ length: 12 }, (_, i): [string, { shape: number[] }] => [`x.${i}`, { shape: [1] }]);
    assert.throws(() => checkWeights(expected, new Map([["b", { shape: [6] }], ["logit_scale", { shape: [] }], ...extra])), {
      code: "format",
      message:
        "The weights do not fit the model. 1 missing: a. 12 not part of the model: x.0, x.1, x.2, x.3, x.4, x.5, x.6, x.7, x.8, x.9, … and 2 more. 1 of another shape: b is [6] instead of [2, 3].",
    });
  }); // prettier-ignore
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { flatten } from "../../tensor/index.js";
import { clipSpec } from "../clip.js";
import { isSpec } from "../spec.js";
import { parseHuggingFace } from "./hugging-face.js";
import { parseHuggingFacePreprocess } from "./hugging-face-preprocess.js";
import { inferOpenAi } from "./openai.js";
import { parseOpenClip, parseOpenClipPreprocess } from "./open-clip.js";

/** Weights of a configuration. Published counts are in millions, rounded. */
const millions = (config: Parameters<typeof clipSpec>[0]): number => {
  let count = 0;
  for (const { shape, buffer } of flatten(clipSpec(config), isSpec).values())
    if (!buffer) count += shape.reduce((a, b) => a * b, 1);
  return Math.round(count / 1e4) / 100;
};

const vitB32 = {
  embed_dim: 512,
  vision_cfg: { image_size: 224, layers: 12, width: 768, patch_size: 32 },
  text_cfg: { context_length: 77, vocab_size: 49408, width: 512, heads: 8, layers: 12 },
};
const rn50 = {
  ...vitB32,
  embed_dim: 1024,
  vision_cfg: { image_size: 224, layers: [3, 4, 6, 3], width: 64, patch_size: null },
};
const siglipB16 = {
  embed_dim: 768,
  init_logit_bias: -10,
  custom_text: true,
  vision_cfg: {
    image_size: 224,
    timm_model_name: "vit_base_patch16_siglip_224",
    timm_model_pretrained: false,
    timm_pool: "map",
    timm_proj: "none",
  },
  text_cfg: {
    context_length: 64,
    vocab_size: 32000,
    hf_tokenizer_name: "timm/ViT-B-16-SigLIP",
    tokenizer_kwargs: { clean: "canonicalize" },
    width: 768,
    heads: 12,
    layers: 12,
    no_causal_mask: true,
    proj_bias: true,
    pool_type: "last",
    norm_kwargs: { eps: 1e-6 },
  },
};

test("published configurations have as many weights as published", () => {
  // Source: open_clip docs/model_profile.csv, column params (M).
  assert.equal(millions(parseOpenClip(vitB32)), 151.28);
  assert.equal(millions(parseOpenClip(rn50)), 102.01);
  assert.equal(millions(parseOpenClip(siglipB16)), 203.16);
});

test("MobileCLIP's towers have as many weights as in open_clip", () => {
  const text = {
    context_length: 77,
    vocab_size: 49408,
    width: 512,
    heads: 8,
    layers: 12,
    no_causal_mask: true,
  };
  const mobile = (name: string, size: number, pool = "avg", width = 512) =>
    millions(
      parseOpenClip({
        embed_dim: width,
        custom_text: true,
        vision_cfg: { timm_model_name: name, timm_pool: pool, timm_proj: null, image_size: size },
        text_cfg: { ...text, width, heads: width / 64 },
      }),
    );
  // Source: parameters of open_clip 3.3.0's MobileCLIP2-S0, MobileCLIP-S1, -S2, -B, MobileCLIP2-S3, -S4, -L-14.
  assert.equal(mobile("fastvit_mci0", 256), 74.84);
  assert.equal(mobile("fastvit_mci1", 256), 84.97);
  assert.equal(mobile("fastvit_mci2", 256), 99.24);
  assert.equal(mobile("vit_base_mci_224", 224, "token"), 149.78);
  assert.equal(mobile("fastvit_mci3", 256, "avg", 768), 248.89);
  assert.equal(mobile("fastvit_mci4", 256, "avg", 768), 445.44);
  assert.equal(mobile("vit_large_patch14_clip_224", 224, "token", 768), 427.62);
  assert.throws(() => mobile("fastvit_mci2", 256, "map"), {
    code: "unsupported",
    message: /timm_pool "avg"/,
  });
});

test("sizes told by shapes are those of the configuration", () => {
  for (const json of [vitB32, rn50]) {
    const config = parseOpenClip({ ...json, quick_gelu: true });
    const shapes = new Map([...flatten(clipSpec(config), isSpec)].map(([name, { shape }]) => [name, shape]));
    const plain = (x: unknown): unknown => JSON.parse(JSON.stringify(x));
    assert.deepEqual(plain(inferOpenAi(shapes)), plain(config));
  }
  assert.throws(() => inferOpenAi(new Map()), { code: "format" });
});

test("a part that clipt lacks is refused by name, and an idle one is not", () => {
  const vision = (more: object) => ({ ...vitB32, vision_cfg: { ...vitB32.vision_cfg, ...more } });
  assert.throws(() => parseOpenClip(vision({ attentional_pool: true })), {
    code: "unsupported",
    message: /vision_cfg: attentional_pool = true/,
  });
  parseOpenClip(vision({ attentional_pool: false, patch_dropout: 0.5 }));
  assert.throws(() => parseOpenClip(vision({ width: "wide" })), {
    code: "format",
    message: /vision_cfg, width/,
  });
  const trunk = { timm_model_name: "vit_huge_patch7_siglip_99", timm_pool: "map" };
  assert.throws(() => parseOpenClip({ ...vitB32, vision_cfg: trunk }), { code: "unsupported" });
});

test("transformers' defaults fill what a configuration leaves out", () => {
  assert.equal(millions(parseHuggingFace({ model_type: "clip" })), 151.28);
  // TinyCLIP-ViT-40M/32-Text-19M: 40 and 19 million without the vocabulary's 25.
  const narrow = { hidden_size: 512, intermediate_size: 2048, num_attention_heads: 8 };
  const tiny = parseHuggingFace({
    model_type: "clip",
    vision_config: { ...narrow, num_hidden_layers: 12, patch_size: 32 },
    text_config: { ...narrow, num_hidden_layers: 6, eos_token_id: 49407 },
  });
  assert.equal(Math.round(millions(tiny)), 84);
  const { text, image } = parseHuggingFace({ model_type: "clip", text_config: { eos_token_id: 2 } });
  assert.equal(text.kind === "transformer" && text.pool, "argmax");
  assert.equal(image.kind === "vit" && image.activation, "quick_gelu");
  const old = {
    model_type: "clip",
    vision_config: { patch_size: 32 },
    vision_config_dict: { patch_size: 16 },
  };
  const { image: overridden } = parseHuggingFace(old);
  assert.equal(overridden.kind === "vit" && overridden.patchSize, 16);
  assert.throws(() => parseHuggingFace({ model_type: "blip" }), { code: "unsupported", message: /blip/ });
  assert.throws(() => parseHuggingFace({ model_type: "clip", text_config: { hidden_act: "swish" } }), {
    code: "unsupported",
  });
});

test("preprocessing follows the file, and the family where the file is silent", () => {
  const clip = parseHuggingFace({ model_type: "clip" });
  const { size, resizeMode, cropRounding } = parseHuggingFacePreprocess({ size: 224, crop_size: 224 }, clip);
  assert.deepEqual([size, resizeMode, cropRounding], [224, "shortest", "floor"]);
  const squash = { size: { height: 32, width: 48 }, resample: 2, do_center_crop: false };
  const found = parseHuggingFacePreprocess(squash, clip);
  assert.deepEqual([found.size, found.resizeMode, found.interpolation], [[32, 48], "squash", "bilinear"]);
  const both = {
    size: { height: 40, width: 40 },
    crop_size: { height: 40, width: 40 },
    do_center_crop: true,
  };
  assert.equal(parseHuggingFacePreprocess(both, clip).resizeMode, "squash");
  const own = parseOpenClipPreprocess(
    { interpolation: "bilinear", resize_mode: "longest" },
    parseOpenClip(vitB32),
  );
  assert.deepEqual([own.size, own.interpolation, own.resizeMode], [[224, 224], "bilinear", "longest"]);
});

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { clipPreprocess } from "../src/input/image/index.js";
import {
  clipSpec,
  constants,
  encodeImage,
  encodeText,
  initialise,
  logits,
  normalize,
  openCheckpoint,
  parseOpenClip,
  readAll,
  saveModel,
} from "../src/model/index.js";
import { input } from "../src/graph/index.js";
import { packageRoot } from "../src/package-root.js";
import { evaluate } from "../src/runtime/index.js";
import {
  f32,
  flatten,
  i64,
  isTensor,
  random,
  sizeOf,
  toBFloat16,
  toFloat16,
  toFloat32,
  type Tensor,
} from "../src/tensor/index.js";
import { readWeights, savePyTorch, saveSafetensors, type Savable } from "../src/weights/index.js";
import { temporaryFolder } from "./made-data.js";
import * as rewrite from "./rewrite-weights.js";
import type { Weights } from "./rewrite-weights.js";
import { sharedPath } from "./shared.js";

/** One model, as OpenCLIP describes it, and as others do where they can. */
interface Base {
  readonly name: string;
  readonly config: { readonly model_cfg: object };
  readonly weights: Weights;
  /** Sizes that OpenAI's loader infers from the shapes. */
  readonly openAi?: boolean;
  /** transformers' config.json. */
  readonly hf?: object;
}

/** Writes the weights somewhere in a folder and says what to open. */
type Write = (folder: string, base: Base) => Promise<string>;

const json = (path: string, value: unknown): void => writeFileSync(path, JSON.stringify(value));
const inHalf = (weights: Weights, half: (tensor: Tensor) => Tensor): Map<string, Tensor> =>
  new Map([...weights].map(([name, tensor]) => [name, name.startsWith("logit") ? tensor : half(tensor)]));

/** A hub folder of OpenCLIP's around some file of weights. */
const hub =
  (file: string, write: (path: string, weights: Weights) => Promise<void> | void): Write =>
  async (folder, { config, weights }) => {
    json(join(folder, "open_clip_config.json"), config);
    await write(join(folder, file), weights);
    return folder;
  };

async function shards(folder: string, weights: Weights, ending: "safetensors" | "bin"): Promise<void> {
  const names = [...weights.keys()];
  const stem = ending === "bin" ? "pytorch_model" : "model";
  const owners: Record<string, string> = {};
  for (let i = 0; i < 3; i++) {
    const part = new Map(names.filter((_, at) => at % 3 === i).map((name) => [name, weights.get(name)!]));
    const file = `${stem}-0000${i + 1}-of-00003.${ending}`;
    await (ending === "bin"
      ? savePyTorch(join(folder, file), part)
      : saveSafetensors(join(folder, file), part));
    for (const name of part.keys()) owners[name] = file;
  }
  json(join(folder, `${stem}.${ending}.index.json`), { metadata: { total_size: 1 }, weight_map: owners });
}

const trained = (weights: Weights): Savable =>
  new Map<string, Savable>([
    ["epoch", 3],
    ["name", "run"],
    ["state_dict", new Map([...weights].map(([name, tensor]) => [`module.${name}`, tensor]))],
    ["optimizer", new Map<string, Savable>([["state", new Map()], ["param_groups", []]])],
  ]); // prettier-ignore

/** Layouts that hold any model that OpenCLIP describes. */
const everyLayout: Readonly<Record<string, Write>> = {
  "OpenCLIP, safetensors": hub("open_clip_model.safetensors", saveSafetensors),
  "OpenCLIP, safetensors in float16": hub("open_clip_model.safetensors", (path, weights) =>
    saveSafetensors(path, inHalf(weights, toFloat16)),
  ),
  "OpenCLIP, safetensors in bfloat16": hub("open_clip_model.safetensors", (path, weights) =>
    saveSafetensors(path, inHalf(weights, toBFloat16)),
  ),
  "OpenCLIP, .bin": hub("open_clip_pytorch_model.bin", savePyTorch),
  "OpenCLIP, .bin in bfloat16": hub("open_clip_pytorch_model.bin", (path, weights) =>
    savePyTorch(path, inHalf(weights, toBFloat16)),
  ),
  "OpenCLIP, .bin of before PyTorch 1.6": hub("open_clip_pytorch_model.bin", (path, weights) =>
    writeFileSync(path, rewrite.legacyTorch(weights)),
  ),
  "OpenCLIP, shards": hub("model.safetensors.index.json", (path, weights) =>
    shards(join(path, ".."), weights, "safetensors"),
  ),
  "OpenCLIP, shards of PyTorch": hub("pytorch_model.bin.index.json", (path, weights) =>
    shards(join(path, ".."), weights, "bin"),
  ),
  "OpenCLIP, training checkpoint": hub("epoch_3.pt", (path, weights) => savePyTorch(path, trained(weights))),
  "TorchScript archive": hub("traced.pt", (path, weights) =>
    writeFileSync(path, rewrite.torchScript(weights)),
  ),
  "clipt's folder": own("float32"),
  "clipt's folder in float16": own("float16"),
};

function own(precision: "float32" | "float16"): Write {
  return async (folder, { config, weights }) => {
    const shapes = new Map([...weights].map(([name, { shape }]) => [name, shape]));
    await saveModel(folder, {
      config: parseOpenClip(config.model_cfg, shapes),
      weights,
      preprocess: clipPreprocess,
      tokenizerConfig: { kind: "clip-bpe", cleaning: "lower", pad: "zero", context: 8 },
      tokenizerFiles: new Map(),
      card: "",
      precision,
    });
    return folder;
  };
}

const alone =
  (file: string, write: (path: string, weights: Weights) => Promise<void> | void): Write =>
  async (folder, { weights }) => {
    await write(join(folder, file), weights);
    return join(folder, file);
  };
/** Buffers beside the weights in OpenAI's archives. */
const counted = (weights: Weights): Map<string, Tensor> =>
  new Map([...weights, ...["input_resolution", "context_length", "vocab_size"].map((name) => [name, i64([], [7])] as const)]); // prettier-ignore

const openAiLayouts: Readonly<Record<string, Write>> = {
  "OpenAI, state dict": alone("model.pt", savePyTorch),
  "OpenAI, state dict in float16": alone("model.pt", (path, weights) =>
    savePyTorch(path, inHalf(weights, toFloat16)),
  ),
  "OpenAI, TorchScript archive": alone("model.pt", (path, weights) =>
    writeFileSync(path, rewrite.torchScript(counted(inHalf(weights, toFloat16)))),
  ),
  "OpenAI, safetensors": alone("model.safetensors", saveSafetensors),
  "OpenAI, NumPy archive": alone("model.npz", (path, weights) => writeFileSync(path, rewrite.npz(weights))),
};

const transformers =
  (write: (folder: string, weights: Weights) => Promise<void>): Write =>
  async (folder, { hf, weights }) => {
    json(join(folder, "config.json"), hf);
    const named = weights.has("logit_bias") ? rewrite.toSiglipModel(weights) : rewrite.toClipModel(weights);
    await write(folder, named);
    return folder;
  };
const hfLayouts: Readonly<Record<string, Write>> = {
  transformers: transformers((folder, weights) =>
    saveSafetensors(join(folder, "model.safetensors"), weights),
  ),
  "transformers in float16": transformers((folder, weights) =>
    saveSafetensors(join(folder, "model.safetensors"), inHalf(weights, toFloat16)),
  ),
  "transformers in bfloat16": transformers((folder, weights) =>
    saveSafetensors(join(folder, "model.safetensors"), inHalf(weights, toBFloat16)),
  ),
  "transformers, .bin": transformers((folder, weights) =>
    savePyTorch(join(folder, "pytorch_model.bin"), weights),
  ),
  "transformers, shards": transformers((folder, weights) =>
    shards(
      folder,
      new Map([...weights, ["text_model.embeddings.position_ids", i64([1, 3], [0, 1, 2])]]),
      "safetensors",
    ),
  ),
};

const customText: Readonly<Record<string, Write>> = {
  "CustomTextCLIP": async (folder, { config, weights }) => {
    json(join(folder, "open_clip_config.json"), { model_cfg: { ...config.model_cfg, custom_text: true } });
    const named = [...weights].map(([name, tensor]) => [/^(visual|logit)/.test(name) ? name : `text.${name}`, tensor] as const); // prettier-ignore
    await saveSafetensors(join(folder, "open_clip_model.safetensors"), named);
    return folder;
  },
  "CustomTextCLIP without its prefix": async (folder, { config, weights }) => {
    json(join(folder, "open_clip_config.json"), { model_cfg: { ...config.model_cfg, custom_text: true } });
    await saveSafetensors(join(folder, "open_clip_model.safetensors"), weights);
    return folder;
  },
}; // prettier-ignore

/** Features and logits of two pictures and three texts. */
async function outputsOf(path: string): Promise<Record<string, Tensor>> {
  const { config, weights: file } = await openCheckpoint(path);
  try {
    const { tensors, locations } = await readAll(file);
    const w = constants(config, tensors, locations);
    const { contextLength, vocabSize } = config.text;
    const shape = [2, 3, ...config.image.imageSize];
    const pixels = f32(
      shape,
      Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(i * 0.37)),
    );
    const ids = i64([3, contextLength], Array.from({ length: 3 * contextLength }, (_, i) => 1 + ((i * 7) % (vocabSize - 1)))); // prettier-ignore
    const image = encodeImage(config, w, input("pixels", shape));
    const text = encodeText(config, w, input("ids", ids.shape, "int64"));
    return await evaluate(
      { image, text, logits: logits(w, normalize(image), normalize(text)) },
      { pixels, ids },
    );
  } finally {
    await file.close();
  }
}

const small = { layers: 2, width: 64 };
const clipConfig = {
  embed_dim: 24,
  quick_gelu: true,
  vision_cfg: { image_size: 32, patch_size: 8, ...small },
  text_cfg: { context_length: 8, vocab_size: 40, heads: 1, ...small },
};
const hfTower = { hidden_size: 64, intermediate_size: 256, num_hidden_layers: 2, num_attention_heads: 1 };
const siglipConfig = {
  embed_dim: 48,
  init_logit_bias: -10,
  custom_text: true,
  vision_cfg: { image_size: 32, patch_size: 8, timm_model_name: "vit_tiny_patch8_siglip_32", timm_pool: "map", timm_proj: "none", layers: 2, width: 48, head_width: 16, mlp_ratio: 2 },
  text_cfg: { context_length: 8, vocab_size: 40, width: 48, heads: 3, layers: 2, mlp_ratio: 2, no_causal_mask: true, proj_bias: true, pool_type: "last", norm_kwargs: { eps: 1e-6 } },
}; // prettier-ignore
const siglipTower = { hidden_size: 48, intermediate_size: 96, num_hidden_layers: 2, num_attention_heads: 3, hidden_act: "gelu" }; // prettier-ignore

const drawn = (modelCfg: object): Weights =>
  rewrite.rounded(flatten(initialise(clipSpec(parseOpenClip(modelCfg)), random("layouts")), isTensor));

const made: readonly Base[] = [
  {
    name: "a ViT",
    config: { model_cfg: clipConfig },
    weights: drawn(clipConfig),
    openAi: true,
    hf: {
      model_type: "clip",
      projection_dim: 24,
      vision_config: { ...hfTower, image_size: 32, patch_size: 8 },
      text_config: { ...hfTower, vocab_size: 40, max_position_embeddings: 8, eos_token_id: 2 },
    },
  },
  (() => {
    const model_cfg = { ...clipConfig, vision_cfg: { image_size: 32, layers: [1, 2, 1, 1], width: 4 } };
    return { name: "a ModifiedResNet", config: { model_cfg }, weights: drawn(model_cfg), openAi: true };
  })(),
  {
    name: "SigLIP",
    config: { model_cfg: siglipConfig },
    weights: drawn(siglipConfig),
    hf: {
      model_type: "siglip",
      vision_config: { ...siglipTower, image_size: 32, patch_size: 8 },
      text_config: { ...siglipTower, vocab_size: 40, max_position_embeddings: 8 },
    },
  },
];

/** Of a folder of OpenCLIP's, its numbers rounded so that every layout holds them. */
async function published(folder: string, name: string): Promise<Base> {
  const config = JSON.parse(readFileSync(join(folder, "open_clip_config.json"), "utf8")) as Base["config"];
  const { weights } = await openCheckpoint(folder);
  const tensors = new Map<string, Tensor>();
  for (const key of weights.names()) tensors.set(key, toFloat32(await weights.read(key)));
  await weights.close();
  return { name, config, weights: rewrite.rounded(tensors) };
}

const bases = [
  ...made,
  ...(await Promise.all(
    ["openclip-bert-tiny", "openclip-xlmr-tiny", "openclip-avg-tiny", "mobileclip-s-tiny", "mobileclip-b-tiny", "mobileclip2-l-tiny"].map((name) =>
      published(join(packageRoot, "test/fixtures/models", name), name),
    ),
  )),
  ...(await Promise.all(
    ["openclip-siglip-tiny"].flatMap((name) => {
      const folder = sharedPath("reference", name);
      return folder === undefined ? [] : [published(folder, name)];
    }),
  )),
]; // prettier-ignore

for (const base of bases)
  describe(`${base.name} in every layout that holds it gives the same numbers`, () => {
    const layouts = {
      ...everyLayout,
      ...(base.openAi === true ? { ...openAiLayouts, ...customText } : {}),
      ...(base.hf === undefined ? {} : hfLayouts),
    };
    /** The first of each kind is the one that all others are held against; goldens check its numbers elsewhere. */
    const first = new Map<boolean, Record<string, Tensor>>();
    for (const [name, write] of Object.entries(layouts))
      test(name, async (t) => {
        const outputs = await outputsOf(await write(temporaryFolder(t), base));
        // A CLIPModel normalises its pooled token alone, which rounds otherwise than to normalise all and pick it.
        const alike = name in hfLayouts && base.weights.has("visual.ln_post.weight");
        if (!first.has(alike)) first.set(alike, outputs);
        assert.deepEqual(outputs, first.get(alike));
        if (alike) closeTo(outputs, first.get(false)!);
        assert.ok(outputs.image!.data.some((x) => x !== 0));
      });
  });

/** Equal but for the last digits of float32. */
function closeTo(got: Record<string, Tensor>, expected: Record<string, Tensor>): void {
  for (const [name, { data }] of Object.entries(expected))
    data.forEach((x, i) =>
      assert.ok(Math.abs(Number(x) - Number(got[name]!.data[i])) < 5e-6, `${name} ${i}`),
    );
}

test("the reference's ViT is one model in its four files and in transformers' layout", { skip: sharedPath("reference") === undefined ? "needs ../shared/reference" : false }, async (t) => {
  const folder = sharedPath("reference", "vit-tiny")!;
  const first = await outputsOf(join(folder, "vit-tiny.safetensors"));
  for (const file of ["vit-tiny.fp16.pt", "vit-tiny.torchscript.pt", "vit-tiny.train.pt"])
    assert.deepEqual(await outputsOf(join(folder, file)), first, file);
  const out = temporaryFolder(t);
  const weights = inHalf(await readWeights(join(folder, "vit-tiny.safetensors")), toFloat32);
  await saveSafetensors(join(out, "model.safetensors"), rewrite.toClipModel(weights));
  const sizes = (width: number) => ({ hidden_size: width, intermediate_size: 4 * width, num_hidden_layers: 2, num_attention_heads: width / 64 });
  json(join(out, "config.json"), {
    model_type: "clip",
    projection_dim: 64,
    vision_config: { ...sizes(128), image_size: 64, patch_size: 16 },
    text_config: { ...sizes(64), vocab_size: 256, max_position_embeddings: 77, eos_token_id: 2 },
  });
  closeTo(await outputsOf(out), first);
}); // prettier-ignore

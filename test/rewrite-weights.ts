import { f32, sizeOf, stridesOf, toFloat32, type DType, type Tensor } from "../src/tensor/index.js";
import { bytesOf } from "../src/weights/index.js";
import * as torch from "./torch-files.js";

export type Weights = ReadonlyMap<string, Tensor>;

/** Numbers that float16 and bfloat16 hold exactly: 64ths, none above 3. */
export const rounded = (weights: Weights): Map<string, Tensor> =>
  new Map(
    [...weights].map(([name, tensor]) => {
      const { shape, data } = toFloat32(tensor);
      return [name, f32(shape, data.map((x) => Math.round(Math.max(-3, Math.min(3, x)) * 64) / 64))]; // prettier-ignore
    }),
  );

const storages: Partial<Record<DType, string>> = {
  float32: "FloatStorage",
  float16: "HalfStorage",
  bfloat16: "BFloat16Storage",
  int64: "LongStorage",
};

type Tree = { [name: string]: Tree | Tensor };

/** The archive of a traced module: tensors are attributes of modules in modules, beside flags. */
export function torchScript(weights: Weights): Buffer {
  const root: Tree = {};
  for (const [name, tensor] of weights) {
    const parts = name.split(".");
    const owner = parts.slice(0, -1).reduce<Tree>((tree, part) => (tree[part] ??= {}) as Tree, root);
    owner[parts.at(-1)!] = tensor;
  }
  const files: Record<string, Buffer> = {};
  const write = (value: Tree | Tensor): Buffer => {
    if (isTensor(value)) {
      const key = String(Object.keys(files).length);
      files[key] = Buffer.from(bytesOf(value));
      const { shape, dtype, data } = value;
      return torch.strided(torch.storage(storages[dtype]!, key, data.length), 0, shape, stridesOf(shape));
    }
    const attributes = Object.entries(value).map(
      ([name, inner]) => [torch.text(name), write(inner)] as const,
    );
    return torch.scriptModule("Module", [torch.text("training"), "\x89"], ...attributes);
  };
  const data = torch.pickle(write(root));
  return torch.torchFile(data, files);
}

const isTensor = (value: Tree | Tensor): value is Tensor => "dtype" in value && "data" in value;

/** A file of before PyTorch 1.6. */
export function legacyTorch(weights: Weights): Buffer {
  const entries = [...weights].map(([name, { shape, dtype, data }], i) => {
    const storage = torch.storage(storages[dtype]!, String(i), data.length);
    return [torch.text(name), torch.strided(storage, 0, shape, stridesOf(shape))] as const;
  });
  const numbers = [...weights.values()].map((tensor, i) => {
    return [String(i), { count: tensor.data.length, numbers: Buffer.from(bytesOf(tensor)) }] as const;
  });
  return torch.legacyTorchFile(torch.pickle(torch.orderedDict(...entries)), Object.fromEntries(numbers));
}

/** A NumPy archive. */
export const npz = (weights: Weights): Buffer =>
  torch.zip(
    [...weights].map(([name, tensor], i) => ({
      name: `${name}.npy`,
      data: torch.npy("<f4", tensor.shape, Buffer.from(bytesOf(tensor))),
      deflate: i % 2 === 0,
    })),
  );

function rows(tensor: Tensor, begin: number, end: number): Tensor {
  const [, ...rest] = tensor.shape;
  const width = sizeOf(rest);
  const data = toFloat32(tensor).data.slice(begin * width, end * width);
  return f32([end - begin, ...rest], data);
}

function turned(tensor: Tensor): Tensor {
  const [height = 0, width = 0] = tensor.shape;
  const { data } = toFloat32(tensor);
  return f32([width, height], Float32Array.from(data, (_, i) => data[(i % height) * width + Math.floor(i / height)]!)); // prettier-ignore
}

/** Queries, keys and values apart, as transformers keeps them. */
function split(name: string, kind: string, tensor: Tensor): [string, Tensor][] {
  const third = tensor.shape[0]! / 3;
  return ["q", "k", "v"].map((part, i) => [
    `${name}.self_attn.${part}_proj.${kind}`,
    rows(tensor, i * third, (i + 1) * third),
  ]);
}

const layer = (from: RegExp, to: string, names: readonly (readonly [RegExp, string])[]) =>
  (name: string, tensor: Tensor): [string, Tensor][] | undefined => {
    const [, number, rest] = from.exec(name) ?? [];
    if (number === undefined || rest === undefined) return undefined;
    const at = `${to}.encoder.layers.${number}`;
    const packed = /^attn\.(?:in_proj_|qkv\.)(weight|bias)$/.exec(rest)?.[1];
    if (packed !== undefined) return split(at, packed, tensor);
    const [pattern, other] = names.find(([candidate]) => candidate.test(rest))!;
    return [[`${at}.${rest.replace(pattern, other)}`, tensor]];
  }; // prettier-ignore

const openClipBlock = [
  [/^attn\.out_proj/, "self_attn.out_proj"],
  [/^ln_/, "layer_norm"],
  [/^mlp\.c_fc/, "mlp.fc1"],
  [/^mlp\.c_proj/, "mlp.fc2"],
] as const;
const timmBlock = [
  [/^attn\.proj/, "self_attn.out_proj"],
  [/^norm/, "layer_norm"],
  [/^mlp/, "mlp"],
] as const;

type Move = (name: string, tensor: Tensor) => [string, Tensor][] | undefined;
const rename = (from: string, to: string, change: (tensor: Tensor) => Tensor = (tensor) => tensor): Move =>
  (name, tensor) => name === from || name.startsWith(`${from}.`) ? [[to + name.slice(from.length), change(tensor)]] : undefined; // prettier-ignore

const [vision, text] = ["vision_model", "text_model"];

const clipMoves: readonly Move[] = [
  layer(/^visual\.transformer\.resblocks\.(\d+)\.(.*)$/, vision, openClipBlock),
  layer(/^transformer\.resblocks\.(\d+)\.(.*)$/, text, openClipBlock),
  rename("visual.class_embedding", `${vision}.embeddings.class_embedding`),
  rename("visual.conv1", `${vision}.embeddings.patch_embedding`),
  rename("visual.positional_embedding", `${vision}.embeddings.position_embedding.weight`),
  rename("visual.ln_pre", `${vision}.pre_layrnorm`),
  rename("visual.ln_post", `${vision}.post_layernorm`),
  rename("visual.proj", "visual_projection.weight", turned),
  rename("token_embedding", `${text}.embeddings.token_embedding`),
  rename("positional_embedding", `${text}.embeddings.position_embedding.weight`),
  rename("ln_final", `${text}.final_layer_norm`),
  rename("text_projection", "text_projection.weight", turned),
];

const pool = "visual.trunk.attn_pool";
const siglipMoves: readonly Move[] = [
  layer(/^visual\.trunk\.blocks\.(\d+)\.(.*)$/, vision, timmBlock),
  layer(/^text\.transformer\.resblocks\.(\d+)\.(.*)$/, text, openClipBlock),
  rename("visual.trunk.patch_embed.proj", `${vision}.embeddings.patch_embedding`),
  rename("visual.trunk.pos_embed", `${vision}.embeddings.position_embedding.weight`, ({ shape, ...tensor }) => ({ ...tensor, shape: shape.slice(1) }) as Tensor), // prettier-ignore
  rename("visual.trunk.norm", `${vision}.post_layernorm`),
  rename(`${pool}.latent`, `${vision}.head.probe`),
  rename(`${pool}.proj`, `${vision}.head.attention.out_proj`),
  rename(`${pool}.norm`, `${vision}.head.layernorm`),
  rename(`${pool}.mlp`, `${vision}.head.mlp`),
  rename("text.token_embedding", `${text}.embeddings.token_embedding`),
  rename("text.positional_embedding", `${text}.embeddings.position_embedding.weight`),
  rename("text.ln_final", `${text}.final_layer_norm`),
  rename("text.text_projection", `${text}.head`),
  rename("logit_scale", "logit_scale", ({ data }) => ({ dtype: "float32", shape: [1], data }) as Tensor),
  rename("logit_bias", "logit_bias", ({ data }) => ({ dtype: "float32", shape: [1], data }) as Tensor),
];

function moved(weights: Weights, moves: readonly Move[]): Map<string, Tensor> {
  return new Map(
    [...weights].flatMap(([name, tensor]) => {
      for (const move of moves) {
        const found = move(name, tensor);
        if (found !== undefined) return found;
      }
      return [[name, tensor] as [string, Tensor]];
    }),
  );
}

/** OpenCLIP's names as those of a CLIPModel. */
export const toClipModel = (weights: Weights): Map<string, Tensor> => moved(weights, clipMoves);

/** OpenCLIP's names as those of a SiglipModel. */
export function toSiglipModel(weights: Weights): Map<string, Tensor> {
  const result = moved(weights, siglipMoves);
  for (const kind of ["weight", "bias"]) {
    const [q, kv] = [`${pool}.q.${kind}`, `${pool}.kv.${kind}`];
    const parts = [result.get(q)!, result.get(kv)!].map((tensor) => toFloat32(tensor));
    const [first, second] = parts as [Tensor<"float32">, Tensor<"float32">];
    const shape = [first.shape[0]! + second.shape[0]!, ...first.shape.slice(1)];
    const whole = Float32Array.from([...first.data, ...second.data]);
    result.set(`${vision}.head.attention.in_proj_${kind}`, f32(shape, whole));
    result.delete(q);
    result.delete(kv);
  }
  return result;
}

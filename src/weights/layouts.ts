import type { Layout, Rename } from "./layout.js";

/** A tower's layers in transformers, which keeps queries, keys and values apart, against blocks of other names. */
const hfLayers = (from: string, block: string, names: BlockNames): readonly Rename[] => {
  const layer = `${from}.encoder.layers.*`;
  const qkv = (kind: string) => ["q", "k", "v"].map((part) => `${layer}.self_attn.${part}_proj.${kind}`);
  return [
    [qkv("weight"), `${block}.attn.${names.qkv}weight`],
    [qkv("bias"), `${block}.attn.${names.qkv}bias`],
    [`${layer}.self_attn.out_proj.*`, `${block}.attn.${names.out}.*`],
    [`${layer}.layer_norm1.*`, `${block}.${names.norm1}.*`],
    [`${layer}.layer_norm2.*`, `${block}.${names.norm2}.*`],
    [`${layer}.mlp.fc1.*`, `${block}.mlp.${names.fc1}.*`],
    [`${layer}.mlp.fc2.*`, `${block}.mlp.${names.fc2}.*`],
  ];
};

type BlockNames = Readonly<Record<"qkv" | "out" | "norm1" | "norm2" | "fc1" | "fc2", string>>;
const openClipBlock: BlockNames = {
  qkv: "in_proj_",
  out: "out_proj",
  norm1: "ln_1",
  norm2: "ln_2",
  fc1: "c_fc",
  fc2: "c_proj",
};
const timmBlock: BlockNames = {
  qkv: "qkv.",
  out: "proj",
  norm1: "norm1",
  norm2: "norm2",
  fc1: "fc1",
  fc2: "fc2",
};

/** Tables of the numbers 0, 1, 2 … in old files of transformers. */
const hfCounts = ["vision_model.embeddings.position_ids", "text_model.embeddings.position_ids"];

/** The image tower of transformers' CLIPModel. The spelling of `pre_layrnorm` is theirs. */
const hfVision: readonly Rename[] = [
  ["vision_model.embeddings.class_embedding", "visual.class_embedding"],
  ["vision_model.embeddings.patch_embedding.weight", "visual.conv1.weight"],
  ["vision_model.embeddings.position_embedding.weight", "visual.positional_embedding"],
  ["vision_model.pre_layrnorm.*", "visual.ln_pre.*"],
  ...hfLayers("vision_model", "visual.transformer.resblocks.*", openClipBlock),
  ["vision_model.post_layernorm.*", "visual.ln_post.*"],
  ["visual_projection.weight", "visual.proj", "transposed"],
];

/** transformers' CLIPModel. */
export const hfClip: Layout = {
  renames: [
    ...hfVision,
    ["text_model.embeddings.token_embedding.weight", "token_embedding.weight"],
    ["text_model.embeddings.position_embedding.weight", "positional_embedding"],
    ...hfLayers("text_model", "transformer.resblocks.*", openClipBlock),
    ["text_model.final_layer_norm.*", "ln_final.*"],
    ["text_projection.weight", "text_projection", "transposed"],
  ],
  ignored: hfCounts,
};

/** transformers' ChineseCLIPModel: the image tower of CLIP, and BERT. */
export const hfChineseClip: Layout = {
  renames: [
    ...hfVision,
    ["text_model.**", "text.transformer.**"],
    ["text_projection.weight", "text.proj.weight"],
  ],
  ignored: [...hfCounts, "text_model.embeddings.token_type_ids", "text_model.pooler.**"],
};

const hfPool = "vision_model.head";
const timmPool = "visual.trunk.attn_pool";
/** The pool's query is one for all pictures, so timm keeps its matrix apart from that of keys and values. */
const poolParts = (kind: string) =>
  [`${timmPool}.q.${kind}`, [`${timmPool}.kv.${kind}`, 2]] satisfies Rename[1];

/** transformers' SiglipModel against OpenCLIP's SigLIP with its timm trunk; SigLIP 2 of fixed size as well. */
export const hfSiglip: Layout = {
  renames: [
    ["vision_model.embeddings.patch_embedding.*", "visual.trunk.patch_embed.proj.*"],
    ["vision_model.embeddings.position_embedding.weight", "visual.trunk.pos_embed", "batched"],
    ...hfLayers("vision_model", "visual.trunk.blocks.*", timmBlock),
    ["vision_model.post_layernorm.*", "visual.trunk.norm.*"],
    [`${hfPool}.probe`, `${timmPool}.latent`],
    [`${hfPool}.attention.in_proj_weight`, poolParts("weight")],
    [`${hfPool}.attention.in_proj_bias`, poolParts("bias")],
    [`${hfPool}.attention.out_proj.*`, `${timmPool}.proj.*`],
    [`${hfPool}.layernorm.*`, `${timmPool}.norm.*`],
    [`${hfPool}.mlp.*.*`, `${timmPool}.mlp.*.*`],
    ["text_model.embeddings.token_embedding.weight", "text.token_embedding.weight"],
    ["text_model.embeddings.position_embedding.weight", "text.positional_embedding"],
    ...hfLayers("text_model", "text.transformer.resblocks.*", openClipBlock),
    ["text_model.final_layer_norm.*", "text.ln_final.*"],
    ["text_model.head.*", "text.text_projection.*"],
    ["logit_scale", "logit_scale", "boxed"],
    ["logit_bias", "logit_bias", "boxed"],
  ],
  ignored: hfCounts,
};

/** Buffers of OpenAI's archives and of old OpenCLIP checkpoints, and the counters of batch norms. */
const noWeights = [
  "input_resolution",
  "context_length",
  "vocab_size",
  "attn_mask",
  "text.attn_mask",
  "**.num_batches_tracked",
];

/** open_clip takes a bias that a checkpoint lacks for 0. */
const zeros = ["logit_bias"];

/** OpenAI's archives and OpenCLIP's CLIP: the names that clipt uses, ViT and ModifiedResNet. */
export const openClip: Layout = {
  renames: [],
  ignored: noWeights,
  zeros,
};

/** OpenCLIP's CustomTextCLIP, whose text tower stands under `text.`; in its oldest checkpoints it does not yet. */
export const openClipCustomText: Layout = {
  renames: [
    ["text.**", "text.**"],
    ["token_embedding.*", "text.token_embedding.*"],
    ["positional_embedding", "text.positional_embedding"],
    ["transformer.**", "text.transformer.**"],
    ["ln_final.*", "text.ln_final.*"],
    ["text_projection", "text.text_projection"],
    ["text_projection.*", "text.text_projection.*"],
  ],
  ignored: noWeights,
  zeros,
};

/** OpenCLIP's models with a text tower of transformers': its names, which are ours. */
export const openClipHfText: Layout = {
  renames: [],
  ignored: [
    ...noWeights,
    "text.transformer.embeddings.position_ids",
    "text.transformer.embeddings.token_type_ids",
  ],
  zeros,
};

/** Chinese-CLIP's own checkpoints: OpenAI's image tower and BERT, whose dense layer on the first token is not used. */
export const chineseClip: Layout = {
  renames: [
    ["bert.**", "text.transformer.**"],
    ["text_projection", "text.proj.weight", "transposed"],
  ],
  ignored: [...noWeights, "bert.embeddings.position_ids", "bert.pooler.**"],
};

/** M-CLIP's text towers. */
export const mClip: Layout = {
  renames: [
    ["transformer.**", "text.transformer.**"],
    ["LinearTransformation.*", "text.proj.*"],
  ],
  ignored: [
    "transformer.embeddings.position_ids",
    "transformer.embeddings.token_type_ids",
    "transformer.pooler.**",
  ],
};

const bertLayer = "text.transformer.encoder.layer.*";
/** sentence-transformers' DistilBERT, and the dense layer from a folder of its own. */
export const sentenceTransformers: Layout = {
  renames: [
    ["linear.*", "text.proj.*"],
    ["transformer.layer.*.attention.q_lin.*", `${bertLayer}.attention.self.query.*`],
    ["transformer.layer.*.attention.k_lin.*", `${bertLayer}.attention.self.key.*`],
    ["transformer.layer.*.attention.v_lin.*", `${bertLayer}.attention.self.value.*`],
    ["transformer.layer.*.attention.out_lin.*", `${bertLayer}.attention.output.dense.*`],
    ["transformer.layer.*.sa_layer_norm.*", `${bertLayer}.attention.output.LayerNorm.*`],
    ["transformer.layer.*.ffn.lin1.*", `${bertLayer}.intermediate.dense.*`],
    ["transformer.layer.*.ffn.lin2.*", `${bertLayer}.output.dense.*`],
    ["transformer.layer.*.output_layer_norm.*", `${bertLayer}.output.LayerNorm.*`],
    ["embeddings.**", "text.transformer.embeddings.**"],
    ["encoder.**", "text.transformer.encoder.**"],
  ],
  ignored: ["embeddings.position_ids", "embeddings.token_type_ids", "pooler.**"],
};

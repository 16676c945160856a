import type { Layout, Rename } from "./layout.js";

/** A tower of transformers' CLIPModel against a transformer of OpenCLIP. */
const hfTower = (from: string, to: string): readonly Rename[] => {
  const layer = `${from}.encoder.layers.*`;
  const block = `${to}resblocks.*`;
  const qkv = (kind: string) => ["q", "k", "v"].map((part) => `${layer}.self_attn.${part}_proj.${kind}`);
  return [
    [qkv("weight"), `${block}.attn.in_proj_weight`],
    [qkv("bias"), `${block}.attn.in_proj_bias`],
    [`${layer}.self_attn.out_proj.*`, `${block}.attn.out_proj.*`],
    [`${layer}.layer_norm1.*`, `${block}.ln_1.*`],
    [`${layer}.layer_norm2.*`, `${block}.ln_2.*`],
    [`${layer}.mlp.fc1.*`, `${block}.mlp.c_fc.*`],
    [`${layer}.mlp.fc2.*`, `${block}.mlp.c_proj.*`],
  ];
};

/** transformers' CLIPModel. The spelling of `pre_layrnorm` is theirs. */
export const hfClip: Layout = {
  renames: [
    ["vision_model.embeddings.class_embedding", "visual.class_embedding"],
    ["vision_model.embeddings.patch_embedding.weight", "visual.conv1.weight"],
    ["vision_model.embeddings.position_embedding.weight", "visual.positional_embedding"],
    ["vision_model.pre_layrnorm.*", "visual.ln_pre.*"],
    ...hfTower("vision_model", "visual.transformer."),
    ["vision_model.post_layernorm.*", "visual.ln_post.*"],
    ["visual_projection.weight", "visual.proj", "transposed"],
    ["text_model.embeddings.token_embedding.weight", "token_embedding.weight"],
    ["text_model.embeddings.position_embedding.weight", "positional_embedding"],
    ...hfTower("text_model", "transformer."),
    ["text_model.final_layer_norm.*", "ln_final.*"],
    ["text_projection.weight", "text_projection", "transposed"],
  ],
  ignored: ["vision_model.embeddings.position_ids", "text_model.embeddings.position_ids"],
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

/** OpenAI's archives and OpenCLIP's CLIP: the names that clipt uses, ViT and ModifiedResNet. */
export const openClip: Layout = {
  renames: [],
  ignored: noWeights,
};

/** OpenCLIP's CustomTextCLIP, whose text tower stands under `text.`; in its oldest checkpoints it does not yet. */
export const openClipCustomText: Layout = {
  renames: [
    ["token_embedding.*", "text.token_embedding.*"],
    ["positional_embedding", "text.positional_embedding"],
    ["transformer.**", "text.transformer.**"],
    ["ln_final.*", "text.ln_final.*"],
    ["text_projection", "text.text_projection"],
    ["text_projection.*", "text.text_projection.*"],
  ],
  ignored: noWeights,
};

import type { ExportFormat } from "./format.js";

/** Every layout that clipt writes, by the name of `--to`. A new one is one file and one entry here. */
export const exportFormats = {
  onnx: {
    summary: "transformers.js: ONNX files with their configuration, preprocessing and tokenizer",
    dtypes: ["fp32", "fp16", "q8"],
    splits: true,
    load: async () => (await import("./onnx.js")).exportOnnx,
  },
  safetensors: {
    summary: "one file with OpenCLIP's names and the model's configuration in its metadata",
    dtypes: ["fp32", "fp16", "bf16"],
    splits: false,
    load: async () => (await import("./safetensors.js")).exportSafetensors,
  },
  open_clip: {
    summary:
      "open_clip: a hub folder; of a training run's checkpoint, one that its trainer goes on from as well",
    dtypes: ["fp32", "fp16", "bf16"],
    splits: false,
    load: async () => (await import("./open-clip.js")).exportOpenClip,
  },
  hf: {
    summary: "transformers: a folder of a CLIPModel or a SiglipModel",
    dtypes: ["fp32", "fp16", "bf16"],
    splits: false,
    load: async () => (await import("./hugging-face.js")).exportHuggingFace,
  },
} as const satisfies Readonly<Record<string, ExportFormat>>;

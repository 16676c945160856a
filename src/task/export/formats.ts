import type { ExportFormat } from "./format.js";

/** Every layout that clipt writes, by the name of `--to`. A new one is one file and one entry here. */
export const exportFormats = {
  onnx: {
    summary: "transformers.js: ONNX files with their configuration, preprocessing and tokenizer",
    options: ["dtype", "split"],
    load: async () => (await import("./onnx.js")).exportOnnx,
  },
} as const satisfies Readonly<Record<string, ExportFormat>>;

import { mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { CliptError, messageOf } from "../tensor/index.js";
import { exportDtypes, type ExportFormat, type ExportOptions } from "./export/format.js";
import { exportFormats } from "./export/formats.js";
import { flag, folder, modelNameFields } from "./fields.js";
import { defineTask } from "./task.js";

const formats: Readonly<Record<string, ExportFormat>> = exportFormats;

export const exportModel = defineTask({
  name: "export",
  details: `Writes a model in another project's layout: ${Object.entries(formats)
    .map(([name, { summary }]) => `${name} (${summary})`)
    .join("; ")}.`,
  input: z.object({
    ...modelNameFields,
    to: z.enum(Object.keys(exportFormats) as (keyof typeof exportFormats)[]).meta({
      description: "The layout",
    }),
    out: folder("Folder to write"),
    dtype: z
      .enum(exportDtypes)
      .default("fp32")
      .meta({ description: "Weights as float32, float16, bfloat16 or bytes; not every layout has all" }),
    split: flag("Only the two towers, each a model of its own").default(false),
  }),
  output: z.object({
    out: z.string(),
    files: z.array(z.object({ name: z.string(), bytes: z.number() })),
    notes: z.array(z.string()).describe("What whoever uses the files has to know"),
    command: z.string().optional().describe("What goes on with the files, for the shell"),
  }),
  positional: ["model"],
  examples: [
    { title: "For transformers.js", input: { model: "my-model", to: "onnx", out: "my-model-onnx" } },
    { title: "For Python: transformers", input: { model: "my-model", to: "hf", out: "my-model-hf" } },
    {
      title: "A training run that goes on under torchrun",
      input: { model: "logs/run/checkpoints/latest.safetensors", to: "open_clip", out: "my-run" },
    },
    {
      title: "Half as large",
      input: { model: "my-model", to: "onnx", out: "my-model-onnx", dtype: "fp16" },
    },
  ],
  async run({ model, pretrained, to, out, dtype, split }, context) {
    const format = formats[to]!;
    checkOptions(to, format, { dtype, split });
    const write = await format.load();
    await mkdir(out, { recursive: true }).catch((cause: unknown) => {
      throw new CliptError("io", `The folder ${out} cannot be made: ${messageOf(cause)}.`, { cause });
    });
    const { services } = context;
    const path = await services.locate({ model, pretrained });
    const locate = (half: string) => services.locate({ model: half });
    const open = async () => (await import("../model/index.js")).openModel(path, { locate });
    const { files, ...told } = await write({ path, out, dtype: dtype as never, split, context, open });
    const sized = files.map(async (name) => ({ name, bytes: (await stat(join(out, name))).size }));
    return { out, files: await Promise.all(sized), ...told, notes: [...told.notes] };
  },
});

function checkOptions(to: string, { dtypes, splits }: ExportFormat, { dtype, split }: ExportOptions): void {
  if (!dtypes.includes(dtype))
    throw new CliptError("usage", `--to ${to} has no --dtype ${dtype}; it has ${dtypes.join(", ")}.`);
  if (split && !splits) throw new CliptError("usage", `--to ${to} has no --split.`);
}

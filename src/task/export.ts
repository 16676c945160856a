import { mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { CliptError, messageOf } from "../tensor/index.js";
import { bundledModel } from "./bundled-model.js";
import type { ExportFormat, ExportOptions } from "./export/format.js";
import { exportFormats } from "./export/formats.js";
import { flag, folder, words } from "./fields.js";
import { defineTask } from "./task.js";

const formats: Readonly<Record<string, ExportFormat>> = exportFormats;

export const exportModel = defineTask({
  name: "export",
  details: `Writes a model in another project's layout: ${Object.entries(formats)
    .map(([name, { summary }]) => `${name} (${summary})`)
    .join("; ")}.`,
  input: z.object({
    model: words("Model folder or checkpoint file; the bundled model when it is left out").optional(),
    to: z.enum(Object.keys(exportFormats) as (keyof typeof exportFormats)[]).meta({
      description: "The layout",
    }),
    out: folder("Folder to write"),
    dtype: z
      .enum(["fp32", "fp16", "q8"])
      .default("fp32")
      .meta({ description: "Weights as float32, float16 or bytes" }),
    split: flag("Only the two towers, each a model of its own").default(false),
  }),
  output: z.object({
    out: z.string(),
    files: z.array(z.object({ name: z.string(), bytes: z.number() })),
    notes: z.array(z.string()).describe("What whoever uses the files has to know"),
  }),
  positional: ["model"],
  examples: [
    { title: "For transformers.js", input: { model: "my-model", to: "onnx", out: "my-model-onnx" } },
    {
      title: "Half as large",
      input: { model: "my-model", to: "onnx", out: "my-model-onnx", dtype: "fp16" },
    },
  ],
  async run({ model: path = bundledModel(), to, out, dtype, split }, context, given) {
    const format = formats[to]!;
    refuseOptions(to, format, given);
    const write = await format.load();
    await mkdir(out, { recursive: true }).catch((cause: unknown) => {
      throw new CliptError("io", `The folder ${out} cannot be made: ${messageOf(cause)}.`, { cause });
    });
    const open = async () => (await import("../model/index.js")).openModel(path);
    const { files, notes } = await write({ path, out, dtype, split, context, open });
    const sized = files.map(async (name) => ({ name, bytes: (await stat(join(out, name))).size }));
    return { out, files: await Promise.all(sized), notes: [...notes] };
  },
});

function refuseOptions(
  to: string,
  { options }: ExportFormat,
  given: { readonly [K in keyof ExportOptions]?: unknown },
): void {
  for (const option of ["dtype", "split"] as const)
    if (given[option] !== undefined && given[option] !== false && !options.includes(option))
      throw new CliptError("usage", `--to ${to} has no --${option}.`);
}

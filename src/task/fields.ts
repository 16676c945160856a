import { z } from "zod";
import { dtypes } from "../graph/index.js";

/** What stands for the value of a field in a help text: FILE, FOLDER, N. */
type Placeholder = string;

const text = (placeholder: Placeholder) => (description: string) =>
  z.string().min(1, "must not be empty").meta({ description, placeholder });

/** Field of a task's input: a path to a file. */
export const file = text("FILE");
export const folder = text("FOLDER");
export const words = text("TEXT");
/** A data set as `openSource` reads it: folder, globs, brace ranges. */
export const shards = text("SHARDS");

export const list = (placeholder: Placeholder, description: string) =>
  z.array(z.string()).min(1, "needs at least one").meta({ description, placeholder });

export const count = (description: string) => z.int().min(1).meta({ description, placeholder: "N" });

export const flag = (description: string) => z.boolean().meta({ description });

/** The fields that name a model; docs/models.md tells how names are looked up. */
export const modelNameFields = {
  model: text("MODEL")(
    "Model folder, checkpoint file or name of the hub (owner/name, ViT-B-32::openai); the bundled model when it is left out",
  ).optional(),
  pretrained: text("TAG")(
    "Weights of --model by open_clip's tag: --model ViT-B-32 --pretrained openai",
  ).optional(),
};

/** The fields by which every task that encodes chooses its model and machine. */
export const modelFields = {
  ...modelNameFields,
  device: z
    .enum(["cpu", "webgpu", "cuda", "coreml"])
    .default("cpu")
    .meta({ description: "Where the model runs" }),
  dtype: z.enum(dtypes).optional().meta({
    description:
      "How weights are held and computed with; the fastest within the allowed loss when it is left out",
  }),
  forceImageSize: z.array(z.int().min(1)).min(1).max(2).optional().meta({
    description:
      "Side of the pictures, or height and width, instead of the model's own, px; positions are stretched",
    placeholder: "N",
  }),
  forceContextLength: count(
    "Tokens of a text, instead of the model's own; positions are stretched",
  ).optional(),
  threads: count("Threads of the model; one per core when it is left out").optional(),
};

/** One field as an edge sees it: enough for a flag, a line of help or a control of a form. */
export interface Field {
  readonly name: string;
  readonly kind: "text" | "number" | "flag" | "choice" | "list" | "numbers";
  readonly description: string;
  readonly placeholder: string;
  readonly choices: readonly string[];
  readonly required: boolean;
  readonly fallback: unknown;
}

/** The fields of a task's input in their order. */
export const fieldsOf = (input: z.ZodObject): Field[] =>
  Object.entries(input.shape).map(([name, schema]) => fieldOf(name, schema as z.ZodType));

function fieldOf(name: string, schema: z.ZodType): Field {
  let inner = schema;
  let required = true;
  let fallback: unknown;
  let meta = inner.meta();
  while (inner instanceof z.ZodOptional || inner instanceof z.ZodDefault) {
    required = false;
    if (inner instanceof z.ZodDefault) fallback = inner.def.defaultValue;
    inner = inner.unwrap() as z.ZodType;
    meta = { ...inner.meta(), ...meta };
  }
  const choices = inner instanceof z.ZodEnum ? inner.options.map(String) : [];
  const kind = kindOf(inner);
  return {
    name,
    kind,
    description: meta?.description ?? "",
    placeholder:
      typeof meta?.placeholder === "string"
        ? meta.placeholder
        : kind === "number"
          ? "N"
          : kind === "choice"
            ? "NAME"
            : "TEXT",
    choices,
    required,
    fallback,
  };
}

function kindOf(schema: z.ZodType): Field["kind"] {
  if (schema instanceof z.ZodBoolean) return "flag";
  if (schema instanceof z.ZodNumber) return "number";
  if (schema instanceof z.ZodEnum) return "choice";
  if (schema instanceof z.ZodArray) return schema.element instanceof z.ZodNumber ? "numbers" : "list";
  return "text";
}

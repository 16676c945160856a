import { z } from "zod";
import { mClip, sentenceTransformers, type Layout } from "../../weights/index.js";
import { CliptError } from "../../tensor/index.js";
import type { TokenizerConfig } from "../tokenizer.js";
import { longestText, type BertConfig } from "../towers/bert.js";
import { inferBert, parseBert } from "./bert.js";
import { count, idCount, readFields } from "./fields.js";
import type { Shapes } from "./openai.js";

/** What lies beside the weights of a text tower that is published without an image tower. */
export interface TextBeside {
  /** `config.json`, parsed. */
  readonly config: unknown;
  /** Of the state dict as it was published. */
  readonly shapes: Shapes;
  /** Another JSON file of the folder; undefined where it is not there. */
  readonly read: (name: string) => Promise<unknown>;
}

/** Such a tower in clipt's terms. Its canonical names begin with "text." */
export interface TextDescription {
  /** Width of the space that it shares with an image tower. */
  readonly embedDim: number;
  readonly text: BertConfig;
  readonly tokenizer: TokenizerConfig;
  readonly layout: Layout;
  /** Folders below its own that hold more of its weights. */
  readonly folders: readonly string[];
}

/** A manner of publishing text towers. */
export interface TextFamily {
  readonly name: string;
  /** @param modules `modules.json`, parsed; undefined where it is not there */
  readonly owns: (config: unknown, modules: unknown) => boolean;
  readonly describe: (beside: TextBeside) => Promise<TextDescription>;
}

const mClipConfig = z.object({ numDims: count, transformerDimensions: count });

const modulesJson = z.array(z.object({ path: z.string(), type: z.string() }));
const poolingJson = z.looseObject({ pooling_mode: z.string().optional() });
const denseJson = z.object({
  out_features: count,
  bias: z.boolean().default(true),
  activation_function: z.string().default("torch.nn.modules.activation.Tanh"),
});
const sentenceBertJson = z.object({ max_seq_length: idCount.nullish() });

/** Every family of text towers, in the order in which they are asked. */
export const textFamilies: readonly TextFamily[] = [
  {
    // Source: FreddeFrallan/Multilingual-CLIP `MultilingualCLIP`.
    name: "M-CLIP",
    owns: (config) => typeof config === "object" && config !== null && "modelBase" in config,
    describe({ config, shapes }) {
      const { numDims } = readFields(mClipConfig, config, "config.json");
      const encoder = inferBert(shapes, "transformer.");
      const contextLength = longestText(encoder);
      return Promise.resolve({
        embedDim: numDims,
        text: { ...encoder, contextLength, pool: "mean", projection: "linear-bias" },
        tokenizer: tokenizerOf(encoder.padId, contextLength),
        layout: mClip,
        folders: [],
      });
    },
  },
  {
    // Source: UKPLab/sentence-transformers `Transformer`, `Pooling`, `Dense`.
    name: "sentence-transformers",
    owns: (_, modules) => modules !== undefined,
    async describe({ config, read }) {
      const modules = readFields(modulesJson, await read("modules.json"), "modules.json");
      const { pooling, dense } = chain(modules);
      const encoder = parseBert(config as object, "config.json");
      const poolingFile = `${pooling}/config.json`;
      requireMean(readFields(poolingJson, await read(poolingFile), poolingFile), poolingFile);
      const denseFile = `${dense}/config.json`;
      const last = readFields(denseJson, await read(denseFile), denseFile);
      if (!last.activation_function.endsWith(".Identity"))
        throw new CliptError(
          "unsupported",
          `${denseFile}: activation_function "${last.activation_function}" is not supported; Identity is.`,
        );
      const limits = readFields(sentenceBertJson, (await read("sentence_bert_config.json")) ?? {}, "sentence_bert_config.json"); // prettier-ignore
      const contextLength = Math.min(limits.max_seq_length ?? Infinity, longestText(encoder));
      return {
        embedDim: last.out_features,
        text: { ...encoder, contextLength, pool: "mean", projection: last.bias ? "linear-bias" : "linear" },
        tokenizer: tokenizerOf(encoder.padId, contextLength),
        layout: sentenceTransformers,
        folders: [dense],
      };
    },
  },
];

const tokenizerOf = (pad: number, context: number): TokenizerConfig => ({
  kind: "hugging-face",
  cleaning: "none",
  context,
  pad,
});

/** The folders of pooling and dense layer in a chain of modules: encoder, pooling, dense, perhaps a norm. */
function chain(modules: z.output<typeof modulesJson>): { pooling: string; dense: string } {
  const kinds = modules.map(({ type }) => type.split(".").at(-1)!);
  const [encoder, pooling, dense] = modules;
  if (!/^Transformer,Pooling,Dense(,Normalize)?$/.test(kinds.join()) || encoder!.path !== "")
    throw new CliptError(
      "unsupported",
      `modules.json: the modules ${kinds.join(", ")} are not supported; Transformer, Pooling, Dense are.`,
    );
  for (const { path } of [pooling!, dense!])
    // A module lies below its model: a path could lead anywhere.
    if (!/^\w[\w.-]*$/.test(path))
      throw new CliptError("format", `modules.json: "${path}" is no folder beside it.`);
  return { pooling: pooling!.path, dense: dense!.path };
}

function requireMean(cfg: z.output<typeof poolingJson>, file: string): void {
  const modes = Object.entries(cfg).flatMap(([key, on]) =>
    key.startsWith("pooling_mode_") && on === true ? [key.slice("pooling_mode_".length)] : [],
  );
  const mode = cfg.pooling_mode ?? modes.join("+");
  if (mode !== "mean" && mode !== "mean_tokens")
    throw new CliptError("unsupported", `${file}: pooling by "${mode}" is not supported; the mean is.`);
}

import { clipPreprocess, type PreprocessConfig } from "../../input/image/preprocess.js";
import {
  chineseClip,
  hfChineseClip,
  hfClip,
  hfPositions,
  hfSiglip,
  openClip,
  openClipCustomText,
  openClipHfText,
  openClipPositions,
  type Layout,
} from "../../weights/index.js";
import type { ClipConfig } from "../config.js";
import type { TokenizerConfig } from "../tokenizer.js";
import type { PositionRule } from "../positions.js";
import { chineseClipPreprocess, inferChineseClip, parseChineseClip } from "./chinese-clip.js";
import { parseHuggingFace } from "./hugging-face.js";
import { parseHuggingFacePreprocess } from "./hugging-face-preprocess.js";
import { parseHuggingFaceTokenizer } from "./hugging-face-tokenizer.js";
import {
  parseOpenClip,
  parseOpenClipPreprocess,
  parseOpenClipTokenizer,
  readOpenClipFile,
} from "./open-clip.js";
import { inferOpenAi, type Shapes } from "./openai.js";
import { parseOwn } from "./own.js";

/** What lies beside the weights; `undefined` for a file that is not there. */
export interface Beside {
  /** The family's `configFile`, parsed. */
  readonly config: unknown;
  /** `preprocessor_config.json`, parsed. */
  readonly preprocessor: unknown;
  /** `tokenizer_config.json`, parsed. */
  readonly tokenizer: unknown;
  /** Of the state dict as it was published. */
  readonly shapes: Shapes;
}

/** What a family's files say, in clipt's terms. */
export interface Description {
  readonly config: ClipConfig;
  readonly preprocess: PreprocessConfig;
  readonly tokenizer: TokenizerConfig;
  readonly layout: Layout;
  /** Absent: open_clip's rule, and only when somebody asks for another size. */
  readonly positions?: PositionRule;
}

/** A manner of publishing models. All differences between families are in what `describe` returns. */
export interface Family {
  readonly name: string;
  /** File that tells the configuration; families without one read it from the shapes. */
  readonly configFile?: string;
  /** Whether a state dict with these names, beside this configuration, is one of this family's. */
  readonly owns: (names: readonly string[], config: unknown) => boolean;
  readonly describe: (beside: Beside) => Description;
}

const isTransformers = (names: readonly string[]) => names.some((name) => name.startsWith("vision_model."));

const modelType = (config: unknown) => (config as { model_type?: unknown } | undefined)?.model_type;

/** The tokenizer of a BERT, used as transformers does. */
const bertTokenizer = ({ text }: ClipConfig): TokenizerConfig => ({
  kind: "hugging-face",
  cleaning: "none",
  context: text.contextLength,
  pad: text.kind === "bert" ? text.padId : undefined,
});

function openClipLayout({ customText, text }: ClipConfig): Layout {
  if (text.kind === "bert") return openClipHfText;
  return customText ? openClipCustomText : openClip;
}

/** Every family, in the order in which they are asked. */
export const families: readonly Family[] = [
  {
    name: "clipt",
    configFile: "config.json",
    owns: (_, config) => (config as { format?: unknown } | undefined)?.format === "clipt",
    describe: ({ config }) => ({ ...parseOwn(config), layout: openClip }),
  },
  {
    name: "Chinese-CLIP, transformers",
    configFile: "config.json",
    owns: (names, config) => isTransformers(names) && modelType(config) === "chinese_clip",
    describe({ config: json, preprocessor }) {
      const config = parseChineseClip(json);
      return {
        config,
        preprocess:
          preprocessor === undefined
            ? chineseClipPreprocess(config)
            : parseHuggingFacePreprocess(preprocessor, config),
        tokenizer: bertTokenizer(config),
        layout: hfChineseClip,
      };
    },
  },
  {
    name: "transformers",
    configFile: "config.json",
    owns: (names, config) => config !== undefined && isTransformers(names),
    describe({ config: json, preprocessor, tokenizer }) {
      const config = parseHuggingFace(json);
      return {
        config,
        preprocess: parseHuggingFacePreprocess(preprocessor, config),
        tokenizer: parseHuggingFaceTokenizer(tokenizer, config),
        layout: config.score === "softmax" ? hfClip : hfSiglip,
        positions: { cubic: hfPositions, unasked: { image: false, text: false } },
      };
    },
  },
  {
    name: "OpenCLIP",
    configFile: "open_clip_config.json",
    owns: (names, config) => config !== undefined && !isTransformers(names),
    describe({ config: json, shapes }) {
      const { model_cfg: modelCfg, preprocess_cfg: preprocessCfg } = readOpenClipFile(json);
      const config = parseOpenClip(modelCfg, shapes);
      return {
        config,
        preprocess: parseOpenClipPreprocess(preprocessCfg, config),
        tokenizer: parseOpenClipTokenizer(modelCfg, config),
        layout: openClipLayout(config),
        positions: {
          cubic: openClipPositions,
          unasked: { image: config.image.kind === "vit", text: true },
        },
      };
    },
  },
  {
    name: "Chinese-CLIP",
    owns: (names) =>
      names.includes("bert.embeddings.word_embeddings.weight") && names.includes("visual.conv1.weight"),
    describe({ shapes }) {
      const config = inferChineseClip(shapes);
      return {
        config,
        preprocess: chineseClipPreprocess(config),
        tokenizer: bertTokenizer(config),
        layout: chineseClip,
      };
    },
  },
  {
    name: "OpenAI",
    owns: (names) => names.includes("token_embedding.weight") && names.includes("visual.conv1.weight"),
    describe({ shapes }) {
      const config = inferOpenAi(shapes);
      return {
        config,
        preprocess: { ...clipPreprocess, size: config.image.imageSize },
        tokenizer: { kind: "clip-bpe", cleaning: "clip", pad: "zero", context: config.text.contextLength },
        layout: openClip,
      };
    },
  },
];

import { CliptError } from "../../tensor/index.js";
import type { ClipConfig } from "../config.js";
import type { ImageTowerConfig } from "../towers/index.js";

/** Shapes of a state dict's tensors, by name. */
export type Shapes = ReadonlyMap<string, readonly number[]>;

/**
 * The configuration of a model of OpenAI's, which its files do not tell, from the shapes of its tensors.
 *
 * @throws `format` when a tensor that tells a size is missing
 * @source openai/CLIP `build_model`
 */
export function inferOpenAi(shapes: Shapes): ClipConfig {
  const [contextLength, width] = of("positional_embedding", 2);
  return {
    embedDim: of("text_projection", 2)[1],
    image: shapes.has("visual.proj") ? inferVit() : inferResNet(),
    text: {
      kind: "transformer",
      contextLength,
      vocabSize: of("token_embedding.weight", 2)[0],
      layers: numbered("transformer.resblocks."),
      ...blocks(width),
      causal: true,
      pool: "argmax",
      projection: "matrix",
    },
    customText: false,
    score: "softmax",
    initLogitScale: Math.log(1 / 0.07),
  };

  function inferVit(): ImageTowerConfig {
    const [width, , patchSize] = of("visual.conv1.weight", 4);
    const side = patchSize * Math.round(Math.sqrt(of("visual.positional_embedding", 2)[0] - 1));
    return {
      kind: "vit",
      imageSize: [side, side],
      patchSize,
      layers: numbered("visual.transformer.resblocks."),
      ...blocks(width),
      pool: "tok",
      lnPre: true,
      lnAfterPool: false,
    };
  }

  function inferResNet(): ImageTowerConfig {
    const [width] = of("visual.layer1.0.conv1.weight", 4);
    const side = 32 * Math.round(Math.sqrt(of("visual.attnpool.positional_embedding", 2)[0] - 1));
    return {
      kind: "resnet",
      imageSize: [side, side],
      layers: [1, 2, 3, 4].map((stage) => numbered(`visual.layer${stage}.`)),
      width,
      heads: (width * 32) / 64,
    };
  }

  function of(name: string, rank: number): readonly [number, number, number] {
    const shape = shapes.get(name);
    if (shape?.length === rank) return shape as readonly number[] as readonly [number, number, number];
    throw new CliptError(
      "format",
      `The weights have no configuration beside them and no "${name}" of ${rank} axes to tell the model's sizes.`,
    );
  }

  /** How many different numbers follow a prefix. */
  function numbered(prefix: string): number {
    const names = [...shapes.keys()].filter((name) => name.startsWith(prefix));
    return new Set(names.map((name) => name.slice(prefix.length).split(".")[0])).size;
  }
}

const blocks = (width: number) =>
  ({ width, heads: width / 64, mlpWidth: width * 4, activation: "quick_gelu", eps: 1e-5 }) as const;

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
  const [contextLength, width] = shapeOf(shapes, "positional_embedding", 2);
  return {
    embedDim: shapeOf(shapes, "text_projection", 2)[1],
    image: inferImage(shapes),
    text: {
      kind: "transformer",
      contextLength,
      vocabSize: shapeOf(shapes, "token_embedding.weight", 2)[0],
      layers: numbered(shapes, "transformer.resblocks."),
      ...blocks(width),
      causal: true,
      pool: "argmax",
      projection: "matrix",
    },
    customText: false,
    score: "softmax",
    initLogitScale: Math.log(1 / 0.07),
  };
}

/** The image tower under `visual.`: a ViT or a ModifiedResNet. @throws `format` as `inferOpenAi` does */
export const inferImage = (shapes: Shapes): ImageTowerConfig =>
  shapes.has("visual.proj") ? inferVit(shapes) : inferResNet(shapes);

function inferVit(shapes: Shapes): ImageTowerConfig {
  const [width, , patchSize] = shapeOf(shapes, "visual.conv1.weight", 4);
  const side = patchSize * Math.round(Math.sqrt(shapeOf(shapes, "visual.positional_embedding", 2)[0] - 1));
  return {
    kind: "vit",
    imageSize: [side, side],
    patchSize,
    layers: numbered(shapes, "visual.transformer.resblocks."),
    ...blocks(width),
    pool: "tok",
    lnPre: true,
    lnAfterPool: false,
  };
}

function inferResNet(shapes: Shapes): ImageTowerConfig {
  const [width] = shapeOf(shapes, "visual.layer1.0.conv1.weight", 4);
  const rows = shapeOf(shapes, "visual.attnpool.positional_embedding", 2)[0];
  const side = 32 * Math.round(Math.sqrt(rows - 1));
  return {
    kind: "resnet",
    imageSize: [side, side],
    layers: [1, 2, 3, 4].map((stage) => numbered(shapes, `visual.layer${stage}.`)),
    width,
    heads: (width * 32) / 64,
  };
}

/** @throws `format` when there is no tensor of that name and number of axes */
export function shapeOf(shapes: Shapes, name: string, rank: number): readonly [number, number, number] {
  const shape = shapes.get(name);
  if (shape?.length === rank) return shape as readonly number[] as readonly [number, number, number];
  throw new CliptError(
    "format",
    `The weights have no configuration beside them and no "${name}" of ${rank} axes to tell the model's sizes.`,
  );
}

/** How many different numbers follow a prefix. */
export function numbered(shapes: Shapes, prefix: string): number {
  const names = [...shapes.keys()].filter((name) => name.startsWith(prefix));
  return new Set(names.map((name) => name.slice(prefix.length).split(".")[0])).size;
}

const blocks = (width: number) =>
  ({ width, heads: width / 64, mlpWidth: width * 4, activation: "quick_gelu", eps: 1e-5 }) as const;

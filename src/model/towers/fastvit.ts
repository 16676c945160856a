import { mean, reshape, type Value } from "../../graph/index.js";
import { branches, convSpec, type Branch, type Conv } from "../layers/branches.js";
import { fastVitBlock, fastVitBlockSpec, type FastVitBlock } from "../layers/fastvit-block.js";
import type { Linear } from "../layers/linear.js";
import { largeKernelSpec, mobileOne, mobileOneSpec, type MobileOne } from "../layers/mobile-one.js";
import {
  classifierSpec,
  timmHeadSpec,
  timmProject,
  type TimmHead,
  type TimmProjection,
} from "../layers/timm-head.js";
import type { Spec } from "../spec.js";
import type { Tower } from "./tower.js";

/** Blocks of one resolution and width. */
export interface FastVitStage {
  readonly width: number;
  readonly blocks: number;
  /** Channels inside the blocks' MLPs. */
  readonly mlpWidth: number;
  /** Attention comes with a convolution before the blocks that tells places apart. */
  readonly mixer: "repmixer" | "attention";
  /** Channels between the layers of the squeeze where the stage begins; absent: there is none. */
  readonly squeeze?: number | undefined;
}

/** FastViT, the convolutional towers of MobileCLIP and MobileCLIP2. */
export interface FastVitConfig {
  readonly kind: "fastvit";
  /** [height, width], px. */
  readonly imageSize: readonly [number, number];
  readonly stages: readonly FastVitStage[];
  /** Whether the stem's convolutions have a branch of one pixel. */
  readonly stemScale: boolean;
  /** What stands before attention. */
  readonly norm: "batch" | "layer";
  /** Whether the branches of training were folded into single convolutions already when the weights were saved. */
  readonly folded: boolean;
  readonly projection: TimmProjection;
}

/** timm's `RepConditionalPosEnc`: a convolution that is added to its input, or that was folded with it. */
type Positions<T> = { readonly pos_enc: Conv<T> } | { readonly reparam_conv: Conv<T> };

interface Stage<T> {
  readonly downsample?: { readonly proj: readonly MobileOne<T>[] } | undefined;
  readonly pos_emb?: Positions<T> | undefined;
  readonly blocks: readonly FastVitBlock<T>[];
}

/** Names are timm's. */
export interface FastVitWeights<T> {
  readonly trunk: {
    readonly stem: readonly MobileOne<T>[];
    readonly stages: readonly Stage<T>[];
    readonly final_conv: MobileOne<T>;
    readonly head?: { readonly fc: Linear<T> } | undefined;
  };
  readonly head?: TimmHead<T> | undefined;
}

/** Side of the kernels that halve the picture and that tell places apart. */
const large = 7;
/** Of the stem's three convolutions. */
const stemStrides = [2, 2, 1];

/**
 * Weights in the form of training are folded by the program itself, so that the same tower trains and is fast.
 *
 * @source timm `FastVit`; Vasu et al., FastViT (arXiv 2303.14189), MobileCLIP (arXiv 2311.17049)
 */
export const fastVit: Tower<FastVitConfig, FastVitWeights<Spec>, FastVitWeights<Value>> = {
  spec({ stages, stemScale, norm, folded, projection }, embedDim) {
    const first = stages[0]!.width;
    const last = stages.at(-1)!.width;
    const features = 2 * last;
    const classifier = classifierSpec(projection, features, embedDim);
    const stem = { inputs: first, outputs: first, scale: stemScale, folded };
    return {
      trunk: {
        stem: [
          mobileOneSpec({ ...stem, inputs: 3, side: 3, stride: 2 }),
          mobileOneSpec({ ...stem, side: 3, stride: 2, depthwise: true }),
          mobileOneSpec({ ...stem, side: 1 }),
        ],
        stages: stages.map((stage, i) => ({
          downsample: i === 0 ? undefined : downsampleSpec(stages[i - 1]!.width, stage, folded),
          pos_emb: stage.mixer === "attention" ? positionsSpec(stage.width, folded) : undefined,
          blocks: Array.from({ length: stage.blocks }, () => fastVitBlockSpec({ ...stage, norm, folded })),
        })),
        final_conv: mobileOneSpec({
          inputs: last,
          outputs: features,
          side: 3,
          depthwise: true,
          squeeze: Math.round(features / 16),
          folded,
        }),
        head: classifier && { fc: classifier },
      },
      head: timmHeadSpec(projection, features, embedDim),
    };
  },

  forward(_, { trunk, head }, pixels, context) {
    const path = "visual.trunk";
    let x = trunk.stem.reduce(
      (y, w, i) => mobileOne(w, y, `${path}.stem.${i}`, context, stemStrides[i]),
      pixels,
    );
    context.tap?.("image.stem", x);
    let count = 0;
    trunk.stages.forEach(({ downsample, pos_emb: positions, blocks }, s) => {
      const at = `${path}.stages.${s}`;
      downsample?.proj.forEach((w, i) => {
        x = mobileOne(w, x, `${at}.downsample.proj.${i}`, context, i === 0 ? 2 : 1);
      });
      if (positions !== undefined) x = branches(positionBranches(positions), x, context);
      blocks.forEach((w, i) => {
        const output = fastVitBlock(w, x, `${at}.blocks.${i}`, context);
        context.block?.([x], output);
        context.tap?.(`image.block.${count++}`, output);
        x = output;
      });
    });
    x = mobileOne(trunk.final_conv, x, `${path}.final_conv`, context);
    context.tap?.("image.head", x);
    const pooled = reshape(mean(x, [2, 3]), [x.shape[0]!, x.shape[1]!]);
    context.tap?.("image.pooled", pooled);
    return timmProject(trunk.head?.fc, head, pooled);
  },
};

/** Half the side: a large depthwise kernel, then channels among themselves. */
const downsampleSpec = (inputs: number, { width, squeeze }: FastVitStage, folded: boolean) => ({
  proj: [
    largeKernelSpec({ inputs, outputs: width, side: large, squeeze, folded }, 3),
    mobileOneSpec({ inputs: width, outputs: width, side: 1, folded }),
  ],
});

function positionsSpec(width: number, folded: boolean): Positions<Spec> {
  const conv = convSpec(width, width, large, { groups: width });
  return folded ? { reparam_conv: conv } : { pos_enc: conv };
}

const positionBranches = (w: Positions<Value>): Branch[] =>
  "pos_enc" in w ? [{}, { conv: w.pos_enc }] : [{ conv: w.reparam_conv }];

import { add, clip, concat, conv, mean, reduceMax, reshape, type Value } from "../../graph/index.js";
import type { Context } from "../context.js";
import { batchNorm, batchNormSpec, type BatchNorm } from "../layers/batch-norm.js";
import { head, headSpec, type Head, type HeadConfig } from "../layers/head.js";
import { normalSpec, type Spec } from "../spec.js";
import type { Tower } from "./tower.js";

/** Blocks of one resolution and width. */
export interface Stage {
  /** Side of the depthwise kernels, px. */
  readonly kernel: number;
  /** Of the first block; the others keep the size. */
  readonly stride: number;
  /** How much wider a block is inside than outside. */
  readonly expand: number;
  readonly channels: number;
  readonly blocks: number;
}

/** EfficientNet-Lite: inverted residuals with ReLU6, without squeeze-and-excitation. */
export interface EfficientNetLiteConfig {
  readonly kind: "efficientnet-lite";
  /** [height, width], px. */
  readonly imageSize: readonly [number, number];
  readonly stem: number;
  readonly stages: readonly Stage[];
  /** Width of the pooled features. */
  readonly features: number;
  /** Blocks, counted from 0, whose channels the head sees, too: their means, and their greatest values. */
  readonly seen?: readonly number[] | undefined;
  /** From the pooled features to the shared space. */
  readonly head: HeadConfig;
}

/** The smallest of the family. Source: tensorflow/tpu `efficientnet_lite_builder`, `efficientnet-lite0`. */
export const lite0: Pick<EfficientNetLiteConfig, "kind" | "imageSize" | "stem" | "stages" | "features"> = {
  kind: "efficientnet-lite",
  imageSize: [224, 224],
  stem: 32,
  stages: [
    { kernel: 3, stride: 1, expand: 1, channels: 16, blocks: 1 },
    { kernel: 3, stride: 2, expand: 6, channels: 24, blocks: 2 },
    { kernel: 5, stride: 2, expand: 6, channels: 40, blocks: 2 },
    { kernel: 3, stride: 2, expand: 6, channels: 80, blocks: 3 },
    { kernel: 5, stride: 1, expand: 6, channels: 112, blocks: 3 },
    { kernel: 5, stride: 2, expand: 6, channels: 192, blocks: 4 },
    { kernel: 3, stride: 1, expand: 6, channels: 320, blocks: 1 },
  ],
  features: 1280,
};

interface Conv<T> {
  readonly weight: T;
}

/** timm's `DepthwiseSeparableConv`: the block that does not widen. */
interface Separable<T> {
  readonly conv_dw: Conv<T>;
  readonly bn1: BatchNorm<T>;
  readonly conv_pw: Conv<T>;
  readonly bn2: BatchNorm<T>;
}

/** timm's `InvertedResidual`. */
interface Inverted<T> {
  readonly conv_pw: Conv<T>;
  readonly bn1: BatchNorm<T>;
  readonly conv_dw: Conv<T>;
  readonly bn2: BatchNorm<T>;
  readonly conv_pwl: Conv<T>;
  readonly bn3: BatchNorm<T>;
}

type Block<T> = Separable<T> | Inverted<T>;

interface Trunk<T> {
  readonly conv_stem: Conv<T>;
  readonly bn1: BatchNorm<T>;
  readonly blocks: readonly (readonly Block<T>[])[];
  readonly conv_head: Conv<T>;
  readonly bn2: BatchNorm<T>;
}

/** Names: timm's `tf_efficientnet_lite*` below `trunk`, as open_clip places timm's models. */
export interface EfficientNetLiteWeights<T> {
  readonly trunk: Trunk<T>;
  readonly head: Head<T>;
}

/** TensorFlow's, which timm's `tf_` models keep. */
const eps = 1e-3;

export const efficientNetLite: Tower<
  EfficientNetLiteConfig,
  EfficientNetLiteWeights<Spec>,
  EfficientNetLiteWeights<Value>
> = {
  spec({ stem, stages, features, seen = [], head: headConfig }, embedDim) {
    let width = stem;
    const channels = stages.flatMap((stage) => Array<number>(stage.blocks).fill(stage.channels));
    const blocks = stages.map((stage) =>
      Array.from({ length: stage.blocks }, () => {
        const block = blockSpec(width, stage);
        width = stage.channels;
        return block;
      }),
    );
    return {
      trunk: {
        conv_stem: convSpec(3, stem, 3),
        bn1: batchNormSpec(stem),
        blocks,
        conv_head: convSpec(width, features, 1),
        bn2: batchNormSpec(features),
      },
      head: headSpec(
        headConfig,
        seen.reduce((sum, i) => sum + 2 * channels[i]!, features),
        embedDim,
      ),
    };
  },

  forward({ stages, seen = [], head: headConfig }, w, pixels, context) {
    const { trunk } = w;
    const path = "visual.trunk";
    let x = relu6(batchNorm(trunk.bn1, samePadded(pixels, trunk.conv_stem, 2), eps, `${path}.bn1`, context));
    context.tap?.("image.stem", x);
    let count = 0;
    const looks: Value[] = [];
    trunk.blocks.forEach((stage, s) => {
      stage.forEach((weights, i) => {
        const output = block(
          weights,
          x,
          i === 0 ? stages[s]!.stride : 1,
          `${path}.blocks.${s}.${i}`,
          context,
        );
        context.block?.([x], output);
        if (seen.includes(count)) looks.push(pool(mean, output), pool(reduceMax, output));
        context.tap?.(`image.block.${count}`, output);
        count++;
        x = output;
      });
    });
    x = relu6(batchNorm(trunk.bn2, conv(x, trunk.conv_head.weight), eps, `${path}.bn2`, context));
    context.tap?.("image.head", x);
    // What the trunk's own classifier reads stands first.
    const pooled = concat([pool(mean, x), ...looks], 1);
    context.tap?.("image.pooled", pooled);
    return head(headConfig, w.head, pooled, context);
  },
};

/** Kaiming's normal over the outputs of a kernel, as timm starts its EfficientNets. */
const convSpec = (inputs: number, outputs: number, kernel: number, groups = 1): Conv<Spec> => ({
  weight: normalSpec(
    Math.sqrt((2 * groups) / (kernel * kernel * outputs)),
    outputs,
    inputs / groups,
    kernel,
    kernel,
  ),
});

function blockSpec(inputs: number, { kernel, expand, channels }: Stage): Block<Spec> {
  const inner = inputs * expand;
  const depthwise = convSpec(inner, inner, kernel, inner);
  if (expand === 1)
    return {
      conv_dw: depthwise,
      bn1: batchNormSpec(inner),
      conv_pw: convSpec(inner, channels, 1),
      bn2: batchNormSpec(channels),
    };
  return {
    conv_pw: convSpec(inputs, inner, 1),
    bn1: batchNormSpec(inner),
    conv_dw: depthwise,
    bn2: batchNormSpec(inner),
    conv_pwl: convSpec(inner, channels, 1),
    bn3: batchNormSpec(channels),
  };
}

function block(w: Block<Value>, x: Value, stride: number, path: string, context: Context): Value {
  const normed = (bn: BatchNorm<Value>, name: string, y: Value) =>
    batchNorm(bn, y, eps, `${path}.${name}`, context);
  let y = x;
  if ("conv_pwl" in w) {
    y = relu6(normed(w.bn1, "bn1", conv(y, w.conv_pw.weight)));
    y = relu6(normed(w.bn2, "bn2", samePadded(y, w.conv_dw, stride)));
    y = normed(w.bn3, "bn3", conv(y, w.conv_pwl.weight));
  } else {
    y = relu6(normed(w.bn1, "bn1", samePadded(y, w.conv_dw, stride)));
    y = normed(w.bn2, "bn2", conv(y, w.conv_pw.weight));
  }
  return stride === 1 && x.shape[1] === y.shape[1] ? add(x, y) : y;
}

/** [batch, channels, height, width] → [batch, channels]. */
const pool = (reduce: (x: Value, axes: readonly number[]) => Value, x: Value): Value =>
  reshape(reduce(x, [2, 3]), [x.shape[0]!, x.shape[1]!]);

const relu6 = (x: Value): Value => clip(x, 0, 6);

/**
 * A convolution with TensorFlow's "SAME" padding: as many steps as fit into the side, the odd pixel of padding at
 * the right and below. Depthwise where the kernel has one channel.
 */
function samePadded(x: Value, { weight }: Conv<Value>, stride: number): Value {
  const [, channels, height, width] = x.shape as readonly number[];
  const kernel = weight.shape[2] as number;
  const padding = (side: number): [number, number] => {
    const total = Math.max((Math.ceil(side / stride) - 1) * stride + kernel - side, 0);
    return [Math.floor(total / 2), Math.ceil(total / 2)];
  };
  const [[top, bottom], [left, right]] = [padding(height!), padding(width!)];
  const groups = weight.shape[1] === 1 ? channels! : 1;
  return conv(x, weight, { stride, groups, pads: [top, left, bottom, right] });
}

import { add, conv, mean, relu, reshape, slice, type Value } from "../../graph/index.js";
import type { Context } from "../context.js";
import { attentionPool2d, attentionPool2dSpec, type AttentionPool2d } from "../layers/attention-pool-2d.js";
import { batchNorm, batchNormSpec, type BatchNorm } from "../layers/batch-norm.js";
import { uniformSpec, zerosSpec, type Spec } from "../spec.js";
import { patchGrid, type Tower } from "./tower.js";

/** OpenAI's ModifiedResNet: three convolutions first, average pools instead of strides, attention at the end. */
export interface ResNetConfig {
  readonly kind: "resnet";
  /** [height, width], px. */
  readonly imageSize: readonly [number, number];
  /** Bottlenecks in each of the four stages. */
  readonly layers: readonly number[];
  /** Channels after the stem; the last stage has 32 times as many. */
  readonly width: number;
  /** Of the attention pool. */
  readonly heads: number;
}

interface Conv<T> {
  readonly weight: T;
}

interface Bottleneck<T> {
  readonly conv1: Conv<T>;
  readonly bn1: BatchNorm<T>;
  readonly conv2: Conv<T>;
  readonly bn2: BatchNorm<T>;
  readonly conv3: Conv<T>;
  readonly bn3: BatchNorm<T>;
  readonly downsample?: { readonly 0: Conv<T>; readonly 1: BatchNorm<T> } | undefined;
}

export interface ResNetWeights<T> {
  readonly conv1: Conv<T>;
  readonly bn1: BatchNorm<T>;
  readonly conv2: Conv<T>;
  readonly bn2: BatchNorm<T>;
  readonly conv3: Conv<T>;
  readonly bn3: BatchNorm<T>;
  readonly layer1: readonly Bottleneck<T>[];
  readonly layer2: readonly Bottleneck<T>[];
  readonly layer3: readonly Bottleneck<T>[];
  readonly layer4: readonly Bottleneck<T>[];
  readonly attnpool: AttentionPool2d<T>;
}

const eps = 1e-5;
const expansion = 4;
const stages = ["layer1", "layer2", "layer3", "layer4"] as const;
/** The tower halves each side five times. */
const shrink = 32;

/** Source: openai/CLIP `ModifiedResNet`. */
export const resnet: Tower<ResNetConfig, ResNetWeights<Spec>, ResNetWeights<Value>> = {
  spec({ width, layers, imageSize }, embedDim) {
    const [rows, columns] = patchGrid(imageSize, shrink);
    const stage = (index: number): Bottleneck<Spec>[] => {
      const planes = width * 2 ** index;
      const before = index === 0 ? width : (planes / 2) * expansion;
      return Array.from({ length: layers[index] ?? 0 }, (_, i) =>
        bottleneckSpec(i === 0 ? before : planes * expansion, planes, i === 0 && index > 0),
      );
    };
    return {
      conv1: convSpec(3, width / 2, 3),
      bn1: batchNormSpec(width / 2),
      conv2: convSpec(width / 2, width / 2, 3),
      bn2: batchNormSpec(width / 2),
      conv3: convSpec(width / 2, width, 3),
      bn3: batchNormSpec(width),
      layer1: stage(0),
      layer2: stage(1),
      layer3: stage(2),
      layer4: stage(3),
      attnpool: attentionPool2dSpec(rows * columns, width * 32, embedDim),
    };
  },

  forward({ heads }, w, pixels, context) {
    const normed = (name: "bn1" | "bn2" | "bn3", x: Value) =>
      relu(batchNorm(w[name], x, eps, `visual.${name}`, context));
    let x = normed("bn1", conv(pixels, w.conv1.weight, { stride: 2, pads: [1, 1, 1, 1] }));
    x = normed("bn2", conv(x, w.conv2.weight, { pads: [1, 1, 1, 1] }));
    x = normed("bn3", conv(x, w.conv3.weight, { pads: [1, 1, 1, 1] }));
    x = averagePool(x, 2);
    context.tap?.("image.stem", x);
    stages.forEach((name, stage) => {
      w[name].forEach((weights, i) => {
        const stride = stage > 0 && i === 0 ? 2 : 1;
        const output = bottleneck(weights, x, stride, `visual.${name}.${i}`, context);
        context.block?.([x], output);
        x = output;
      });
      context.tap?.(`image.${name}`, x);
    });
    const pooled = attentionPool2d(w.attnpool, x, heads);
    context.tap?.("image.pooled", pooled);
    return pooled;
  },
};

const convSpec = (inputs: number, outputs: number, kernel: number): Conv<Spec> => ({
  weight: uniformSpec((inputs * kernel * kernel) ** -0.5, outputs, inputs, kernel, kernel),
});

function bottleneckSpec(inputs: number, planes: number, strided: boolean): Bottleneck<Spec> {
  const outputs = planes * expansion;
  return {
    conv1: convSpec(inputs, planes, 1),
    bn1: batchNormSpec(planes),
    conv2: convSpec(planes, planes, 3),
    bn2: batchNormSpec(planes),
    conv3: convSpec(planes, outputs, 1),
    // A new block passes its input on unchanged.
    bn3: batchNormSpec(outputs, zerosSpec(outputs)),
    downsample:
      strided || inputs !== outputs
        ? { 0: convSpec(inputs, outputs, 1), 1: batchNormSpec(outputs) }
        : undefined,
  };
}

function bottleneck(w: Bottleneck<Value>, x: Value, stride: number, path: string, context: Context): Value {
  const normed = (name: "bn1" | "bn2" | "bn3", y: Value) =>
    batchNorm(w[name], y, eps, `${path}.${name}`, context);
  let y = relu(normed("bn1", conv(x, w.conv1.weight)));
  y = relu(normed("bn2", conv(y, w.conv2.weight, { pads: [1, 1, 1, 1] })));
  y = normed("bn3", conv(averagePool(y, stride), w.conv3.weight));
  if (w.downsample === undefined) return relu(add(y, x));
  const short = conv(averagePool(x, stride), w.downsample[0].weight);
  return relu(add(y, batchNorm(w.downsample[1], short, eps, `${path}.downsample.1`, context)));
}

/** Means of squares of `side` places; a rest at the right and below is left out, as torch does. */
function averagePool(x: Value, side: number): Value {
  if (side === 1) return x;
  const [batch, channels, height, width] = x.shape as [number, number, number, number];
  const [rows, columns] = [Math.floor(height / side), Math.floor(width / side)];
  const whole = slice(slice(x, 2, 0, rows * side), 3, 0, columns * side);
  const squares = reshape(whole, [batch, channels, rows, side, columns, side]);
  return reshape(mean(squares, [3, 5]), [batch, channels, rows, columns]);
}

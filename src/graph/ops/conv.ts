import { CliptError, showShape, type Dim } from "../../tensor/index.js";
import { defineOp } from "../op.js";
import type { Value } from "../value.js";
import { concat, expand, reshape, slice, swap, transpose } from "./movement.js";
import { matmul } from "./matmul.js";
import { sum } from "./reduce.js";

/** Pads are [top, left, bottom, right], px, as in ONNX. */
export interface Conv {
  readonly stride: number;
  readonly pads: readonly [number, number, number, number];
  readonly groups: number;
  readonly dilation: number;
}

/** A side that is known only at run time must keep its length. */
function outputSide(
  side: Dim,
  before: number,
  after: number,
  kernel: number,
  { stride, dilation }: Conv,
): Dim {
  const overlap = dilation * (kernel - 1);
  if (stride === 1 && before + after === overlap) return side;
  if (typeof side === "string")
    throw new CliptError(
      "shape",
      `conv: a side of length ${side} needs stride 1 and padding to the same length.`,
    );
  return Math.floor((side + before + after - overlap - 1) / stride) + 1;
}

const convAttributes = ({ stride, pads, groups, dilation }: Conv) => ({
  strides: [stride, stride],
  pads,
  group: groups,
  dilations: [dilation, dilation],
});

const convOp = defineOp<Conv>({
  name: "conv",
  infer: ([x, w, bias], conv) => {
    const [batch, channels, height, width] = x!.shape;
    const [out, perGroup, kernelH, kernelW] = w!.shape as readonly number[];
    if (
      x!.shape.length !== 4 ||
      w!.shape.length !== 4 ||
      channels !== perGroup! * conv.groups ||
      out! % conv.groups !== 0
    )
      throw new CliptError(
        "shape",
        `conv: ${showShape(x!.shape)} does not fit weights ${showShape(w!.shape)} in ${conv.groups} groups.`,
      );
    if (bias !== undefined && (bias.shape.length !== 1 || bias.shape[0] !== out))
      throw new CliptError(
        "shape",
        `conv: a bias of shape ${showShape(bias.shape)} does not fit ${out} channels.`,
      );
    const [top, left, bottom, right] = conv.pads;
    return {
      dtype: x!.dtype,
      shape: [
        batch!,
        out!,
        outputSide(height!, top, bottom, kernelH!, conv),
        outputSide(width!, left, right, kernelW!, conv),
      ],
    };
  },
  onnx: (emit, inputs, { attrs }) => emit.node("Conv", inputs, convAttributes(attrs)),
  grad: ([g], { inputs: [x, w, bias], attrs }) => [
    inputGradient(g!, x!, w!, attrs),
    weightGradient(g!, x!, w!, attrs),
    ...(bias === undefined ? [] : [reshape(sum(g!, [0, 2, 3]), bias.shape)]),
  ],
});
/**
 * Convolution of [batch, channels, height, width] with [out, channels / groups, kernel, kernel]. ONNX Conv-11.
 */
export function conv(x: Value, w: Value, options: Partial<Conv> & { bias?: Value | undefined } = {}): Value {
  const { stride = 1, pads = [0, 0, 0, 0], groups = 1, dilation = 1, bias } = options;
  return convOp(bias === undefined ? [x, w] : [x, w, bias], { stride, pads, groups, dilation });
}

const isPointwise = (w: Value, { stride, pads, groups }: Conv): boolean =>
  w.shape[2] === 1 && w.shape[3] === 1 && stride === 1 && groups === 1 && pads.every((p) => p === 0);

/** [batch, channels, height, width] → [batch, channels, height · width]. */
const flat = (x: Value): Value => reshape(x, [x.shape[0]!, x.shape[1]!, -1]);

function inputGradient(g: Value, x: Value, w: Value, attrs: Conv): Value {
  if (isPointwise(w, attrs)) {
    const [out, channels] = w.shape;
    return reshape(matmul(swap(reshape(w, [out!, channels!])), flat(g)), x.shape);
  }
  return convTranspose([g, w], { ...attrs, height: x.shape[2] as number, width: x.shape[3] as number });
}

function weightGradient(g: Value, x: Value, w: Value, attrs: Conv): Value {
  const [batch] = x.shape;
  const [out, perGroup, kernelH, kernelW] = w.shape as readonly number[];
  const { stride, pads, groups, dilation } = attrs;
  if (isPointwise(w, attrs)) return reshape(sum(matmul(flat(g), swap(flat(x))), 0), w.shape);
  // The gradient slides over the input as a kernel of its own: stride and dilation change places.
  const slide = { stride: dilation, dilation: stride, pads };
  const crop = (value: Value) => slice(slice(value, 2, 0, kernelH!), 3, 0, kernelW!);
  if (perGroup === 1 && groups > 1) {
    const planes = (batch as number) * out!;
    const kernels = reshape(g, [planes, 1, g.shape[2]!, g.shape[3]!]);
    // A channel that several kernels see stands once for each of them.
    const [height, width] = [x.shape[2]!, x.shape[3]!];
    const seen = expand(reshape(x, [batch!, groups, 1, height, width]), [batch!, groups, out! / groups, height, width]); // prettier-ignore
    const image = reshape(seen, [1, planes, height, width]);
    const each = crop(conv(image, kernels, { ...slide, groups: planes }));
    return reshape(sum(reshape(each, [batch!, out!, 1, kernelH!, kernelW!]), 0), w.shape);
  }
  const parts = Array.from({ length: groups }, (_, i) => {
    const image = slice(x, 1, i * perGroup!, (i + 1) * perGroup!);
    const kernels = slice(g, 1, (i * out!) / groups, ((i + 1) * out!) / groups);
    return swapBatch(crop(conv(swapBatch(image), swapBatch(kernels), slide)));
  });
  return concat(parts, 0);
}

/** The first two axes exchanged. */
const swapBatch = (x: Value): Value => transpose(x, [1, 0, 2, 3]);

const convTranspose = defineOp<Conv & { height: number; width: number }>({
  name: "convTranspose",
  infer: ([g, w], { groups, height, width }) => ({
    dtype: g!.dtype,
    shape: [g!.shape[0]!, (w!.shape[1] as number) * groups, height, width],
  }),
  onnx: (emit, inputs, { attrs, inputs: [g, w] }) => {
    const [top, left, bottom, right] = attrs.pads;
    // Rows of the input that the stride passed over at the end get no gradient: `output_padding` restores them.
    const missing = (side: number, steps: number, kernel: number, before: number, after: number): number =>
      side - ((steps - 1) * attrs.stride - before - after + attrs.dilation * (kernel - 1) + 1);
    const sides = g!.shape as readonly number[];
    const kernel = w!.shape as readonly number[];
    return emit.node("ConvTranspose", inputs, {
      ...convAttributes(attrs),
      output_padding: [
        missing(attrs.height, sides[2]!, kernel[2]!, top, bottom),
        missing(attrs.width, sides[3]!, kernel[3]!, left, right),
      ],
    });
  },
  grad: ([gg], { inputs: [g, w], attrs }) => {
    const { stride, pads, groups, dilation } = attrs;
    return [conv(gg!, w!, { stride, pads, groups, dilation }), weightGradient(g!, gg!, w!, attrs)];
  },
});

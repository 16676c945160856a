import { CliptError } from "../../../tensor/index.js";
import { channelsOf, crop, type Box, type Picture, type WidePicture } from "../picture.js";
import { mulDiv255 } from "../convert.js";
import { coefficients, type Interpolation } from "./coefficients.js";
import { fastPasses } from "./kernel.js";
import { type Passes, type Plane } from "./plain.js";

export interface ResizeOptions {
  readonly interpolation: Interpolation;
  /** Only this part of the picture, as if it were cropped first; default: all of it. */
  readonly box?: Box | undefined;
  /**
   * Which axis comes first. Pillow 13 takes the vertical one where it saves much more ("pillow13", default);
   * older versions always the horizontal one ("horizontal"). It moves values by one level on tall pictures.
   */
  readonly order?: "pillow13" | "horizontal" | undefined;
  readonly passes?: Passes | undefined;
}

/** A long and narrow picture may grow without end where its shortest side is brought to a length. */
const mostPixels = 2 ** 28;

/**
 * Resizes as Pillow's `Image.resize` does, bit for bit, in the picture's own mode: antialiased, 22-bit fixed point,
 * two passes with 8-bit values in between; alpha premultiplied for LA and RGBA; nearest neighbour for "1" and "P";
 * 16-bit grey in double precision.
 *
 * @throws `input` when a side of the result is below 1
 */
export function resize(picture: Picture, width: number, height: number, options: ResizeOptions): Picture {
  if (!(width >= 1 && height >= 1))
    throw new CliptError(
      "input",
      `A picture of ${picture.width}×${picture.height} cannot become ${width}×${height}.`,
    );
  if (width * height > mostPixels)
    throw new CliptError(
      "input",
      `A picture of ${picture.width}×${picture.height} would become one of ${width}×${height}; ` +
        `at most ${mostPixels} pixels are made.`,
    );
  const box = options.box ?? { left: 0, top: 0, width: picture.width, height: picture.height };
  if (box.width === width && box.height === height) return crop(picture, box);
  const { interpolation } = options;
  if (interpolation === "nearest" || picture.mode === "1" || picture.mode === "P")
    return nearest(picture, width, height, box);
  if (picture.mode === "I;16") return resizeWide(crop(picture, box) as WidePicture, width, height, options);

  const passes = options.passes ?? fastPasses;
  const alpha = picture.mode === "LA" || picture.mode === "RGBA";
  const channels = channelsOf[picture.mode];
  const source: Plane = alpha
    ? plane(premultiplied(crop(picture, box).data as Uint8Array, channels), box.width, box.height, channels)
    : {
        data: picture.data,
        offset: (box.top * picture.width + box.left) * channels,
        stride: picture.width * channels,
        width: box.width,
        height: box.height,
        channels,
      };
  const steps = order(box, width, height, options.order).map((axis): ((from: Plane) => Plane) =>
    axis === "horizontal"
      ? (from) => passes.horizontal(from, coefficients(box.width, width, interpolation))
      : (from) => passes.vertical(from, coefficients(box.height, height, interpolation)),
  );
  const { data } = steps.reduce((from, step) => step(from), source);
  return { ...picture, width, height, data: alpha ? unpremultiplied(data, channels) : data };
}

const plane = (data: Uint8Array, width: number, height: number, channels: number): Plane => ({
  data,
  offset: 0,
  stride: width * channels,
  width,
  height,
  channels,
});

type Axis = "horizontal" | "vertical";

/** The passes that are needed, first one first. An axis that keeps its length is left alone. */
function order(
  from: { width: number; height: number },
  width: number,
  height: number,
  rule: ResizeOptions["order"] = "pillow13",
): Axis[] {
  const axes: Axis[] = [];
  if (width !== from.width) axes.push("horizontal");
  if (height !== from.height) axes.push("vertical");
  const verticalFirst = rule === "pillow13" && from.height - height > Math.max(0, 2 * (from.width - width));
  return verticalFirst ? axes.reverse() : axes;
}

/** @source Pillow `ImagingScaleAffine`: positions are added up, not multiplied */
function nearest(picture: Picture, width: number, height: number, box: Box): Picture {
  const channels = channelsOf[picture.mode];
  const columns = positions(box.width, width).map((x) => (box.left + x) * channels);
  const rows = positions(box.height, height).map((y) => (box.top + y) * picture.width * channels);
  const data =
    picture.mode === "I;16" ? new Uint16Array(width * height) : new Uint8Array(width * height * channels);
  let at = 0;
  for (const row of rows)
    for (const column of columns)
      for (let c = 0; c < channels; c++) data[at++] = picture.data[row + column + c] ?? 0;
  return { ...picture, width, height, data } as Picture;
}

function positions(from: number, to: number): Int32Array {
  const scale = from / to;
  const result = new Int32Array(to);
  let at = scale * 0.5;
  for (let i = 0; i < to; i++) {
    result[i] = Math.trunc(at);
    at += scale;
  }
  return result;
}

/** @source Pillow `_ImagingResample…_16bpc` */
function resizeWide(
  picture: WidePicture,
  width: number,
  height: number,
  options: ResizeOptions,
): WidePicture {
  const interpolation = options.interpolation as Exclude<Interpolation, "nearest">;
  let result = picture;
  for (const axis of order(picture, width, height, options.order)) {
    const across = axis === "horizontal";
    const weights = across
      ? coefficients(picture.width, width, interpolation)
      : coefficients(picture.height, height, interpolation);
    const next = {
      ...result,
      ...(across ? { width } : { height }),
      data: new Uint16Array(across ? width * result.height : result.width * height),
    };
    const step = across ? 1 : result.width;
    for (let y = 0; y < next.height; y++)
      for (let x = 0; x < next.width; x++) {
        const i = across ? x : y;
        const first = weights.start[i] ?? 0;
        const from = across ? y * result.width + first : first * result.width + x;
        let sum = 0;
        for (let k = 0; k < (weights.count[i] ?? 0); k++)
          sum += (result.data[from + k * step] ?? 0) * (weights.weights[i * weights.width + k] ?? 0);
        next.data[y * next.width + x] = Math.max(0, Math.min(65535, Math.trunc(sum + 0.5)));
      }
    result = next;
  }
  return result;
}

function premultiplied(data: Uint8Array, channels: number): Uint8Array {
  const result = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i += channels) {
    const alpha = data[i + channels - 1] ?? 0;
    for (let c = i; c < i + channels - 1; c++) result[c] = mulDiv255(data[c] ?? 0, alpha);
    result[i + channels - 1] = alpha;
  }
  return result;
}

function unpremultiplied(data: Uint8Array, channels: number): Uint8Array {
  for (let i = 0; i < data.length; i += channels) {
    const alpha = data[i + channels - 1] ?? 0;
    if (alpha === 0 || alpha === 255) continue;
    for (let c = i; c < i + channels - 1; c++)
      data[c] = Math.min(255, Math.trunc((255 * (data[c] ?? 0)) / alpha));
  }
  return data;
}

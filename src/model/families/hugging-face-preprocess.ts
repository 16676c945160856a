import { z } from "zod";
import { clipPreprocess, type PreprocessConfig } from "../../input/image/preprocess.js";
import { CliptError } from "../../tensor/index.js";
import type { ClipConfig } from "../config.js";
import { readFields, side } from "./fields.js";

const file = "preprocessor_config.json";

const edges = z.union(
  [
    side,
    z.tuple([side, side]).transform(([height, width]) => ({ height, width })),
    z.strictObject({ shortest_edge: side }),
    z.strictObject({ height: side, width: side }),
  ],
  { error: "a length, shortest_edge, or height and width are supported" },
);
type Edges = z.output<typeof edges>;
/** One number for all channels, or one for each. */
const channels = (number: z.ZodNumber) =>
  z.union([number.transform((value) => [value, value, value]), z.array(number).length(3)]).nullish();
const processor = z.object({
  image_processor_type: z.string().nullish(),
  do_resize: z.boolean().nullish(),
  size: edges.nullish(),
  resample: z.int().nullish(),
  do_center_crop: z.boolean().nullish(),
  crop_size: edges.nullish(),
  do_rescale: z.boolean().nullish(),
  rescale_factor: z.number().positive().nullish(),
  do_normalize: z.boolean().nullish(),
  image_mean: channels(z.number()),
  image_std: channels(z.number().positive()),
  do_pad: z.boolean().nullish(),
});

/** Pillow's numbers of its filters. */
const filters: Readonly<Record<number, PreprocessConfig["interpolation"]>> = {
  0: "nearest",
  2: "bilinear",
  3: "bicubic",
};

/**
 * transformers' `preprocessor_config.json` beside a CLIPModel or a SiglipModel. What the file leaves out is the default
 * of its class, at the model's own size.
 *
 * @param json undefined where the file is absent
 * @throws     `format` for wrong types, `unsupported` for steps that clipt does not have
 * @source     transformers 5.23 `PilBackend`: resize, centre crop, rescale, normalise, in this order
 */
export function parseHuggingFacePreprocess(json: unknown, { score, image }: ClipConfig): PreprocessConfig {
  const cfg = readFields(processor, json ?? {}, file);
  const { image_processor_type: type } = cfg;
  const isClip = type == null ? score === "softmax" : !type.startsWith("Siglip");
  const half = [0.5, 0.5, 0.5];
  const interpolation = filters[cfg.resample ?? 3];
  if (interpolation === undefined) throw refused(`resample ${cfg.resample}`);
  if (cfg.do_pad === true) throw refused("do_pad");
  const normalizes = cfg.do_normalize ?? true;
  const rescale = (cfg.do_rescale ?? true) ? (cfg.rescale_factor ?? 1 / 255) : 1;
  return {
    ...clipPreprocess,
    interpolation,
    mean: normalizes ? (cfg.image_mean ?? (isClip ? clipPreprocess.mean : half)) : [0, 0, 0],
    std: normalizes ? (cfg.image_std ?? (isClip ? clipPreprocess.std : half)) : [1, 1, 1],
    convert: "white",
    cropRounding: "floor",
    ...(isOne(rescale * 255) ? {} : { rescale }),
    ...fit(cfg, isClip, image.imageSize),
  };
}

type Sides = readonly [height: number, width: number];

function fit(
  cfg: z.output<typeof processor>,
  isClip: boolean,
  imageSize: Sides,
): Pick<PreprocessConfig, "size" | "resizeMode" | "scaleTo"> {
  const cuts = cfg.do_center_crop ?? isClip;
  const resizes = cfg.do_resize ?? true;
  if (!resizes && !cuts)
    throw refused("do_resize false without a crop, which leaves every picture at its own size,");
  const cut = cuts ? cutSize(cfg.crop_size, imageSize) : undefined;
  if (!resizes) return { size: plain(cut!), resizeMode: "shortest", scaleTo: "none" };
  const [height, width] = imageSize;
  const scaled = scaledSize(cfg.size ?? (isClip ? Math.min(height, width) : { height, width }));
  if (typeof scaled === "number") {
    if (cut !== undefined)
      return cut.every((length) => length === scaled)
        ? { size: scaled, resizeMode: "shortest" }
        : { size: plain(cut), resizeMode: "shortest", scaleTo: scaled };
    // A number without a crop: SigLIP's square.
    if (typeof cfg.size === "number") return { size: [scaled, scaled], resizeMode: "squash" };
    throw refused("shortest_edge without a crop, which leaves pictures of different sizes,");
  }
  // Height and width lose the proportions in transformers, whatever is cut out afterwards.
  return cut === undefined || cut.join() === scaled.join()
    ? { size: scaled, resizeMode: "squash" }
    : { size: plain(cut), resizeMode: "squash", scaleTo: scaled };
}

/** The length of the shortest side, or height and width. */
function scaledSize(value: Edges): number | Sides {
  if (typeof value === "number") return value;
  return "height" in value ? [value.height, value.width] : value.shortest_edge;
}

function cutSize(value: Edges | null | undefined, imageSize: Sides): Sides {
  const size = scaledSize(value ?? { height: imageSize[0], width: imageSize[1] });
  return typeof size === "number" ? [size, size] : size;
}

/** One number for a square. */
const plain = ([height, width]: Sides): number | Sides => (height === width ? height : [height, width]);

const isOne = (x: number): boolean => Math.abs(x - 1) < 1e-9;

const refused = (what: string) => new CliptError("unsupported", `${file}: ${what} is not supported.`);

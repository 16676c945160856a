import { z } from "zod";
import { clipPreprocess, type PreprocessConfig } from "../../input/image/preprocess.js";
import { CliptError } from "../../tensor/index.js";
import type { ClipConfig } from "../config.js";
import { count, readFields } from "./fields.js";

const file = "preprocessor_config.json";

const edges = z.union([count, z.object({ shortest_edge: count }), z.object({ height: count, width: count })]);
const channels = z.array(z.number()).length(3).nullish();
const processor = z.object({
  do_resize: z.literal(true).nullish(),
  size: edges.nullish(),
  resample: z.int().nullish(),
  do_center_crop: z.boolean().nullish(),
  crop_size: edges.nullish(),
  do_rescale: z.literal(true).nullish(),
  do_normalize: z.literal(true).nullish(),
  image_mean: channels,
  image_std: channels,
});

/** Pillow's numbers of its filters. */
const filters: Readonly<Record<number, PreprocessConfig["interpolation"]>> = {
  0: "nearest",
  2: "bilinear",
  3: "bicubic",
};

/**
 * transformers' `preprocessor_config.json` beside a CLIPModel or a SiglipModel.
 *
 * @param json undefined where the file is absent: the defaults of the model's family hold
 * @throws     `format` for wrong types, `unsupported` for steps that clipt does not have
 */
export function parseHuggingFacePreprocess(json: unknown, { score, image }: ClipConfig): PreprocessConfig {
  const cfg = readFields(processor, json ?? {}, file);
  const isClip = score === "softmax";
  const half = [0.5, 0.5, 0.5];
  const interpolation = filters[cfg.resample ?? 3];
  if (interpolation === undefined) throw refused(`resample ${cfg.resample}`);
  const common = {
    ...clipPreprocess,
    interpolation,
    mean: cfg.image_mean ?? (isClip ? clipPreprocess.mean : half),
    std: cfg.image_std ?? (isClip ? clipPreprocess.std : half),
    convert: "white",
    cropRounding: "floor",
  } as const;
  const crops = cfg.do_center_crop ?? isClip;
  const [height, width] = image.imageSize;
  const { size } = cfg;
  // Height and width lose the proportions in transformers, whatever is cut out afterwards.
  const sized = size != null && typeof size === "object" && "height" in size;
  if (crops && sized) {
    const [h, w] = cropOf(cfg.crop_size ?? size);
    if (h !== size.height || w !== size.width)
      throw refused("a crop of another size than the resized picture");
  }
  if (!crops || sized) {
    if (size != null && typeof size === "object" && !("height" in size))
      throw refused("shortest_edge without a crop");
    const [h, w] =
      size == null ? [height, width] : typeof size === "number" ? [size, size] : [size.height, size.width];
    return { ...common, size: [h, w], resizeMode: "squash" };
  }
  const short = edge(cfg.size ?? height);
  if (edge(cfg.crop_size ?? short) !== short) throw refused("a crop of another size than the resized edge");
  return { ...common, size: short, resizeMode: "shortest" };
}

function edge(value: z.output<typeof edges>): number {
  if (typeof value === "number") return value;
  if ("shortest_edge" in value) return value.shortest_edge;
  if (value.height === value.width) return value.height;
  throw refused(`${value.height}×${value.width} px with a crop`);
}

const cropOf = (value: z.output<typeof edges>): [height: number, width: number] =>
  typeof value === "object" && "height" in value ? [value.height, value.width] : [edge(value), edge(value)];

const refused = (what: string) => new CliptError("unsupported", `${file}: ${what} is not supported yet.`);

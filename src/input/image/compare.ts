import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { CliptError, messageOf, readError, type Tensor } from "../../tensor/index.js";
import { decodeImage } from "./decode.js";
import { sniff } from "./formats/sniff.js";
import { rgbPicture, type Picture } from "./picture.js";
import { recipeOf, type Result } from "./reference-key.js";

/** One reference tensor against what clipt makes of the same file. */
export interface PreprocessComparison {
  /** File in the folder. */
  readonly name: string;
  /** What was computed: `rgb`, `clip64`, `clip64/late`, `float_siglip64` … */
  readonly key: string;
  /** Pixels that differ; for float tensors those that differ by more than rounding. */
  readonly different: number;
  /** Largest difference of a sample, in levels of 255. */
  readonly maxLevels: number;
  /** Largest difference that passes: 0, but 2 through another decoder of a lossy format. */
  readonly allowed: number;
  readonly ok: boolean;
  /** Why there is nothing to compare. */
  readonly error?: string;
}

export interface PreprocessReport {
  readonly ok: boolean;
  readonly compared: number;
  readonly differentPixels: number;
  readonly files: readonly PreprocessComparison[];
}

/** float32 rounding of (x/255 − mean)/std, in levels: about 1e-6 of a normalised value. */
const roundingLevels = 1e-4;
const lossyLevels = 2;
const lossyMean = 0.5;

/**
 * Compares clipt's preprocessing with reference tensors named `FILE/KEY`, where FILE lies in the folder.
 * Keys: `rgb`; `clipN`, `clipN/late`, `clipN/transformers`; `squash_bicubicN`, `squash_bilinearN` (uint8 [H, W, 3]);
 * `float_clipN`, `float_siglipN`, `float_longestN` (float32 [3, H, W]). For a lossy file that another decoder read a
 * little differently, the resize is checked on the reference's own `rgb` where that is given.
 *
 * @throws `input` when no tensor is given
 */
export async function comparePreprocess(
  folder: string,
  goldens: ReadonlyMap<string, Tensor>,
): Promise<PreprocessReport> {
  if (goldens.size === 0) throw new CliptError("input", "The reference holds no tensors to compare with.");
  const keys = new Map<string, string[]>();
  for (const name of [...goldens.keys()].sort()) {
    const [file = "", ...rest] = name.split("/");
    keys.set(file, [...(keys.get(file) ?? []), rest.join("/")]);
  }
  const files: PreprocessComparison[] = [];
  for (const [name, its] of keys) {
    try {
      const bytes = await readPicture(join(folder, name));
      const picture = await decodeImage(bytes, { orient: false });
      const golden = (key: string) => goldens.get(`${name}/${key}`);
      for (const key of its) files.push({ name, key, ...compareKey(picture, key, golden, isLossy(bytes)) });
    } catch (error) {
      for (const key of its) files.push({ name, key, ...failed(messageOf(error)) });
    }
  }
  return {
    ok: files.every(({ ok }) => ok),
    compared: files.length,
    differentPixels: files.reduce((sum, { different }) => sum + different, 0),
    files,
  };
}

const readPicture = (path: string): Promise<Uint8Array> =>
  readFile(path).catch((cause: unknown) => {
    throw readError(path, cause);
  });

type Difference = Omit<PreprocessComparison, "name" | "key">;

const failed = (error: string): Difference => ({ different: 0, maxLevels: 0, allowed: 0, ok: false, error });

function compareKey(
  picture: Picture,
  key: string,
  golden: (key: string) => Tensor | undefined,
  lossy: boolean,
): Difference {
  const expected = golden(key);
  const make = recipeOf(key);
  if (expected === undefined || make === undefined)
    return failed(
      "Unknown kind of tensor; rgb, clipN, squash_bicubicN, squash_bilinearN, float_clipN … are known.",
    );
  const allowed = expected.dtype === "float32" ? roundingLevels : 0;
  const direct = difference(make(picture), expected);
  if (direct.maxLevels <= allowed || !lossy) return judged(direct, allowed);
  const rgb = golden("rgb");
  if (rgb?.dtype === "uint8" && key !== "rgb" && !convertsLate(picture, key)) {
    const [height = 0, width = 0] = rgb.shape;
    return judged(difference(make(rgbPicture(width, height, rgb.data as Uint8Array)), expected), allowed);
  }
  const { different, maxLevels, mean } = direct;
  return { different, maxLevels, allowed: lossyLevels, ok: maxLevels <= lossyLevels && mean < lossyMean };
}

/** The reference's RGB cannot stand for a picture that is resized in another mode. */
const convertsLate = (picture: Picture, key: string): boolean =>
  picture.mode !== "RGB" && (key.includes("/") || key.startsWith("float"));

const judged = ({ different, maxLevels }: Gap, allowed: number): Difference => ({
  different: maxLevels <= allowed ? 0 : different,
  maxLevels,
  allowed,
  ok: maxLevels <= allowed,
});

interface Gap {
  readonly different: number;
  readonly maxLevels: number;
  readonly mean: number;
}

function difference(result: Result, expected: Tensor): Gap {
  const { data } = result;
  if (String(result.shape) !== String(expected.shape)) {
    const [height = 0, width = 0] = expected.shape.length === 3 ? expected.shape : [];
    return { different: height * width, maxLevels: 255, mean: 255 };
  }
  const float = data instanceof Float32Array;
  const size = data.length / 3;
  let [different, maxLevels, sum] = [0, 0, 0];
  for (let i = 0; i < size; i++) {
    let largest = 0;
    for (let c = 0; c < 3; c++) {
      const at = float ? c * size + i : i * 3 + c;
      const levels =
        Math.abs((data[at] ?? 0) - Number(expected.data[at])) * (float ? 255 * (result.std[c] ?? 1) : 1);
      // Written so that a NaN counts as a difference.
      if (!(levels <= largest)) largest = Number.isNaN(levels) ? 255 : levels;
      sum += levels;
    }
    if (largest > (float ? roundingLevels : 0)) different++;
    maxLevels = Math.max(maxLevels, largest);
  }
  return { different, maxLevels, mean: sum / data.length };
}

/** Whether two correct decoders may read the file differently. */
function isLossy(bytes: Uint8Array): boolean {
  const format = sniff(bytes);
  if (format === "jpeg" || format === "avif") return true;
  return format === "webp" && Buffer.from(bytes).includes("VP8 ", 12);
}

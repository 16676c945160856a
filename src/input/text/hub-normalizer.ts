import { lowerByLetter } from "./clean/clean.js";
import { Charsmap } from "./charsmap.js";
import { libraryStep } from "./hub-library.js";
import { fromBase64 } from "./base64.js";

/** One step of the `normalizer` in a `tokenizer.json`. */
export interface NormalizerStep {
  readonly type: string;
  readonly normalizers?: readonly NormalizerStep[];
  readonly precompiled_charsmap?: string | null;
  readonly strip_left?: boolean;
  readonly strip_right?: boolean;
  readonly lowercase?: boolean;
  readonly strip_accents?: boolean | null;
  readonly clean_text?: boolean;
  readonly handle_chinese_chars?: boolean;
}

const graphemes = new Intl.Segmenter("und", { granularity: "grapheme" });
const encoder = new TextEncoder();

/**
 * Compiled rules as Hugging Face's Rust library applies them, which is not SentencePiece's way: a short grapheme is
 * replaced as a whole by the first rule that matches its beginning, else letter by letter.
 *
 * @source huggingface/spm_precompiled `Precompiled::normalize_string`
 */
function precompiled(blob: string): (text: string) => string {
  const rules = new Charsmap(fromBase64(blob));
  const replace = (part: string, bytes = encoder.encode(part)): string | undefined => {
    let shortest: number | undefined;
    rules.match(bytes, 0, (_, value) => (shortest ??= value));
    return shortest === undefined ? undefined : rules.replacement(shortest);
  };
  const replaceGrapheme = (grapheme: string): string => {
    const bytes = encoder.encode(grapheme);
    const whole = bytes.length < 6 ? replace(grapheme, bytes) : undefined;
    return whole ?? Array.from(grapheme, (char) => replace(char) ?? char).join("");
  };
  return (text) => Array.from(graphemes.segment(text), ({ segment }) => replaceGrapheme(segment)).join("");
}

/** BERT's cleaning. Accents are all marks without a width, in every script; the library knows the Latin ones only. */
function bert(step: NormalizerStep): (text: string) => string {
  const { lowercase = false, strip_accents: strips } = step;
  const rest: NormalizerStep = { ...step, lowercase: false, strip_accents: false };
  const strip = (text: string) => text.normalize("NFD").replaceAll(/\p{Mn}/gu, "");
  const steps = [
    libraryStep(rest),
    ...((strips ?? lowercase) ? [strip] : []),
    ...(lowercase ? [lowerByLetter] : []),
  ];
  return (text) => steps.reduce((result, apply) => apply(result), text);
}

const start = /^\p{White_Space}+/u;
const end = /\p{White_Space}+$/u;

/**
 * The normaliser that a `tokenizer.json` describes. Steps in which the JavaScript library departs from the Rust one,
 * by which models are trained, are written anew: compiled rules, lower case (letter by letter, so without the final
 * sigma), BERT's accents and trimming (Unicode's white space). The rest is the library's.
 */
export function hubNormalizer(step: NormalizerStep): (text: string) => string {
  switch (step.type) {
    case "Sequence": {
      const steps = (step.normalizers ?? []).map(hubNormalizer);
      return (text) => steps.reduce((result, apply) => apply(result), text);
    }
    case "Lowercase":
      return lowerByLetter;
    case "Precompiled":
      return step.precompiled_charsmap ? precompiled(step.precompiled_charsmap) : (text) => text;
    case "Strip":
      return (text) => {
        const left = step.strip_left === true ? text.replace(start, "") : text;
        return step.strip_right === true ? left.replace(end, "") : left;
      };
    case "BertNormalizer":
      return bert(step);
    default:
      return libraryStep(step);
  }
}

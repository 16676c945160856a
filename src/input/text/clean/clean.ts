import { fixText } from "./fix-text.js";
import { htmlUnescape } from "./html-unescape.js";
import { singleSpaces, strip, whitespaceClean } from "./whitespace.js";

const basic = (text: string): string => strip(htmlUnescape(htmlUnescape(fixText(text))));

// Python's string.punctuation.
const punctuation = /[!-/:-@[-`{-~]/g;

/** Lower case letter by letter, as Rust does it: without Greek's final sigma. */
export const lowerByLetter = (text: string): string => text.replaceAll("Σ", "σ").toLowerCase();

/**
 * What happens to a text before it is cut into tokens, by name. Published models were trained with one of these,
 * and give other vectors with another.
 */
export const cleanings = {
  /** openai/CLIP `clip.tokenize`: mend, unescape twice, single spaces, lower case. */
  clip: (text) => whitespaceClean(basic(text)).toLowerCase(),
  /** OpenCLIP `clean="lower"`, its default. */
  lower: (text) => singleSpaces(basic(text)).toLowerCase(),
  /** OpenCLIP `clean="whitespace"`. */
  whitespace: (text) => singleSpaces(basic(text)),
  /** OpenCLIP `clean="canonicalize"`, SigLIP: an underscore parts words, other ASCII punctuation goes. */
  canonicalize: (text) =>
    singleSpaces(basic(text).replaceAll("_", " ").replace(punctuation, "").toLowerCase()),
  /** transformers `CLIPTokenizer`: nothing is mended; lower case letter by letter, so without the final sigma. */
  "clip-transformers": (text) => lowerByLetter(text.normalize("NFC").replace(/\p{White_Space}+/gu, " ")),
  /** transformers `SiglipTokenizer`: nothing is mended, and the underscore goes like the rest. */
  "siglip-transformers": (text) => singleSpaces(text.toLowerCase().replace(punctuation, "")),
  /** The tokenizer's own normaliser does all. */
  none: (text) => text,
} satisfies Record<string, (text: string) => string>;

export type Cleaning = keyof typeof cleanings;

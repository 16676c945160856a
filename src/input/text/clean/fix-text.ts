import { unescapeClearEntities } from "./html-unescape.js";
import { c1AsWindows1252, repairEncoding } from "./mojibake.js";

/** One letter that stands for several: typographic ligatures and digraphs of old encodings. */
const ligatures: Readonly<Record<string, string>> = {
  Ĳ: "IJ",
  ĳ: "ij",
  ŉ: "ʼn",
  Ǳ: "DZ",
  ǲ: "Dz",
  ǳ: "dz",
  Ǆ: "DŽ",
  ǅ: "Dž",
  ǆ: "dž",
  Ǉ: "LJ",
  ǈ: "Lj",
  ǉ: "lj",
  Ǌ: "NJ",
  ǋ: "Nj",
  ǌ: "nj",
  ﬀ: "ff",
  ﬁ: "fi",
  ﬂ: "fl",
  ﬃ: "ffi",
  ﬄ: "ffl",
  ﬅ: "ſt",
  ﬆ: "st",
};
const ligature = new RegExp(`[${Object.keys(ligatures).join("")}]`, "gu");

// C0 without the white space, DEL, deprecated formatting, annotation and object marks, the byte order mark.

const unwanted = /[\0-\x08\x0b\x0e-\x1f\x7f\u206a-\u206f\ufeff\ufff9-\ufffc]/g;

function fixSegment(text: string, unescape: boolean): string {
  for (;;) {
    const fixed = c1AsWindows1252(repairEncoding(unescape ? unescapeClearEntities(text) : text))
      .replace(ligature, (char) => ligatures[char] ?? char)
      .replace(/[\u3000\uff01-\uffef]/g, (char) => (char === "\u3000" ? " " : char.normalize("NFKC")))
      .replace(/[\u201c-\u201f]/g, '"')
      .replace(/[\u02bc\u2018-\u201b]/g, "'")
      .replace(/\r\n?|[\u2028\u2029\x85]/g, "\n")
      .replace(/[\ud800-\udfff]/gu, "\ufffd")

      .replace(/\x1b\[[\p{Nd};]*[a-zA-Z]/gu, "")
      .replace(unwanted, "")
      .normalize("NFC");
    if (fixed === text) return text;
    text = fixed;
  }
}

const plain = /^[\t\n\f\x20-\x25\x27-\x7e]*$/;
const longestSegment = 1_000_000;

/**
 * Mends what programs break in text: mojibake, HTML entities, typographic quotes, ligatures, widths, line breaks,
 * control characters, terminal escapes, lone surrogates; then NFC. Works line by line; entities are replaced until
 * the first line that holds "<", since from there on the text may be HTML on purpose.
 *
 * @source ftfy 6.3 `fix_text` with its defaults (Robyn Speer, Apache-2.0), written anew
 */
export function fixText(text: string): string {
  if (plain.test(text)) return text;
  let result = "";
  let unescape = true;
  for (let at = 0; at < text.length;) {
    const lineEnd = text.indexOf("\n", at) + 1 || text.length;
    const end = Math.min(lineEnd, at + longestSegment);
    const segment = text.slice(at, end);
    unescape &&= !segment.includes("<");
    result += fixSegment(segment, unescape);
    at = end;
  }
  return result;
}

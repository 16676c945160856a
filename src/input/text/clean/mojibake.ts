import {
  latinLike,
  legacyEncodings,
  macroman,
  toLegacy,
  windows1252,
  type LegacyEncoding,
} from "./legacy-encodings.js";
import { pythonSpace } from "./whitespace.js";

// Mojibake is text whose UTF-8 bytes somebody read in a one-byte encoding: "é" that became "Ã©".
// Rules and character groups are those of ftfy 6.3 (Robyn Speer, Apache-2.0), written anew.

/** The characters that occur in mojibake, by what they are in honest text; some written as ranges of a class. */
const common = "\xa0\xad·´–—―…’";
const c1 = "\x80-\x9f";
const bad = "¦¤¨¬¯¸ƒˆˇ˘˛˜†‡‰⌐◊\ufffdªº";
const law = "¶§";
const currency = "¢£¥₧€";
const opening = "¡«¿©΄΅‘‚“„•‹\uf8ff";
const closing = "®»˝”›™";
const numeric = "²³¹±¼½¾×µ÷⁄∂∆∏∑√∞∩∫≈≠≡≤≥№";
const faces = "Ò-ÖÙ-Üò-öø-üŐŌŪŲ°"; // letters that are the eyes of kaomoji
const upperAccented = "À-ÑØÜÝĂĀĄĆČĎĐĘĚĒĖĞĢİĪĶĹĽŁĻŃŇŅŒŘŚŞŠŢŤŮŰŸŹŻŽҐ";
const lowerAccented = "ßà-ñăąāćčďđęěēėğģįīķĺľłļœŕśşšťüźżžґﬁﬂ";
const upperCommon = "ÞΑ-ΩΆΈΉΊΌΎΏΪΫЁ-Я";
const lowerCommon = "α-ωάέήίΰа-џ";
const box = "│┌┐┘├┤┬┼═-╬▀▄█▌▐░▒▓";

/** Neighbours that honest text hardly ever has. */
const unlikely = new RegExp(
  [
    `[${c1}]`,
    `[${bad}${lowerAccented}${upperAccented}${box}${opening}${closing}${currency}${numeric}${law}][${bad}]`,
    `[a-zA-Z][${lowerCommon}${upperCommon}][${bad}]`,
    `[${bad}][${lowerAccented}${upperAccented}${box}${opening}${closing}${currency}${numeric}${law}]`,
    `[${lowerAccented}${lowerCommon}${box}${closing}${currency}${numeric}][${upperAccented}]`,
    `[${box}${closing}${currency}${numeric}][${lowerAccented}]`,
    `[${lowerAccented}${box}${closing}][${currency}]`,
    `[${pythonSpace}][${upperAccented}][${currency}]`,
    `[${upperAccented}${box}][${numeric}${law}]`,
    `[${lowerAccented}${upperAccented}${box}${currency}${closing}][${opening}][${numeric}]`,
    `[${lowerAccented}${upperAccented}${currency}${numeric}${box}${law}][${closing}][${opening}]`,
    `[${currency}${numeric}${box}][${opening}]`,
    `[a-z][${upperAccented}][${opening}${currency}]`,
    `[${box}][${faces}]`,
    `[${lowerAccented}${upperAccented}${currency}${numeric}${opening}${closing}${law}][${box}]`,
    `[${box}][${closing}]`,
    `[${lowerAccented}${upperAccented}][${opening}${closing}][\\p{L}\\p{N}_]`,
    `[Œœ][^A-Za-z]`,
    `[${upperAccented}]°`,
    `[ÂÃÎÐ][€œŠš¢£Ÿž\xa0\xad®©°·»${opening}${closing}–—´]`,
    `×[²³]`,
    `(?:[ØÙ][${common}${currency}${bad}${numeric}${opening}ŸŠ®°µ»]){2}`, // Arabic
    `à[²µ¹¼½¾]`, // South Asian alphabets
    `√[±∂†≠®™´≤≥¥µø]|≈[°¢]|‚Ä[ìîïòôúùû†°¢π]|‚[âó][àä°ê]`, // Mac Roman
    `вЂ|[ВГРС][${c1}${bad}${opening}${closing}${currency}°µ][ВГРС]|ГўВЂВ.[A-Za-z ]`, // Windows-1251
    `Ã[\xa0¡]|[a-z][${pythonSpace}]?[ÃÂ][ ]|^[ÃÂ][ ]`,
    `[a-z.,?!${closing}]Â[ ${opening}${closing}]`,
    `β€[™\xa0Ά\xad®°]|[ΒΓΞΟ][${c1}${bad}${opening}${closing}${currency}°][ΒΓΞΟ]`, // Windows-1253
    `ā€`, // Windows-1257
  ].join("|"),
  "u",
);

/** What bytes `from`…`to` can look like after having been read in a Latin-like encoding. */
const looksOf = (from: number, to: number): string =>
  [...new Set(latinLike.flatMap(({ chars }) => chars.slice(from, to + 1)))].join("");

// Dashes, quotes, the bullet and the ellipsis often stand beside mojibake without belonging to it.
const following = looksOf(0x80, 0xbf);
const strictlyFollowing = following.replace(/[–—―‘’‚“”„•…]/gu, "");
const utf8Lookalike = new RegExp(
  `(?<![${strictlyFollowing}])(?:[${looksOf(0xc2, 0xdf)}][${following} ]` +
    `|[${looksOf(0xe0, 0xef)}][${following} ]{2}` +
    `|[${looksOf(0xf0, 0xf0)}${looksOf(0xf3, 0xf3)}][${following} ]{3})+`,
  "gu",
);

// Below, a string of characters under 256 stands for bytes, so that expressions work on them.

// A no-break space (byte A0) within UTF-8 that some program turned into a plain space.
const spaceForA0 =
  /[\xc2\xc3\xc5\xce\xd0\xd9] |[\xe2\xe3] [\x80-\x84\x86-\x9f\xa1-\xbf]|[\xe0-\xe3][\x80-\x84\x86-\x9f\xa1-\xbf] |\xf0 [\x80-\xbf][\x80-\xbf]|\xf0[\x80-\xbf] [\x80-\xbf]|\xf0[\x80-\xbf][\x80-\xbf] /g;
// "Ã la" was "à la": the word keeps its own space. Portuguese contractions ("às", "àquele") are the exception.
const aGraveWord = /\xc3 (?! |quele|quela|quilo|s )/g;
const restoreA0 = (bytes: string): string =>
  bytes.replace(aGraveWord, "\xc3\xa0 ").replace(spaceForA0, (match) => match.replaceAll(" ", "\xa0"));

// UTF-8 of which a byte was lost (0x1A, or a question mark) becomes the replacement character as a whole.
const lostByte =
  /[\xc2-\xdf]\x1a|[\xc2-\xc3]\?|\xed[\xa0-\xaf][\x1a?]\xed[\xb0-\xbf][\x1a?\x80-\xbf]|\xed[\xa0-\xaf][\x1a?\x80-\xbf]\xed[\xb0-\xbf][\x1a?]|[\xe0-\xef][\x1a?][\x1a\x80-\xbf]|[\xe0-\xef][\x1a\x80-\xbf][\x1a?]|[\xf0-\xf4][\x1a?][\x1a\x80-\xbf][\x1a\x80-\xbf]|[\xf0-\xf4][\x1a\x80-\xbf][\x1a?][\x1a\x80-\xbf]|[\xf0-\xf4][\x1a\x80-\xbf][\x1a\x80-\xbf][\x1a?]|\x1a/g;
const replaceLost = (bytes: string): string => bytes.replace(lostByte, "\xef\xbf\xbd");

const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function decodeUtf8(bytes: string): string | undefined {
  try {
    return strictUtf8.decode(Uint8Array.from(bytes, (char) => char.charCodeAt(0)));
  } catch {
    return undefined;
  }
}

// Java's two-byte zero, and CESU-8: a surrogate pair written as two three-byte sequences. ftfy's expressions end in Python's
// `$`, which also matches before a last line break, so there an incomplete sequence swallows the break; kept as it is.
const utf8Variant = /\xc0(?:\x80|\n$)|\xed([\xa0-\xaf])([\x80-\xbf])\xed([\xb0-\xbf])([\x80-\xbf]|\n$)/g;

/** UTF-8 that may hold those two; undefined where the rest is not UTF-8. */
function decodeUtf8Variants(bytes: string): string | undefined {
  let result = "";
  let at = 0;
  for (const match of bytes.matchAll(utf8Variant)) {
    const before = decodeUtf8(bytes.slice(at, match.index));
    if (before === undefined) return undefined;
    const [high = 0, mid = 0, low = 0, last = 0] = match.slice(1).map((part) => part?.charCodeAt(0));
    const pair = 0x10000 + ((high & 15) << 16) + ((mid & 63) << 10) + ((low & 15) << 6) + (last & 63);
    result += before + (match[0].startsWith("\xc0") ? "\0" : String.fromCodePoint(pair));
    at = match.index + match[0].length;
  }
  const rest = decodeUtf8(bytes.slice(at));
  return rest === undefined ? undefined : result + rest;
}

/** The text read again as UTF-8 through one encoding, or undefined where that does not work. */
function reread(text: string, encoding: LegacyEncoding): string | undefined {
  let bytes = toLegacy(text, encoding);
  if (bytes === undefined) return undefined;
  // In Mac Roman a dash and a space look like that damage.
  if (encoding !== macroman) bytes = restoreA0(bytes);
  if (encoding.lossy) bytes = replaceLost(bytes);
  return /[\xc0\xed]/.test(bytes) ? decodeUtf8Variants(bytes) : decodeUtf8(bytes);
}

/** Mojibake in the midst of other text: only the stretches that look like UTF-8 are repaired. */
const repairStretches = (text: string): string =>
  text.replace(utf8Lookalike, (stretch) =>
    stretch.length < text.length && unlikely.test(stretch) ? repairEncoding(stretch) : stretch,
  );

/** C1 control characters as what browsers show for them, Windows-1252. */
export const c1AsWindows1252 = (text: string): string =>
  text.replace(/[\x80-\x9f]/g, (char) => windows1252.chars[char.charCodeAt(0)] ?? char);

function repairOnce(text: string): string {
  if (/^[\0-\x7f]*$/.test(text) || !unlikely.test(text)) return text;
  for (const encoding of legacyEncodings) {
    const repaired = reread(text, encoding);
    if (repaired !== undefined) return repaired;
  }
  const stretches = repairStretches(text);
  if (stretches !== text) return stretches;
  return c1AsWindows1252(text);
}

/**
 * Undoes mojibake, once or several times over ("Ã©" → "é"). Text that does not look damaged stays as it is.
 *
 * @source ftfy 6.3 `fix_encoding`
 */
export function repairEncoding(text: string): string {
  for (let before = text; ; before = text) {
    text = repairOnce(before);
    if (text === before) return text;
  }
}

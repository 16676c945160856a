import { htmlEntities } from "./html-entities.js";
import { windows1252 } from "./legacy-encodings.js";

const reference = /&(#[0-9]+;?|#[xX][0-9a-fA-F]+;?|[^\t\n\f <&#;]{1,32};?)/gu;

/** The character of a numeric reference by HTML's rules: Windows-1252 for C1, nothing for what may not occur. */
function character(point: number): string {
  if (point === 0 || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return "\ufffd";
  if (point >= 0x80 && point <= 0x9f) return windows1252.chars[point] ?? "";
  const control = point < 0x20 && point !== 0x09 && point !== 0x0a && point !== 0x0c && point !== 0x0d;
  const never = point === 0x7f || (point >= 0xfdd0 && point <= 0xfdef) || (point & 0xfffe) === 0xfffe;
  return control || never ? "" : String.fromCodePoint(point);
}

function named(name: string): string {
  const whole = htmlEntities.get(name);
  if (whole !== undefined) return whole;
  for (let length = name.length - 1; length > 1; length--) {
    const start = htmlEntities.get(name.slice(0, length));
    if (start !== undefined) return start + name.slice(length);
  }
  return `&${name}`;
}

/**
 * Replaces HTML's character references, with and without semicolon, as Python's `html.unescape` does.
 *
 * @source WHATWG HTML, "Named character references" and "Numeric character reference end state"
 */
export function htmlUnescape(text: string): string {
  if (!text.includes("&")) return text;
  return text.replace(reference, (_, body: string) => {
    if (!body.startsWith("#")) return named(body);
    const digits = body.slice(1).replace(";", "");
    return character(/^[xX]/.test(digits) ? parseInt(digits.slice(1), 16) : parseInt(digits, 10));
  });
}

/**
 * Replaces only references that nobody writes by accident: those closed by a semicolon; also names that somebody's
 * program put into capitals ("&EACUTE;" → "É"), where HTML has no such name itself.
 *
 * @source ftfy `unescape_html`
 */
export function unescapeClearEntities(text: string): string {
  if (!text.includes("&")) return text;
  return text.replace(/&(#?[0-9A-Za-z]{1,24};)/g, (whole, name: string) => {
    if (name.startsWith("#")) {
      const plain = htmlUnescape(whole);
      return plain.includes(";") ? whole : plain;
    }
    const exact = htmlEntities.get(name);
    if (exact !== undefined) return exact;
    const lower = name === name.toUpperCase() ? htmlEntities.get(name.toLowerCase()) : undefined;
    return lower !== undefined && htmlUnescape(whole) === whole ? lower.toUpperCase() : whole;
  });
}

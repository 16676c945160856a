import type { QueryPart } from "./query-part.js";
import { withoutPhrase } from "./without-phrase.js";

/**
 * A quoted part stands at the beginning or after a sign, and is skipped as a whole. A sign stands after a space, and before
 * another one, a quote or a letter: the hyphens of "t-shirt" and "-5" are none.
 */
const quotedOrSign =
  /(?=")(?<=(?:^|(?<=^|\s)[+\-−])\s*(?:item:)?)"(?:[^"\\]|\\.)*"(?=\s|$|\^)|(?<=^|\s)(?<sign>[+\-−])(?=\s|$|"|\p{L})/gsu;
const quoted = /^(item:)?"((?:[^"\\]|\\.)*)"(?:\^(\d+(?:\.\d+)?(?:e[+-]?\d+)?))?$/su;
const plainItem = /^item:(\S+)$/u;

/**
 * The parts of a query as people type it:
 *
 *     query  = [sign] part (sign part)*
 *     sign   = "+" | "-"          with a space before it, and after it a space, a quote or a letter
 *     part   = QUOTED [^WEIGHT] | item:QUOTED [^WEIGHT] | item:ID | words
 *     QUOTED = '"' … '"'          where \" is a quote and \\ a backslash
 *
 * Words may say "A without B" in English, Russian, German, French or Chinese: see `withoutPhrase`. Quotes keep them together.
 * Every text that is not blank has a part: what follows no rule is looked for as it is.
 *
 * @param namesPicture whether a part is a picture's path. Nothing is by default: whoever lets people on other machines name
 *                     files must not look for them here.
 */
export function parseQuery(text: string, namesPicture: (part: string) => boolean = () => false): QueryPart[] {
  const parts = signed(text).flatMap(({ weight, operand }) => read(operand, weight, namesPicture));
  if (parts.length > 0 || text.trim() === "") return parts;
  return [{ text: text.trim(), weight: 1 }];
}

/** The query as `parseQuery` reads it. Pictures that are no paths have no form of their own. */
export function printQuery(parts: readonly QueryPart[]): string {
  return parts
    .map(({ text, picture, item, weight }, i) => {
      const [kind, name] = item === undefined ? ["", text ?? picture] : ["item:", item];
      const word = `"${typeof name === "string" ? name.replaceAll(/["\\]/g, "\\$&") : "a picture"}"`;
      const size = Math.abs(weight) === 1 ? "" : `^${Math.abs(weight)}`;
      return `${weight < 0 ? "- " : i === 0 ? "" : "+ "}${kind}${word}${size}`;
    })
    .join(" ");
}

/** What stands between signs, with the last sign before it. */
function signed(text: string): { weight: 1 | -1; operand: string }[] {
  const found: { weight: 1 | -1; operand: string }[] = [];
  let [from, weight]: [number, 1 | -1] = [0, 1];
  const take = (end: number): void => {
    const operand = text.slice(from, end).trim();
    if (operand !== "") found.push({ weight, operand });
  };
  for (const { index, groups } of text.matchAll(quotedOrSign)) {
    const mark = groups?.["sign"];
    if (mark === undefined) continue;
    take(index);
    [from, weight] = [index + 1, mark === "+" ? 1 : -1];
  }
  take(text.length);
  return found;
}

function read(operand: string, sign: 1 | -1, namesPicture: (part: string) => boolean): QueryPart[] {
  const [, item, name, size] = quoted.exec(operand) ?? [];
  const weight = sign * Number(size ?? 1);
  if (name !== undefined && weight !== 0 && Number.isFinite(weight)) {
    const word = name.replaceAll(/\\(["\\])/g, "$1");
    if (word.trim() === "") return [];
    if (item !== undefined) return [{ item: word, weight }];
    return [namesPicture(word) ? { picture: word, weight } : { text: word, weight }];
  }
  const id = plainItem.exec(operand)?.[1];
  if (id !== undefined) return [{ item: id, weight: sign }];
  if (namesPicture(operand)) return [{ picture: operand, weight: sign }];
  if (sign < 0) return [{ text: operand, weight: sign }];
  const { wanted, unwanted } = withoutPhrase(operand);
  return [
    ...(wanted === "" ? [] : [{ text: wanted, weight: 1 }]),
    ...unwanted.map((text) => ({ text, weight: -1 })),
  ];
}

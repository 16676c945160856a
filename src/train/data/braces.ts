import { CliptError } from "../../tensor/index.js";

/** More paths than this are a typing error. */
const LIMIT = 1_000_000;

/**
 * Brace ranges and lists as the shell and WebDataset expand them: `{000..012}` keeps leading zeros, `{a,b}` lists
 * alternatives, braces nest. Text without braces is returned as it is.
 *
 * @throws `usage` when the ranges name more than a million paths
 * @source webdataset's `braceexpand`
 */
export function expandBraces(text: string): string[] {
  const braces = firstBraces(text);
  if (braces === undefined) return [text];
  const { before, choices, after } = braces;
  const ends = expandBraces(after);
  const middles = choices.flatMap(expandBraces);
  if (middles.length * ends.length > LIMIT) throw tooMany(text);
  return middles.flatMap((middle) => ends.map((end) => before + middle + end));
}

interface Braces {
  readonly before: string;
  readonly choices: readonly string[];
  readonly after: string;
}

/** The first outermost pair of braces that holds a range or a list; others are ordinary characters. */
function firstBraces(text: string): Braces | undefined {
  for (let open = text.indexOf("{"); open >= 0; open = text.indexOf("{", open + 1)) {
    const choices = [""];
    let depth = 0;
    for (let i = open + 1; i < text.length; i++) {
      const character = text[i] ?? "";
      if (character === "}" && depth === 0) {
        const range = /^(\d+)\.\.(\d+)$/.exec(choices.join(","));
        const found = range === null ? choices : numbers(range[1] ?? "", range[2] ?? "");
        if (range === null && choices.length < 2) break;
        return { before: text.slice(0, open), choices: found, after: text.slice(i + 1) };
      }
      if (character === "{") depth++;
      if (character === "}") depth--;
      if (character === "," && depth === 0) choices.push("");
      else choices.push((choices.pop() ?? "") + character);
    }
  }
  return undefined;
}

function numbers(from: string, to: string): string[] {
  const first = Number(from);
  const last = Number(to);
  const length = Math.abs(last - first) + 1;
  if (length > LIMIT) throw tooMany(`{${from}..${to}}`);
  const padded = /^0\d/.test(from) || /^0\d/.test(to);
  const width = padded ? Math.max(from.length, to.length) : 0;
  const step = first <= last ? 1 : -1;
  return Array.from({ length }, (_, i) => String(first + step * i).padStart(width, "0"));
}

const tooMany = (text: string): CliptError =>
  new CliptError("usage", `"${text}" names more than ${LIMIT} paths.`);

import { CliptError, messageOf } from "./error.js";

/** Deeper than any file that is read here. What walks through one, recurses. */
const deepest = 100;
/** More values than any file that is read here: two bytes of a hostile one can become a list of dozens. */
const most = 8_000_000;

/**
 * A JSON text.
 *
 * @param what what it is called in messages
 * @throws     `format` when it is none, or nested without end
 */
export function parseJson(text: string, what: string): unknown {
  const { depth, values } = outline(text);
  if (depth > deepest)
    throw new CliptError("format", `${what} cannot be read as JSON: it is nested more than ${deepest} deep.`);
  if (values > most)
    throw new CliptError("format", `${what} cannot be read as JSON: it holds more than ${most} values.`);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CliptError("format", `${what} cannot be read as JSON: ${messageOf(cause)}.`, { cause });
  }
}

/** Brackets that are open at once, and about how many values there are; nothing is made of the text yet. */
export function outline(text: string): { depth: number; values: number } {
  let [depth, deepest, values] = [0, 0, 1];
  for (let i = 0; i < text.length; i++)
    switch (text.charCodeAt(i)) {
      case 0x22: // a text: to its end
        for (i++; i < text.length && text.charCodeAt(i) !== 0x22; i++) if (text.charCodeAt(i) === 0x5c) i++;
        break;
      case 0x5b:
      case 0x7b:
        deepest = Math.max(deepest, ++depth);
        values++;
        break;
      case 0x2c:
        values++;
        break;
      case 0x5d:
      case 0x7d:
        depth--;
    }
  return { depth: deepest, values };
}

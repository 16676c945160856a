// Three notions of white space meet here. Unicode's White_Space is what Python's `regex` calls \s. Python's `str.split`,
// `str.strip` and `re` add the separators U+001C–U+001F. JavaScript's \s instead takes in U+FEFF and leaves out U+0085.

/** White space as Python's `str.isspace` has it, for use inside a character class of a `u` expression. */
export const pythonSpace = "\\p{White_Space}\\x1c-\\x1f";

const ends = new RegExp(`^[${pythonSpace}]+|[${pythonSpace}]+$`, "gu");
const runs = new RegExp(`[${pythonSpace}]+`, "gu");

/** Python's `text.strip()`. */
export const strip = (text: string): string => text.replace(ends, "");

/** Python's `" ".join(text.split())`. */
export const singleSpaces = (text: string): string => strip(text.replace(runs, " "));

/** Unicode white space to one space each, then strip: CLIP's `whitespace_clean`. */
export const whitespaceClean = (text: string): string => strip(text.replace(/\p{White_Space}+/gu, " "));

import { CliptError } from "../../tensor/index.js";

/** An everyday word, and where labels and captions say that it is seen: models/reference/words.txt. */
export interface Word {
  readonly names: Readonly<Record<"en" | "ru", readonly string[]>>;
  /** Classes that are of it, and words of captions that mean it. */
  readonly shown: Signs;
  /** Classes and words of captions where it may be seen, or not. */
  readonly open: Signs;
  /** Words of captions that stand in its own lines: not "dog", where "animal" takes what is said of dogs. */
  readonly own: ReadonlySet<string>;
}

export interface Signs {
  readonly classes: ReadonlySet<string>;
  readonly captions: ReadonlySet<string>;
  /** All other pictures of classes. */
  readonly allClasses: boolean;
  /** All other photographs. */
  readonly allCaptions: boolean;
}

export interface Words {
  readonly words: readonly Word[];
  /** Classes of which captions say nothing sure. */
  readonly unsaid: ReadonlySet<string>;
}

/** @throws `format` for a line that says too little, or a reference to no word */
export function readWords(lines: readonly string[]): Words {
  const rows = lines
    .filter((line) => !line.startsWith("#") && !line.startsWith("?:") && line.trim() !== "")
    .map((line) => line.split("|").map(listOf));
  const byName = new Map(rows.map((row) => [row[0]?.[0], row]));
  /** All items of a column, with those of the words that it refers to. */
  const expand = (
    row: readonly (readonly string[])[],
    column: number,
    on: readonly unknown[] = [],
  ): Set<string> => {
    const found = new Set<string>();
    if (on.includes(row)) return found;
    for (const item of row[column] ?? []) {
      if (!item.startsWith("@")) {
        found.add(item);
        continue;
      }
      const other = byName.get(item.slice(1));
      if (other === undefined)
        throw new CliptError(
          "format",
          `The everyday word "${row[0]?.[0]}" refers to ${item}, which is none.`,
        );
      // What shows the other word leaves this one open.
      const columns = column === 4 || column === 5 ? [column, column - 2] : [column];
      for (const from of columns) for (const sign of expand(other, from, [...on, row])) found.add(sign);
    }
    return found;
  };
  const signs = (row: readonly (readonly string[])[], column: number): Signs => {
    const [classes, captions] = [expand(row, column), expand(row, column + 1)];
    return {
      allClasses: classes.delete("*"),
      allCaptions: captions.delete("*"),
      classes,
      captions,
    };
  };
  return {
    words: rows.map((row) => {
      const [en = [], ru = []] = row;
      if (en.length === 0 || ru.length === 0)
        throw new CliptError(
          "format",
          `An everyday word has no name in English or Russian: ${row.join(" | ")}`,
        );
      const own = [...(row[3] ?? []), ...(row[5] ?? [])].filter(
        (item) => item !== "*" && !item.startsWith("@"),
      );
      return { names: { en, ru }, shown: signs(row, 2), open: signs(row, 4), own: new Set(own) };
    }),
    unsaid: new Set(lines.filter((line) => line.startsWith("?:")).flatMap((line) => listOf(line.slice(2)))),
  };
}

const listOf = (text: string): string[] =>
  text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");

import { dirname } from "node:path";
import { pipeline } from "node:stream";
import { parse } from "csv-parse";
import { CliptError, messageOf, readError } from "../../tensor/index.js";
import { pictureFolder } from "./picture-folder.js";
import { captionsOf } from "./sample.js";
import type { Report, Shard } from "./source.js";
import { openText, numberedLines } from "./text-file.js";

/** open_clip's `--csv-img-key`, `--csv-caption-key`, `--csv-separator`. */
export interface TableOptions {
  /** Column of the picture's path; "filepath" when absent. */
  readonly csvImgKey?: string;
  /** Column of the caption; "title" when absent. */
  readonly csvCaptionKey?: string;
  /** When absent, tab or comma: the one that splits the first line into these columns. */
  readonly csvSeparator?: string;
}

/**
 * A CSV or TSV table with a header line, one caption a row. Rows about the same picture become one sample with
 * several captions, so that they never meet as each other's negatives; the table's paths are the keys.
 */
export function tableShard(path: string, options: TableOptions = {}): Shard {
  return {
    name: path,
    list: true,
    async *samples(report) {
      const texts = new Map<string, string[]>();
      try {
        for await (const [picture, caption] of readRows(path, options, report)) {
          const known = texts.get(picture);
          if (known === undefined) texts.set(picture, [caption]);
          else known.push(caption);
        }
      } catch (error) {
        // Wrong column names are a wrong call, not a broken file.
        if (error instanceof CliptError && error.code === "usage") throw error;
        report({ shard: path, reason: messageOf(readError(path, error)) });
      }
      const place = pictureFolder(dirname(path));
      for (const [key, captions] of texts)
        yield { key, shard: path, image: { path: place(key), offset: 0 }, captions: captionsOf(captions) };
    },
  };
}

async function* readRows(
  path: string,
  options: TableOptions,
  report: Report,
): AsyncGenerator<readonly [picture: string, caption: string]> {
  const { csvImgKey = "filepath", csvCaptionKey = "title" } = options;
  const separator = options.csvSeparator ?? (await findSeparator(path, csvImgKey, csvCaptionKey));
  const parser = parse({
    bom: true,
    delimiter: separator,
    relax_quotes: true,
    skip_empty_lines: true,
    skip_records_with_error: true,
    columns: (header: string[]) => {
      for (const column of [csvImgKey, csvCaptionKey])
        if (!header.includes(column))
          throw new CliptError(
            "usage",
            `${path} has the columns ${header.map((name) => `"${name}"`).join(", ")}, none is called "${column}". Name the columns of the picture and the caption, or the separator.`,
          );
      return header;
    },
    on_skip: (error) => {
      report({ shard: path, key: `line ${String(error?.lines)}`, reason: messageOf(error) });
      return undefined;
    },
  });
  // The callback is there because pipeline wants one; the error itself travels through the stream.
  const rows = pipeline(openText(path), parser, () => {});
  for await (const row of rows as AsyncIterable<Record<string, string>>) {
    const picture = row[csvImgKey] ?? "";
    if (picture !== "") yield [picture, row[csvCaptionKey] ?? ""];
  }
}

async function findSeparator(path: string, ...columns: string[]): Promise<string> {
  for await (const { line } of numberedLines(path)) {
    const names = (separator: string) => line.split(separator).map((name) => name.replaceAll('"', "").trim());
    return columns.every((column) => names(",").includes(column)) ? "," : "\t";
  }
  return "\t";
}

import { dirname } from "node:path";
import { messageOf } from "../../tensor/index.js";
import { captionsOf } from "./sample.js";
import { pictureFolder } from "./picture-folder.js";
import type { Shard } from "./source.js";
import { strings } from "./tar-source.js";
import { numberedLines } from "./text-file.js";

/**
 * JSON lines, one picture each: its path (`image`, `file_name`, `filepath` or `path`), its captions
 * (`captions`, `caption`, `text` or `title`), optionally `key`, `language` and `label`. The key is the path when absent.
 */
export function jsonlShard(path: string): Shard {
  return {
    name: path,
    list: true,
    async *samples(report) {
      const place = pictureFolder(dirname(path));
      try {
        for await (const { line, number } of numberedLines(path)) {
          const at = `line ${number}`;
          const record = parseRecord(line);
          const image = first(record, ["image", "file_name", "filepath", "path"]);
          if (record === undefined) report({ shard: path, key: at, reason: "it is not a JSON object" });
          else if (typeof image !== "string" || image === "")
            report({
              shard: path,
              key: at,
              reason: "it names no picture (image, file_name, filepath or path)",
            });
          else
            yield {
              key: typeof record.key === "string" ? record.key : image,
              shard: path,
              image: { path: place(image), offset: 0 },
              captions: captionsOf(
                strings(first(record, ["captions", "caption", "text", "title"])),
                typeof record.language === "string" ? record.language : undefined,
              ),
              ...(Number.isInteger(record.label) ? { label: record.label as number } : {}),
            };
        }
      } catch (error) {
        report({ shard: path, reason: messageOf(error) });
      }
    },
  };
}

function parseRecord(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // Reported by the caller, who knows the line.
  }
  return undefined;
}

const first = (record: Record<string, unknown> | undefined, names: readonly string[]): unknown =>
  names.map((name) => record?.[name]).find((value) => value !== undefined);

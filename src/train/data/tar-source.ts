import { messageOf, readError } from "../../tensor/index.js";
import { captionsOf, isPicture, type Extent, type Sample } from "./sample.js";
import type { Report, Shard } from "./source.js";
import { tarEntries, type TarEntry } from "./tar.js";

/**
 * A WebDataset archive. Files that follow each other and share their name before the first dot of its last part
 * are one sample: `.jpg/.jpeg/.png/.webp` its picture, `.txt` captions (one a line), `.json` {captions | caption},
 * `.cls` its class number. Files with other endings are ignored.
 *
 * @source webdataset/webdataset `base_plus_ext`, `group_by_keys`; LAION-AI/CLIP_benchmark for several lines of .txt
 */
export function tarShard(path: string): Shard {
  return {
    name: path,
    list: false,
    async *samples(report) {
      let group: Group | undefined;
      try {
        for await (const entry of tarEntries(path, (reason) => report({ shard: path, reason }))) {
          const [, key, ending] = /^((?:.*\/)?[^./][^./]*)\.([^/]*)$/.exec(entry.name) ?? [];
          if (key === undefined || ending === undefined) continue;
          if (group !== undefined && group.key !== key) {
            yield* finish(group, path, report);
            group = undefined;
          }
          group ??= { key, texts: [] };
          await take(group, ending.toLowerCase(), entry, path);
        }
      } catch (error) {
        report({ shard: path, reason: messageOf(readError(path, error)) });
      }
      if (group !== undefined) yield* finish(group, path, report);
    },
  };
}

/** Bytes of the texts of one picture. */
const longestText = 2 ** 22;

/** A sample that is being put together. */
interface Group {
  readonly key: string;
  texts: readonly string[];
  image?: Extent;
  label?: number;
  broken?: string;
}

async function take(group: Group, ending: string, entry: TarEntry, path: string): Promise<void> {
  if (!isPicture(`.${ending}`) && entry.size > longestText) {
    if (["txt", "cls", "json"].includes(ending)) group.broken = `its .${ending} has ${entry.size} bytes`;
    return;
  }
  const text = async (): Promise<string> => new TextDecoder().decode(await entry.read());
  if (!ending.includes(".") && isPicture(`.${ending}`))
    group.image ??= { path, offset: entry.offset, size: entry.size };
  else if (ending === "txt") group.texts = [...group.texts, ...(await text()).split("\n")];
  else if (ending === "cls") {
    const digits = (await text()).trim();
    if (/^\d+$/.test(digits)) group.label = Number(digits);
    else group.broken = `its .cls is "${digits.slice(0, 40)}", not a class number`;
  } else if (ending === "json") {
    const texts = textsInJson(await text());
    if (texts === undefined) group.broken = "its .json is not a JSON object";
    else group.texts = [...group.texts, ...texts];
  }
}

function* finish(group: Group, shard: string, report: Report): Generator<Sample> {
  const { key, image, label, texts, broken } = group;
  if (broken !== undefined) report({ shard, key, reason: broken });
  else if (image === undefined) report({ shard, key, reason: "it has no picture" });
  else yield { key, shard, image, captions: captionsOf(texts), ...(label === undefined ? {} : { label }) };
}

/** The captions of `{"captions": [...]}` or `{"caption": "..."}`; undefined when the text is no JSON object. */
export function textsInJson(json: string): string[] | undefined {
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value !== "object" || value === null) return undefined;
    const { captions, caption } = value as Record<string, unknown>;
    return strings(captions ?? caption);
  } catch {
    return undefined;
  }
}

/** The texts in a value that is one text or a list of them. */
export const strings = (value: unknown): string[] =>
  (Array.isArray(value) ? (value as unknown[]) : [value]).filter((item) => typeof item === "string");

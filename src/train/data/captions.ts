import { CliptError } from "../../tensor/index.js";
import { captionsOf, type Caption, type Sample } from "./sample.js";
import { mapSource, type Source } from "./source.js";
import { strings } from "./tar-source.js";
import { numberedLines } from "./text-file.js";

/** Captions by the key of their picture. */
export type CaptionsByKey = ReadonlyMap<string, readonly Caption[]>;

/**
 * Reads a side file of captions: JSON lines (also .gz) with `key` and, under each language's tag, one text or a list:
 * `{"key": "12_ab", "ru": "Собака бежит.", "de": ["…", "…"]}`. `caption` or `captions` hold texts of no stated language.
 * Other fields are ignored.
 *
 * @throws `missing`, `io`, `format` when a line is no such object
 */
export async function readCaptions(path: string): Promise<CaptionsByKey> {
  const result = new Map<string, Caption[]>();
  for await (const { line, number } of numberedLines(path)) {
    const record = parse(line);
    if (record === undefined)
      throw new CliptError(
        "format",
        `${path}, line ${number}: expected a JSON object with "key", got ${line.slice(0, 60)}`,
      );
    const captions = Object.entries(record).flatMap(([field, value]) => {
      if (field === "caption" || field === "captions") return captionsOf(strings(value));
      return isLanguage(field) ? captionsOf(strings(value), field) : [];
    });
    result.set(record.key, [...(result.get(record.key) ?? []), ...captions]);
  }
  return result;
}

function parse(line: string): ({ key: string } & Record<string, unknown>) | undefined {
  try {
    const value = JSON.parse(line) as { key?: unknown } | null;
    return typeof value?.key === "string" ? (value as { key: string }) : undefined;
  } catch {
    return undefined;
  }
}

/** A BCP 47 tag of a language, with script or region: "en", "zh-Hant", "pt-BR". */
const isLanguage = (field: string): boolean =>
  field !== "key" && /^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$/.test(field);

/** Joins captions to the samples of the same key; the last part of a key with folders counts too. */
export function withCaptions(source: Source, captions: CaptionsByKey): Source {
  return mapSource(source, (sample) => {
    const more = captions.get(sample.key) ?? captions.get(sample.key.slice(sample.key.lastIndexOf("/") + 1));
    if (more === undefined) return sample;
    const known = new Set(sample.captions.map((caption) => caption.text));
    return {
      ...sample,
      captions: [...sample.captions, ...more.filter((caption) => !known.has(caption.text))],
    };
  });
}

/** States the language of captions that have none. */
export const withLanguage = (source: Source, language: string): Source =>
  mapSource(source, (sample) => ({
    ...sample,
    captions: sample.captions.map((caption) => ({ language, ...caption })),
  }));

/** Keeps captions of one language, and only the samples that have any. */
export const inLanguage = (source: Source, language: string): Source =>
  mapSource(source, (sample: Sample) => {
    const captions = sample.captions.filter((caption) => caption.language === language);
    return captions.length === 0 ? undefined : { ...sample, captions };
  });

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Upload } from "./body.js";

/** Pictures of one request as files, for tasks that take paths. */
export interface TemporaryPictures {
  readonly paths: readonly string[];
  /** A text, or a value that holds texts, with the client's names in the place of the paths. */
  named<T>(value: T): T;
  remove(): Promise<void>;
}

/** Writes pictures into a folder that only this user reads. */
export async function writePictures(uploads: readonly Upload[]): Promise<TemporaryPictures> {
  const folder = await mkdtemp(join(tmpdir(), "clipt-request-"));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    // Places of one length, so that no path begins with another.
    const paths = uploads.map((_, i) => join(folder, String(i).padStart(6, "0")));
    await Promise.all(uploads.map(({ bytes }, i) => writeFile(paths[i]!, bytes, { mode: 0o600 })));
    const names = uploads.map(({ name }, i) =>
      name === undefined || name === "" ? `picture ${i + 1}` : name,
    );
    const inText = (text: string): string =>
      text.includes(folder) ? paths.reduce((text, path, i) => text.replaceAll(path, names[i]!), text) : text;
    const named = (value: unknown): unknown => {
      if (typeof value === "string") return inText(value);
      if (Array.isArray(value)) return value.map(named);
      if (typeof value !== "object" || value === null) return value;
      return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, named(inner)]));
    };
    return { paths, named: <T>(value: T) => named(value) as T, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

import { join } from "node:path";
import { cachedSnapshot, sizeIfThere } from "./cache.js";
import type { Repository } from "./names.js";
import { neededFiles, type Format } from "./needed-files.js";
import type { HubSettings } from "./settings.js";

/** A model in the cache. */
export interface Pulled {
  /** The snapshot's folder, which `openModel` takes. */
  readonly folder: string;
  readonly commit: string;
  readonly files: readonly string[];
  readonly bytes: number;
}

/**
 * A model that was downloaded before, with all that it needs; the hub is not asked. Undefined when there is none.
 *
 * Offline, a snapshot without a tokenizer counts: pictures can be encoded with it.
 */
export async function findPulled(
  repository: Repository,
  settings: HubSettings,
  format?: Format,
): Promise<Pulled | undefined> {
  const snapshot = await cachedSnapshot(settings.cache, repository);
  const needed = snapshot === undefined ? undefined : neededFiles(snapshot.files, format);
  if (snapshot === undefined || needed === undefined) return undefined;
  const has = (pattern: RegExp): boolean => needed.beside.some((path) => pattern.test(path));
  // OpenAI's files say all themselves. OpenCLIP's folders may leave CLIP's vocabulary out. Other clients fetch some files
  // and leave others.
  const whole =
    needed.weights.some((path) => path.endsWith(".pt")) ||
    (has(/config\.json$/) && (has(/^(open_clip_config|tokenizer|vocab)\.|\.model$/) || settings.offline));
  if (!whole) return undefined;
  const files = [...needed.beside, ...needed.weights];
  const sizes = await Promise.all(files.map((path) => sizeIfThere(join(snapshot.folder, path))));
  return {
    folder: snapshot.folder,
    commit: snapshot.commit,
    files,
    bytes: sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0),
  };
}

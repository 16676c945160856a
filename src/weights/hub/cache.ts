import { randomBytes } from "node:crypto";
import { copyFile, link, lstat, mkdir, readdir, readFile, rename, rm, stat, symlink } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { CliptError, readError } from "../../tensor/index.js";
import { replaceFile, writeError } from "../save.js";
import type { Repository } from "./names.js";

/** A repository's folder in the cache: `blobs` by checksum, `refs` by branch, `snapshots` by commit. */
export const folderOf = (cache: string, { name }: Pick<Repository, "name">): string =>
  join(cache, `models--${name.replaceAll("/", "--")}`);

const isCommit = (revision: string): boolean => /^[0-9a-f]{40}$/.test(revision);

/** The snapshot of a revision as the cache knows it, and its files; undefined when it knows none. */
export async function cachedSnapshot(
  cache: string,
  repository: Repository,
): Promise<{ readonly commit: string; readonly folder: string; readonly files: string[] } | undefined> {
  const base = folderOf(cache, repository);
  const commit = isCommit(repository.revision)
    ? repository.revision
    : (await readIfThere(join(base, "refs", repository.revision)))?.trim();
  if (commit === undefined || !/^[\w.-]+$/.test(commit)) return undefined;
  const folder = join(base, "snapshots", commit);
  const entries = await readdir(folder, { recursive: true }).catch(() => []);
  // A link whose blob is gone is no file.
  const files = await Promise.all(
    entries.map(async (path) => ((await isFile(join(folder, path))) ? [path.replaceAll("\\", "/")] : [])),
  );
  return { commit, folder, files: files.flat().sort() };
}

/** Notes which commit a branch stands for. @throws `io` */
export async function writeRef(cache: string, repository: Repository, commit: string): Promise<void> {
  if (repository.revision === commit) return;
  const path = join(folderOf(cache, repository), "refs", repository.revision);
  await makeFolder(dirname(path));
  await replaceFile(path, [new TextEncoder().encode(commit)]);
}

/**
 * Gives a blob its name in a snapshot: a link with a relative target, as all clients make it. Systems that refuse
 * symbolic links get a hard one or a copy.
 *
 * @throws `io`
 */
export async function linkBlob(blob: string, path: string): Promise<void> {
  await makeFolder(dirname(path));
  // Another process may do the same: a link is made aside and takes the name at once.
  const draft = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    await symlink(relative(dirname(path), blob), draft)
      .catch(() => link(blob, draft))
      .catch(() => copyFile(blob, draft));
    await rename(draft, path);
  } catch (cause) {
    await rm(draft, { force: true });
    throw writeError(path, cause);
  }
}

/** A repository that is in the cache. */
export interface CachedRepository {
  readonly name: string;
  readonly folder: string;
  /** Of all its blobs, finished or not. */
  readonly bytes: number;
}

/** Every model repository in the cache, by name; [] when there is no cache. */
export async function cachedRepositories(cache: string): Promise<CachedRepository[]> {
  const folders = await readdir(cache).catch(() => []);
  const repositories = await Promise.all(
    folders.sort().map(async (folder) => {
      const [kind, ...parts] = folder.split("--");
      if (kind !== "models" || parts.length === 0) return [];
      const path = join(cache, folder);
      return [{ name: parts.join("/"), folder: path, bytes: await sizeOfFolder(join(path, "blobs")) }];
    }),
  );
  return repositories.flat();
}

/** Removes a repository with all its revisions. @returns what was removed @throws `missing` when it is not there, `io` */
export async function removeCached(cache: string, name: string): Promise<CachedRepository> {
  const found = (await cachedRepositories(cache)).find((cached) => cached.name === name);
  if (found === undefined)
    throw new CliptError(
      "missing",
      `${name} is not in the cache, ${cache}: \`clipt models list --cached\` says what is.`,
    );
  await rm(found.folder, { recursive: true }).catch((cause: unknown) => {
    throw writeError(found.folder, cause);
  });
  return found;
}

/** @throws `io` */
export async function makeFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true }).catch((cause: unknown) => {
    throw writeError(path, cause);
  });
}

/** Bytes of a file; undefined when it is not there. */
export const sizeIfThere = async (path: string): Promise<number | undefined> =>
  (await stat(path).catch(() => undefined))?.size;

const isFile = async (path: string): Promise<boolean> =>
  (await stat(path).catch(() => undefined))?.isFile() === true;

async function sizeOfFolder(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => []);
  const sizes = await Promise.all(names.map(async (name) => (await lstat(join(folder, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    if (["ENOENT", "ENOTDIR", "EISDIR"].includes((cause as NodeJS.ErrnoException).code ?? ""))
      return undefined;
    throw readError(path, cause);
  }
}

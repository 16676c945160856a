import { statfs } from "node:fs/promises";
import { join } from "node:path";
import { CliptError } from "../../tensor/index.js";
import { folderOf, linkBlob, makeFolder, sizeIfThere, writeRef } from "./cache.js";
import { download } from "./download.js";
import type { Pulled } from "./find-pulled.js";
import { hubFetch } from "./hub-fetch.js";
import { withLock } from "./lock.js";
import { meter, type PullProgress } from "./meter.js";
import type { Repository } from "./names.js";
import { neededFiles, type Format } from "./needed-files.js";
import { openerOf } from "./open-remote.js";
import { remoteSnapshot, type RemoteFile } from "./remote.js";
import type { HubSettings } from "./settings.js";

export interface PullOptions {
  readonly settings: HubSettings;
  /** Only this kind of weights; absent: the best that the repository holds. */
  readonly format?: Format | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: PullProgress) => void) | undefined;
  /** Called once when another process downloads the same file. */
  readonly onWait?: ((file: string) => void) | undefined;
}

/**
 * Downloads what clipt needs of a repository into the hub's cache, or what of it is not there yet.
 *
 * @throws `missing` when there is no such repository, `io` when it may not be read, is out of reach or the disk is full,
 *         `format` when a file is not what the hub announces, `unsupported` when it holds no weights that clipt reads
 */
export async function pull(repository: Repository, options: PullOptions): Promise<Pulled> {
  const { settings, format, signal = new AbortController().signal } = options;
  if (settings.offline)
    throw new CliptError(
      "missing",
      `${repository.name} at "${repository.revision}" is not in the cache (${settings.cache}), and HF_HUB_OFFLINE forbids to ` +
        `the hub: unset it and run \`clipt models pull ${repository.name}\`.`,
    );
  const fetch = hubFetch(settings, repository, signal);
  const remote = await remoteSnapshot(repository, settings, fetch);
  const { commit, paths } = remote;
  const needed = neededFiles(paths, format);
  if (needed === undefined) throw noWeights(repository, paths, format);
  // Small files first: weights that are there mean that everything is.
  const files: RemoteFile[] = [];
  for (const path of [...needed.beside, ...needed.weights]) files.push(await remote.describe(path));

  const base = folderOf(settings.cache, repository);
  const locks = join(settings.cache, ".locks", `models--${repository.name.replaceAll("/", "--")}`);
  await makeFolder(join(base, "blobs"));
  await makeFolder(locks);
  const folder = join(base, "snapshots", commit);
  const blobOf = (file: RemoteFile): string =>
    join(base, "blobs", file.checksum?.hex ?? `${commit}-${file.path.replaceAll("/", "-")}`);
  await checkSpace(base, files, blobOf);

  const total = sum(files.map(({ size }) => size));
  const tell = meter(total, options.onProgress);
  const openRemote = openerOf(repository, commit, settings, fetch);
  let before = 0;
  for (const file of files) {
    const blob = blobOf(file);
    const isThere = async (): Promise<boolean> => (await sizeIfThere(blob)) === file.size;
    const wait = (): void => options.onWait?.(file.path);
    if (!(await isThere()))
      await withLock(
        join(locks, `${file.checksum?.hex ?? file.path.replaceAll("/", "-")}.clipt-lock`),
        signal,
        wait,
        async () => {
          const done = before;
          if (!(await isThere()))
            await download(file, blob, openRemote, signal, (bytes) => tell(done + bytes));
        },
      );
    before += file.size;
    tell(before);
    await linkBlob(blob, join(folder, file.path));
  }
  // Only now: until all of it is there, the branch stays what it was, also for those who are offline.
  await writeRef(settings.cache, repository, commit);
  return { folder, commit, files: files.map(({ path }) => path), bytes: total };
}

async function checkSpace(
  folder: string,
  files: readonly RemoteFile[],
  blobOf: (file: RemoteFile) => string,
): Promise<void> {
  const missing = await Promise.all(
    files.map(async (file) => {
      const there =
        (await sizeIfThere(blobOf(file))) ?? (await sizeIfThere(`${blobOf(file)}.incomplete`)) ?? 0;
      return Math.max(0, file.size - there);
    }),
  );
  const { bavail, bsize } = await statfs(folder);
  if (sum(missing) > bavail * bsize)
    throw new CliptError(
      "io",
      `${sum(missing)} bytes are to be downloaded, and ${folder} has room for ${bavail * bsize}. HF_HUB_CACHE names another ` +
        `place; \`clipt models remove\` makes room.`,
    );
}

function noWeights({ name }: Repository, paths: readonly string[], format: Format | undefined): CliptError {
  const found = paths
    .filter((path) => /\.(safetensors|bin|pt|pth|onnx|msgpack|h5|gguf|npz)$/.test(path))
    .slice(0, 5);
  return new CliptError(
    "unsupported",
    `${name} holds no ${format ?? "weights"} that clipt reads` +
      `${found.length === 0 ? "" : `; it holds ${found.join(", ")}`}. Expected: a model in OpenCLIP's or transformers' layout.`,
  );
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

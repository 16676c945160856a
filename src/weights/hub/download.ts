import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { constants, open, rename, rm, type FileHandle } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { CliptError } from "../../tensor/index.js";
import { writeError } from "../save.js";
import { sizeIfThere } from "./cache.js";
import { checksumOf, type Checksum, type RemoteFile } from "./remote.js";

/** Connections that may break one after the other without a byte in between. */
const tries = 4;
const pauseMs = 500;

/** Opens a file of the hub at a byte. The answer's first chunk may be the file's first: not every server knows ranges. */
export type OpenRemote = (
  file: RemoteFile,
  from: number,
  onAnswer: (response: Response) => void,
) => Promise<AsyncIterable<Uint8Array>>;

/**
 * Downloads a file to its place. What a broken attempt left in `PATH.incomplete` is kept and continued; the name without
 * it holds whole and checked files only.
 *
 * Writers put the same bytes at the same places, so that even two at once do no harm.
 *
 * @param onBytes called with how much of the file is there
 * @throws        `format` when size or checksum are not those announced (what arrived is removed), `io`, the signal's reason
 */
export async function download(
  file: RemoteFile,
  path: string,
  openRemote: OpenRemote,
  signal: AbortSignal,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const draft = `${path}.incomplete`;
  const resumed = await fill(file, draft, openRemote, signal, onBytes).catch(async (error: unknown) => {
    if (error instanceof CliptError && error.code === "format") await rm(draft, { force: true });
    throw error;
  });
  const fault = await faultOf(file, draft);
  if (fault !== undefined) {
    await rm(draft, { force: true });
    // What an earlier run left may have been broken already: only a whole download proves the server wrong.
    if (resumed) return download(file, path, openRemote, signal, onBytes);
    throw new CliptError(
      "format",
      `${file.path}: ${fault}. It was removed. Download it again; if that does not help, the server or a proxy on the way ` +
        `damages it (HF_ENDPOINT names another server).`,
    );
  }
  await rename(draft, path).catch(async (cause: unknown) => {
    // Another writer was quicker.
    if ((await sizeIfThere(path)) !== file.size) throw writeError(path, cause);
  });
}

/** Completes the draft. @returns whether it was begun by an earlier run */
async function fill(
  file: RemoteFile,
  draft: string,
  openRemote: OpenRemote,
  signal: AbortSignal,
  onBytes: (bytes: number) => void,
): Promise<boolean> {
  const target = await open(draft, constants.O_RDWR | constants.O_CREAT).catch((cause: unknown) => {
    throw writeError(draft, cause);
  });
  try {
    const { size } = await target.stat();
    if (size > file.size) await target.truncate(0);
    const begun = size > file.size ? 0 : size;
    onBytes(begun);
    let failures = 0;
    for (let at = begun; at < file.size;) {
      const answer = await receive(file, at, target, draft, openRemote, signal, onBytes);
      // A server that has no more to say will not have it the next time.
      if (answer.ended) break;
      failures = answer.at > at ? 0 : failures + 1;
      at = answer.at;
      if (failures === tries)
        throw new CliptError(
          "io",
          `${file.path}: the connection broke ${tries} times at ${at} of ${file.size} bytes. What arrived is kept: ` +
            `the next run goes on from there.`,
        );
      await sleep(pauseMs * 2 ** failures, undefined, { signal });
    }
    await target.sync();
    return begun > 0;
  } finally {
    await target.close();
  }
}

/** Writes what one answer brings. @returns how far it came, and whether it ended there or broke @throws `CliptError`s */
async function receive(
  file: RemoteFile,
  from: number,
  target: FileHandle,
  draft: string,
  openRemote: OpenRemote,
  signal: AbortSignal,
  onBytes: (bytes: number) => void,
): Promise<{ readonly at: number; readonly ended: boolean }> {
  let at = from;
  try {
    const chunks = await openRemote(file, from, (response) => {
      checkAnnounced(file, response.headers);
      if (response.status !== 206) at = 0;
    });
    for await (const chunk of chunks) {
      if (at + chunk.length > file.size) {
        throw new CliptError(
          "format",
          `${file.path}: more than the announced ${file.size} bytes arrive. They were removed.`,
        );
      }
      await target.write(chunk, 0, chunk.length, at).catch((cause: unknown) => {
        throw writeError(draft, cause);
      });
      at += chunk.length;
      onBytes(at);
    }
    return { at, ended: true };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof CliptError) throw error;
    return { at, ended: false };
  }
}

/** The hub repeats size and checksum with the bytes; a file that changed meanwhile must not be mixed with another. */
function checkAnnounced({ path, size, checksum }: RemoteFile, headers: Headers): void {
  const linkedSize = headers.get("x-linked-size");
  const linked = checksumOf(headers.get("x-linked-etag") ?? undefined);
  const differs =
    (linkedSize !== null && Number(linkedSize) !== size) ||
    (linked !== undefined && checksum?.kind === linked.kind && linked.hex !== checksum.hex);
  if (differs)
    throw new CliptError(
      "format",
      `${path}: the list of files announces ${size} bytes${showChecksum(checksum)}, the file itself ` +
        `${linkedSize ?? "as many"} bytes${showChecksum(linked)}. Nothing was kept; try again.`,
    );
}

/** What is wrong with a file that has arrived; undefined for nothing. */
async function faultOf({ size, checksum }: RemoteFile, path: string): Promise<string | undefined> {
  const arrived = await sizeIfThere(path);
  if (arrived !== size) return `${arrived ?? 0} bytes arrived, ${size} were announced`;
  if (checksum === undefined) return undefined;
  const hash = createHash(checksum.kind === "sha256" ? "sha256" : "sha1");
  if (checksum.kind === "git-sha1") hash.update(`blob ${size}\0`);
  await pipeline(createReadStream(path), hash);
  const hex = hash.digest("hex");
  return hex === checksum.hex ? undefined : `its ${checksum.kind} is ${hex}, ${checksum.hex} was announced`;
}

const showChecksum = (checksum: Checksum | undefined): string =>
  checksum === undefined ? "" : ` with ${checksum.kind} ${checksum.hex}`;

import { crc32, inflateRawSync } from "node:zlib";
import { CliptError, messageOf } from "../tensor/index.js";
import { head } from "./bytes.js";
import { readPart, type Source } from "./source.js";

/** A file inside an archive: its packed bytes lie from `begin` up to `end`. */
export interface ZipEntry {
  readonly begin: number;
  readonly end: number;
  readonly stored: boolean;
  /** Bytes when unpacked. */
  readonly size: number;
  readonly crc: number;
}

const signature = {
  local: 0x04034b50,
  central: 0x02014b50,
  end: 0x06054b50,
  end64: 0x06064b50,
  locator: 0x07064b50,
};
const saturated = { short: 0xffff, long: 0xffffffff };
/** Longest directory that is read; a hundred thousand entries fit. */
const directoryLimit = 2 ** 24;
/** What a packed file may unpack to: this much always, and beyond it this many times its packed size; all together fewer. */
const inflateLimit = { always: 64 * 2 ** 20, ratio: 100, whole: 20 };

/**
 * The directory of a zip archive. Archives whose parts disagree, overlap, escape their folder, repeat a name
 * or promise more than they hold are refused: readers that guess differently about them are an old attack.
 *
 * @throws `format` when the archive is not whole and plain, `unsupported` for encryption and rare compression
 * @source PKWARE APPNOTE.TXT 6.3.10, sections 4.3 and 4.5.3
 */
export function readZip(source: Source): Map<string, ZipEntry> {
  const { offset, size, count } = findDirectory(source);
  const bytes = readPart(source, offset, offset + size, "The archive's directory");
  const found: { name: string; at: number; entry: ZipEntry }[] = [];
  const names = new Set<string>();
  let position = 0;
  for (let i = 0; i < count; i++) {
    const record = readCentral(bytes, position);
    position += record.length;
    if (record.name.endsWith("/")) continue;
    checkName(record.name);
    if (names.has(record.name)) throw broken(`it holds "${head(record.name)}" twice`);
    names.add(record.name);
    found.push({ name: record.name, at: record.at, entry: place(source, record, offset) });
  }
  if (position !== size)
    throw broken(`its directory has ${size} bytes and its ${count} entries fill ${position}`);
  const unpacked = found.reduce((sum, { entry }) => sum + (entry.stored ? 0 : entry.size), 0);
  if (unpacked > Math.max(inflateLimit.always, inflateLimit.whole * source.size))
    throw broken(`its ${source.size} bytes would grow to ${unpacked}, more than weights ever shrink: a trap`);
  found.sort((a, b) => a.at - b.at);
  let free = 0;
  for (const { name, at, entry } of found) {
    if (at < free) throw broken(`"${head(name)}" lies inside another entry`);
    free = entry.end;
  }
  return new Map(found.map(({ name, entry }) => [name, entry]));
}

/**
 * The bytes of an entry out of its packed ones, checked against their sum.
 *
 * @throws `format` when they are damaged or unpack to far more than a file of weights would
 */
export function unpackEntry(packed: Uint8Array, name: string, entry: ZipEntry): Uint8Array {
  const bytes = entry.stored ? packed : inflate(packed, name, entry.size);
  if (bytes.length !== entry.size)
    throw broken(`"${head(name)}" unpacks to ${bytes.length} bytes instead of ${entry.size}`);
  if (crc32(bytes) !== entry.crc) throw broken(`the check sum of "${head(name)}" is wrong: it is damaged`);
  return bytes;
}

function inflate(packed: Uint8Array, name: string, size: number): Uint8Array {
  if (size > Math.max(inflateLimit.always, inflateLimit.ratio * packed.length))
    throw broken(
      `"${head(name)}" would grow from ${packed.length} to ${size} bytes, more than weights ever shrink: a trap`,
    );
  try {
    return inflateRawSync(packed, { maxOutputLength: Math.max(size, 1) });
  } catch (cause) {
    throw broken(`"${head(name)}" does not unpack to its ${size} bytes (${messageOf(cause)})`, cause);
  }
}

interface Directory {
  readonly offset: number;
  readonly size: number;
  readonly count: number;
}

function findDirectory(source: Source): Directory {
  const tailStart = Math.max(0, source.size - 22 - saturated.short);
  const tail = source.read(tailStart, source.size);
  const view = viewOf(tail);
  for (let i = tail.length - 22; i >= 0; i--) {
    // The record is the one whose comment ends with the file.
    if (view.getUint32(i, true) !== signature.end || i + 22 + view.getUint16(i + 20, true) !== tail.length)
      continue;
    const short = {
      count: view.getUint16(i + 10, true),
      size: view.getUint32(i + 12, true),
      offset: view.getUint32(i + 16, true),
    };
    const long = findDirectory64(source, tailStart + i);
    const directory = long ?? short;
    const agrees = (a: number, b: number, full: number) => a === b || a === full;
    if (
      !agrees(short.count, directory.count, saturated.short) ||
      !agrees(short.size, directory.size, saturated.long) ||
      !agrees(short.offset, directory.offset, saturated.long)
    )
      throw broken("its two end records contradict each other");
    const end = long === undefined ? tailStart + i : long.at;
    if (
      directory.size > directoryLimit ||
      directory.count * 46 > directory.size ||
      directory.offset + directory.size > end
    )
      throw broken(
        `its directory of ${directory.count} entries in ${directory.size} bytes at ${directory.offset} does not fit in`,
      );
    return directory;
  }
  throw broken("it has no end record: it is cut off");
}

function findDirectory64(source: Source, end: number): (Directory & { at: number }) | undefined {
  if (end < 20) return undefined;
  const locator = viewOf(source.read(end - 20, end));
  if (locator.getUint32(0, true) !== signature.locator) return undefined;
  const at = readSize(locator, 8);
  const record = viewOf(readPart(source, at, at + 56, "The archive's 64-bit end record"));
  if (record.getUint32(0, true) !== signature.end64 || at + 12 + readSize(record, 4) > end - 20)
    throw broken("its 64-bit end record is not where it should be");
  return { at, count: readSize(record, 32), size: readSize(record, 40), offset: readSize(record, 48) };
}

/** An entry as the directory tells it. */
interface Central {
  readonly name: string;
  readonly at: number;
  readonly packed: number;
  readonly size: number;
  readonly stored: boolean;
  readonly crc: number;
  /** Bytes of the record itself. */
  readonly length: number;
}

function readCentral(bytes: Uint8Array, position: number): Central {
  if (position + 46 > bytes.length) throw broken("its directory is cut off");
  const view = viewOf(bytes.subarray(position));
  const [nameLength, extraLength, commentLength] = [28, 30, 32].map((at) => view.getUint16(at, true)) as [
    number,
    number,
    number,
  ];
  const length = 46 + nameLength + extraLength + commentLength;
  if (view.getUint32(0, true) !== signature.central || position + length > bytes.length)
    throw broken(`byte ${position} of its directory does not begin an entry`);
  const name = new TextDecoder().decode(bytes.subarray(position + 46, position + 46 + nameLength));
  const extraStart = position + 46 + nameLength;
  const long = readExtra64(bytes.subarray(extraStart, extraStart + extraLength));
  const sizeAt = (at: number) => {
    const value = view.getUint32(at, true);
    if (value !== saturated.long || long === undefined) return value;
    const next = long.shift();
    if (next === undefined) throw broken(`"${head(name)}" lacks its 64-bit sizes`);
    return next;
  };
  const size = sizeAt(24); // the three share one list of long values, in this order
  const packed = sizeAt(20);
  const at = sizeAt(42);
  const method = view.getUint16(10, true);
  if ((view.getUint16(8, true) & 1) !== 0)
    throw new CliptError("unsupported", `"${head(name)}" in the archive is encrypted.`);
  if (method !== 0 && method !== 8)
    throw new CliptError(
      "unsupported",
      `"${head(name)}" is packed by method ${method}; stored and deflated are read.`,
    );
  const stored = method === 0;
  if (stored && size !== packed) throw broken(`"${head(name)}" is stored in ${packed} bytes and has ${size}`);
  return { name, at, packed, size, stored, crc: view.getUint32(16, true), length };
}

/** The long values of the 64-bit extra field; undefined without one. */
function readExtra64(extra: Uint8Array): number[] | undefined {
  const view = viewOf(extra);
  for (let i = 0; i + 4 <= extra.length;) {
    const length = view.getUint16(i + 2, true);
    if (i + 4 + length > extra.length) break;
    if (view.getUint16(i, true) === 1)
      return Array.from({ length: Math.min(3, Math.floor(length / 8)) }, (_, k) =>
        readSize(view, i + 4 + 8 * k),
      );
    i += 4 + length;
  }
  return undefined;
}

/** Where the bytes of an entry lie; its own header must repeat its name. */
function place(source: Source, { name, at, packed, size, stored, crc }: Central, limit: number): ZipEntry {
  const what = `The header of "${head(name)}"`;
  const local = viewOf(readPart(source, at, at + 30, what));
  const nameLength = local.getUint16(26, true);
  const nameBytes = readPart(source, at + 30, at + 30 + nameLength, what);
  if (local.getUint32(0, true) !== signature.local || new TextDecoder().decode(nameBytes) !== name)
    throw broken(`"${head(name)}" does not begin where the directory says`);
  const begin = at + 30 + nameLength + local.getUint16(28, true);
  if (begin + packed > limit) throw broken(`"${head(name)}" reaches into the directory: it is cut off`);
  return { begin, end: begin + packed, stored, size, crc };
}

function checkName(name: string): void {
  const escapes =
    name.startsWith("/") || /^[a-z]:/i.test(name) || /[\\\0]/.test(name) || name.split("/").includes("..");
  if (escapes || name === "") throw broken(`"${head(name)}" is not a name inside an archive`);
}

function readSize(view: DataView, at: number): number {
  const value = view.getBigUint64(at, true);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw broken(`it holds a size of ${value} bytes`);
  return Number(value);
}

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

const broken = (why: string, cause?: unknown): CliptError =>
  new CliptError("format", `Not a zip archive that can be read: ${why}.`, { cause });

import { open, type FileHandle } from "node:fs/promises";

/** A regular file inside of a tar archive. */
export interface TarEntry {
  readonly name: string;
  /** Position of its first byte in the archive. */
  readonly offset: number;
  readonly size: number;
  /** Its bytes. */
  read(): Promise<Uint8Array>;
}

/** What is wrong with an archive, and where. */
export type Damage = (reason: string) => void;

const BLOCK = 512;
const WINDOW = 256 * 1024;
/** Bytes of what stands before a file instead of its header: a long name, a large size. */
const longestRecord = 2 ** 20;

/**
 * Regular files of an uncompressed tar archive in their order (USTAR, PAX and GNU long names).
 * Only headers are read, through a window that moves forward; bodies are skipped unless `read` asks for them.
 * A cut archive ends with a damage report after its last whole file; a broken header is reported and the next
 * valid one is looked for.
 *
 * @source POSIX.1-2017, pax, "ustar Interchange Format"; GNU tar's base-256 sizes and type L
 */
export async function* tarEntries(path: string, damage: Damage): AsyncGenerator<TarEntry> {
  const file = await open(path, "r");
  try {
    const { size: end } = await file.stat();
    const window = slidingWindow(file);
    let extended: { name?: string; size?: number } = {};
    let lost = 0;
    for (let at = 0; ;) {
      if (at + BLOCK > end) {
        damage(
          at === end ? `ends at byte ${end} without an end mark` : `is cut inside of a header at byte ${end}`,
        );
        return;
      }
      const header = await window(at, BLOCK);
      if (header.every((byte) => byte === 0)) return;
      if (!isHeader(header)) {
        if (lost++ === 0) damage(`has no tar header at byte ${at}`);
        at += BLOCK;
        continue;
      }
      lost = 0;
      const type = String.fromCharCode(header[156] ?? 0);
      const size = extended.size ?? octal(header, 124, 12);
      if (!Number.isSafeInteger(size) || size < 0) {
        damage(`claims a file of ${size} bytes at byte ${at}`);
        return;
      }
      const name = extended.name ?? nameOf(header);
      const body = at + BLOCK;
      if (body + size > end) {
        damage(`is cut at byte ${end}, inside of "${name}" (${size} bytes from byte ${body})`);
        return;
      }
      if ((type === "x" || type === "L") && size > longestRecord) {
        damage(`has a name of ${size} bytes at byte ${at}`);
        return;
      }
      if (type === "x") extended = { ...extended, ...paxRecords(await window(body, size)) };
      else if (type === "L") extended = { ...extended, name: text(await window(body, size)) };
      else {
        extended = {};
        if (type === "0" || type === "\0" || type === "7")
          yield { name, offset: body, size, read: () => window(body, size) };
      }
      at = body + Math.ceil(size / BLOCK) * BLOCK;
    }
  } finally {
    await file.close();
  }
}

/** Reads stretches of a file that mostly follow each other; the result is a copy that stays valid. */
function slidingWindow(file: FileHandle): (at: number, size: number) => Promise<Uint8Array> {
  let buffer = new Uint8Array(0);
  let start = 0;
  return async (at, size) => {
    if (at < start || at + size > start + buffer.length) {
      const next = new Uint8Array(Math.max(WINDOW, size));
      const { bytesRead } = await file.read(next, 0, next.length, at);
      buffer = next.subarray(0, bytesRead);
      start = at;
    }
    return buffer.subarray(at - start, at - start + size);
  };
}

/** The header's checksum counts its own field as spaces. */
function isHeader(header: Uint8Array): boolean {
  let sum = 8 * 32;
  for (let i = 0; i < BLOCK; i++) if (i < 148 || i >= 156) sum += header[i] ?? 0;
  return sum === octal(header, 148, 8) && !Number.isNaN(octal(header, 124, 12));
}

/** Octal digits, or binary when the first bit is set (GNU). NaN when neither. */
function octal(header: Uint8Array, at: number, length: number): number {
  const field = header.subarray(at, at + length);
  if (((field[0] ?? 0) & 0x80) !== 0)
    return field.reduce((value, byte, i) => value * 256 + (i === 0 ? byte & 0x7f : byte), 0);
  const digits = text(field).trim();
  return /^[0-7]+$/.test(digits) ? parseInt(digits, 8) : NaN;
}

function nameOf(header: Uint8Array): string {
  const name = text(header.subarray(0, 100));
  const ustar = text(header.subarray(257, 262)) === "ustar" && header[262] === 0;
  const prefix = ustar ? text(header.subarray(345, 500)) : "";
  return prefix === "" ? name : `${prefix}/${name}`;
}

/** "27 path=some/long/name\n" … : length, key and value of each record. */
function paxRecords(bytes: Uint8Array): { name?: string; size?: number } {
  const records: { name?: string; size?: number } = {};
  for (let at = 0; at < bytes.length;) {
    const length = parseInt(text(bytes.subarray(at, at + 20)), 10);
    if (!(length > 0)) break;
    const record = text(bytes.subarray(at, at + length - 1));
    const key = record.slice(record.indexOf(" ") + 1, record.indexOf("="));
    const value = record.slice(record.indexOf("=") + 1);
    if (key === "path") records.name = value;
    if (key === "size") records.size = Number(value);
    at += length;
  }
  return records;
}

const decoder = new TextDecoder();

/** UTF-8 up to the first NUL. */
function text(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return decoder.decode(end < 0 ? bytes : bytes.subarray(0, end));
}

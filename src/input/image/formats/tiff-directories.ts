/** Tags of one picture in a TIFF, or in a file that is built like one. */
export interface Directory {
  has(tag: number): boolean;
  /** A tag's whole numbers, at most 64 of them; [] when it is not there or is something else. */
  numbers(tag: number): number[];
  /** Where a tag's bytes lie. */
  place(tag: number): { readonly from: number; readonly length: number } | undefined;
}

/** Damaged files lead in circles, and promise more than they have. */
const mostDirectories = 64;
const mostEntries = 1024;
const mostNumbers = 64;

const subDirectories = 0x14a;
/** Bytes of a value, by its type's number. */
const sizes = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4];
const [byte, short, long, pointer] = [1, 3, 4, 13];

/** The directories of a TIFF, those inside of others included; whatever lies outside of the file is not there. */
export function readDirectories(bytes: Uint8Array): Directory[] {
  if (bytes.length < 8) return [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = bytes[0] === 0x49;
  const found: Directory[] = [];
  const visited = new Set<number>();
  const waiting = [view.getUint32(4, little)];
  while (waiting.length > 0 && visited.size < mostDirectories) {
    const at = waiting.shift()!;
    if (at < 8 || at + 2 > bytes.length || visited.has(at)) continue;
    visited.add(at);
    const count = Math.min(view.getUint16(at, little), mostEntries);
    const end = at + 2 + 12 * count;
    if (end > bytes.length) continue;
    const directory = readDirectory(view, little, at + 2, count);
    found.push(directory);
    waiting.push(...directory.numbers(subDirectories));
    if (end + 4 <= bytes.length) waiting.push(view.getUint32(end, little));
  }
  return found;
}

function readDirectory(view: DataView, little: boolean, start: number, count: number): Directory {
  const entries = new Map<number, { type: number; from: number; length: number }>();
  for (let at = start; at < start + 12 * count; at += 12) {
    const type = view.getUint16(at + 2, little);
    const length = (sizes[type] ?? 0) * view.getUint32(at + 4, little);
    const from = length <= 4 ? at + 8 : view.getUint32(at + 8, little);
    if (length > 0 && from + length <= view.byteLength)
      entries.set(view.getUint16(at, little), { type, from, length });
  }
  return {
    has: (tag) => entries.has(tag),
    place: (tag) => entries.get(tag),
    numbers(tag) {
      const { type = 0, from = 0, length = 0 } = entries.get(tag) ?? {};
      const count = Math.min(length / (sizes[type] || 1), mostNumbers);
      const numbers: number[] = [];
      for (let i = 0; i < count; i++)
        if (type === byte) numbers.push(view.getUint8(from + i));
        else if (type === short) numbers.push(view.getUint16(from + 2 * i, little));
        else if (type === long || type === pointer) numbers.push(view.getUint32(from + 4 * i, little));
      return numbers;
    },
  };
}

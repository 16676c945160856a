import { readDirectories, type Directory } from "./tiff-directories.js";

/** The picture that a camera put into its raw file: what every viewer shows of it. */
export interface RawPreview {
  readonly jpeg: Uint8Array;
  /** As EXIF counts; undefined where nothing outside of the JPEG says it. */
  readonly orientation: number | undefined;
}

const tag = {
  make: 0x10f,
  compression: 0x103,
  photometric: 0x106,
  stripOffsets: 0x111,
  orientation: 0x112,
  stripByteCounts: 0x117,
  jpegOffset: 0x201,
  jpegLength: 0x202,
  jpgFromRaw: 0x2e,
  dngVersion: 0xc612,
} as const;

/** What the sensor's own numbers are called: a mosaic of colours, or what was made of one. */
const ofSensor = [32803, 34892];

/** Below this, looking for a larger one is worth reading the file: some makers keep theirs where only they know. */
const smallPreview = 640;
const mostFound = 256;
const mostMarkers = 512;

const ascii = (bytes: Uint8Array, from: number, to: number): string =>
  String.fromCharCode(...bytes.subarray(from, to));

/** Whether the first bytes, or the directories of a TIFF, are those of a raw file: CR2, CR3, NEF, ARW, DNG, ORF, RW2, RAF … */
export function isRaw(bytes: Uint8Array): boolean {
  const head = ascii(bytes, 0, 16);
  if (head.startsWith("FUJIFILMCCD-RAW") || head.slice(4, 12) === "ftypcrx ") return true;
  if (/^(IIRO|IIRS|MMOR|IIU\0)/.test(head)) return true;
  if (/^II\*\0....CR/s.test(head)) return true;
  if (!/^(II\*\0|MM\0\*)/.test(head)) return false;
  return readDirectories(bytes).some(
    (directory) =>
      directory.has(tag.dngVersion) || ofSensor.includes(directory.numbers(tag.photometric)[0] ?? 0),
  );
}

const known = new WeakMap<Uint8Array, RawPreview | undefined>();

/** The largest JPEG in a raw file; undefined when there is none. The same bytes are looked through once. */
export function rawPreview(bytes: Uint8Array): RawPreview | undefined {
  if (!known.has(bytes)) known.set(bytes, findPreview(bytes));
  return known.get(bytes);
}

/** The block that holds what the camera wrote of a raw picture: a TIFF, or a JPEG with one. */
export function rawExif(bytes: Uint8Array): Uint8Array {
  const head = ascii(bytes, 0, 4);
  if (/^(II\*\0|MM\0\*)/.test(head)) return bytes;
  if (head === "FUJI" || head === "IIU\0") return rawPreview(bytes)?.jpeg ?? bytes;
  const block = canonBlock(bytes);
  if (block !== undefined) return block;
  // Olympus' files are TIFFs by another name.
  const copy = bytes.slice(0, 2 ** 20);
  copy.set(head.startsWith("II") ? [0x2a, 0] : [0, 0x2a], 2);
  return copy;
}

function findPreview(bytes: Uint8Array): RawPreview | undefined {
  const directories = readDirectories(canonBlock(bytes) ?? bytes);
  const orientation = directories.flatMap((directory) => directory.numbers(tag.orientation))[0];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const named =
    ascii(bytes, 0, 8) === "FUJIFILM" && bytes.length > 92
      ? [{ from: view.getUint32(84), length: view.getUint32(88) }]
      : directories.flatMap(jpegsOf);
  let best = largest(named.flatMap(({ from, length }) => jpegAt(bytes, from, from + length)));
  if (best === undefined || Math.max(best.width, best.height) < smallPreview)
    best = largest([...(best === undefined ? [] : [best]), ...everyJpeg(bytes)]);
  return best && { jpeg: best.jpeg, orientation };
}

/** Where a directory says that JPEGs lie. */
function jpegsOf(directory: Directory): { from: number; length: number }[] {
  const places: { from: number; length: number }[] = [];
  const add = (from: number | undefined, length: number | undefined): void => {
    if (from !== undefined && length !== undefined) places.push({ from, length });
  };
  add(directory.numbers(tag.jpegOffset)[0], directory.numbers(tag.jpegLength)[0]);
  const [first, ...others] = directory.numbers(tag.stripOffsets);
  if ([6, 7].includes(directory.numbers(tag.compression)[0] ?? 0) && others.length === 0)
    add(first, directory.numbers(tag.stripByteCounts)[0]);
  const inside = directory.place(tag.jpgFromRaw);
  add(inside?.from, inside?.length);
  return places;
}

interface Found {
  readonly jpeg: Uint8Array;
  readonly width: number;
  readonly height: number;
}

const largest = (found: readonly Found[]): Found | undefined =>
  found.reduce<Found | undefined>(
    (best, one) => (best === undefined || one.width * one.height > best.width * best.height ? one : best),
    undefined,
  );

/** Every place where a JPEG begins. */
function everyJpeg(bytes: Uint8Array): Found[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found: Found[] = [];
  for (let at = 0, tried = 0; tried < mostFound; at += 3, tried++) {
    at = buffer.indexOf("ffd8ff", at, "hex");
    if (at < 0) break;
    found.push(...jpegAt(bytes, at, bytes.length));
  }
  return found;
}

/** The JPEG there, unless it is cut off, or one without loss: those hold the sensor's numbers. */
function jpegAt(bytes: Uint8Array, from: number, to: number): Found[] {
  if (!(from >= 0 && to <= bytes.length && to - from > 4)) return [];
  const view = new DataView(bytes.buffer, bytes.byteOffset + from, to - from);
  if (view.getUint16(0) !== 0xffd8) return [];
  for (let at = 2, seen = 0; at + 9 < view.byteLength && seen < mostMarkers; seen++) {
    const marker = view.getUint16(at);
    if (marker >= 0xffc0 && marker <= 0xffc2) {
      const [height, width] = [view.getUint16(at + 5), view.getUint16(at + 7)];
      return width * height > 0 ? [{ jpeg: bytes.subarray(from, to), width, height }] : [];
    }
    // Scans come after the frame; other frames are no pictures for everybody.
    if (marker < 0xffc4 || marker === 0xffda || (marker > 0xffc4 && marker < 0xffd0 && marker !== 0xffcc))
      return [];
    at += 2 + view.getUint16(at + 2);
  }
  return [];
}

/** Of a CR3, the block with the first directory's tags. */
function canonBlock(bytes: Uint8Array): Uint8Array | undefined {
  if (ascii(bytes, 4, 12) !== "ftypcrx ") return undefined;
  const at = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 2 ** 16)).indexOf("CMT1");
  return at < 0 ? undefined : bytes.subarray(at + 4);
}

/** One colour of a JPEG. */
export interface JpegComponent {
  /** Blocks of it in a unit of the file, across and down. */
  readonly across: number;
  readonly down: number;
  /** Divisors of its 64 coefficients, in the file's order. */
  readonly divisors: readonly number[];
  readonly dc: HuffmanCode;
  readonly ac: HuffmanCode;
}

/** How many codes there are of each length 1–16, and their symbols, short codes first. */
export interface HuffmanCode {
  readonly counts: Uint8Array;
  readonly symbols: Uint8Array;
}

/** What precedes the coded data of a baseline JPEG. */
export interface JpegHeader {
  readonly width: number;
  readonly height: number;
  /** Grey, or luminance and two colours. */
  readonly components: readonly JpegComponent[];
  /** Units between two restart markers; 0: there are none. */
  readonly restart: number;
  /** Where the coded data begins. */
  readonly start: number;
}

/** Reads 8-bit baseline JPEGs of one scan, grey or YCbCr; undefined for all others, and for what is damaged. */
export function readJpegHeader(bytes: Uint8Array): JpegHeader | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const divisors = new Map<number, number[]>();
  const codes = new Map<number, HuffmanCode>();
  let frame: Frame | undefined;
  let [restart, jfif, transform] = [0, false, 1];
  let at = 2;
  while (at + 4 <= bytes.length) {
    if (bytes[at] !== 0xff) return undefined;
    const marker = bytes[at + 1]!;
    if (marker === 0xff) {
      at++;
      continue;
    }
    const end = at + 2 + view.getUint16(at + 2);
    if (end > bytes.length) return undefined;
    const body = bytes.subarray(at + 4, end);
    at = end;
    if (marker === 0xdb) {
      if (!readDivisors(body, divisors)) return undefined;
    } else if (marker === 0xc4) {
      if (!readCodes(body, codes)) return undefined;
    } else if (marker === 0xc0 || marker === 0xc1) frame = readFrame(body);
    else if (marker === 0xdd && body.length >= 2) restart = body[0]! * 256 + body[1]!;
    else if (marker === 0xe0) jfif ||= beginsWith(body, "JFIF");
    else if (marker === 0xee && beginsWith(body, "Adobe")) transform = body[11] ?? 1;
    else if (marker === 0xda) {
      // A colour space of its own: the library knows what libjpeg makes of it.
      const foreign = frame?.ids.join() === "82,71,66" || (transform === 0 && !jfif);
      const components = frame && !foreign && readScan(body, frame, divisors, codes);
      return components ? { ...frame!, components, restart, start: at } : undefined;
    } else if ((marker >= 0xc2 && marker <= 0xcf) || marker < 0xc0) return undefined;
  }
  return undefined;
}

const beginsWith = (bytes: Uint8Array, text: string): boolean =>
  [...text].every((char, i) => bytes[i] === char.charCodeAt(0));

function readDivisors(body: Uint8Array, into: Map<number, number[]>): boolean {
  for (let at = 0; at < body.length;) {
    const head = body[at++]!;
    const wide = head >> 4 === 1;
    const size = wide ? 128 : 64;
    if (head >> 4 > 1 || at + size > body.length) return false;
    const table = Array.from({ length: 64 }, (_, i) =>
      wide ? body[at + 2 * i]! * 256 + body[at + 2 * i + 1]! : body[at + i]!,
    );
    into.set(head & 15, table);
    at += size;
  }
  return true;
}

function readCodes(body: Uint8Array, into: Map<number, HuffmanCode>): boolean {
  for (let at = 0; at < body.length;) {
    const head = body[at]!;
    const counts = body.subarray(at + 1, at + 17);
    const total = counts.reduce((sum, n) => sum + n, 0);
    const symbols = body.subarray(at + 17, at + 17 + total);
    if (counts.length < 16 || symbols.length < total || total > 256) return false;
    into.set(head, { counts, symbols });
    at += 17 + total;
  }
  return true;
}

interface Frame {
  readonly width: number;
  readonly height: number;
  readonly ids: readonly number[];
  readonly sampling: readonly number[];
  readonly tables: readonly number[];
}

function readFrame(body: Uint8Array): Frame | undefined {
  const count = body[5];
  if (body[0] !== 8 || (count !== 1 && count !== 3) || body.length < 6 + 3 * count) return undefined;
  const column = (offset: number) => Array.from({ length: count }, (_, i) => body[6 + 3 * i + offset]!);
  return {
    height: body[1]! * 256 + body[2]!,
    width: body[3]! * 256 + body[4]!,
    ids: column(0),
    sampling: column(1),
    tables: column(2),
  };
}

/** Samplings that are common: luminance once or twice in each direction, colours once. Of grey alone, none counts. */
const samplings = new Set(["17,17,17", "33,17,17", "34,17,17", "18,17,17"]);

function readScan(
  body: Uint8Array,
  { width, height, ids, sampling, tables }: Frame,
  divisors: ReadonlyMap<number, readonly number[]>,
  codes: ReadonlyMap<number, HuffmanCode>,
): JpegComponent[] | undefined {
  const count = ids.length;
  const alone = count === 1;
  if (!(width > 0 && height > 0) || body[0] !== count || body.length < 4 + 2 * count) return undefined;
  if (!alone && !samplings.has(sampling.join())) return undefined;
  const [first, last, refinement] = body.subarray(1 + 2 * count);
  if (first !== 0 || last !== 63 || refinement !== 0) return undefined;
  const components: JpegComponent[] = [];
  for (const [i, id] of ids.entries()) {
    const chosen = body[2 + 2 * i]!;
    const [dc, ac] = [codes.get(chosen >> 4), codes.get(16 + (chosen & 15))];
    const own = divisors.get(tables[i]!);
    if (body[1 + 2 * i] !== id || dc === undefined || ac === undefined || own === undefined) return undefined;
    const [across, down] = alone ? [1, 1] : [sampling[i]! >> 4, sampling[i]! & 15];
    components.push({ across, down, divisors: own, dc, ac });
  }
  return components;
}

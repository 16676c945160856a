import { crc32 } from "node:zlib";

/** A file in an archive: its contents one piece after another. */
export interface StoredFile {
  readonly name: string;
  readonly data: readonly Uint8Array[];
}

/** Where PyTorch wants numbers to begin, so that files can be mapped. */
const alignment = 64;
/** Space for the 64-bit sizes in a file's own header, and the head of the padding behind it. */
const sizesLength = 4 + 16;
const paddingHead = 4;
const saturated = { short: 0xffff, long: 0xffffffff };

/**
 * A zip archive of unpacked files, in pieces that are views of what came in. All sizes are 64-bit ones: one form for
 * archives of any length.
 *
 * @source PKWARE APPNOTE.TXT 6.3.10, sections 4.3 and 4.5.3; PyTorch `inline_container.cc` (padding)
 */
export function storedZip(files: readonly StoredFile[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let position = 0;
  for (const { name, data } of files) {
    const size = lengthOf(data);
    const crc = data.reduce((sum, piece) => crc32(piece, sum), 0);
    const title = new TextEncoder().encode(name);
    const bare = position + 30 + title.length + sizesLength + paddingHead;
    const padding = (alignment - (bare % alignment)) % alignment;
    const header = record()
      .u32(0x04034b50)
      .u16(45, 0, 0, 0, 0)
      .u32(crc, saturated.long, saturated.long)
      .u16(title.length, sizesLength + paddingHead + padding)
      .bytes(title)
      .u16(1, 16)
      .u64(size, size)
      .bytes(new TextEncoder().encode("FB"))
      .u16(padding)
      .bytes(new Uint8Array(padding))
      .end();
    directory.push(
      record()
        .u32(0x02014b50)
        .u16(45, 45, 0, 0, 0, 0)
        .u32(crc, saturated.long, saturated.long)
        .u16(title.length, 28, 0, 0, 0)
        .u32(0, saturated.long)
        .bytes(title)
        .u16(1, 24)
        .u64(size, size, position)
        .end(),
    );
    pieces.push(header, ...data);
    position += header.length + size;
  }
  return [...pieces, ...directory, endOf(files.length, lengthOf(directory), position)];
}

/** The 64-bit end record, its locator, and the short end record that points to them. */
const endOf = (count: number, size: number, offset: number): Uint8Array =>
  record()
    .u32(0x06064b50)
    .u64(44)
    .u16(45, 45)
    .u32(0, 0)
    .u64(count, count, size, offset)
    .u32(0x07064b50, 0)
    .u64(offset + size)
    .u32(1)
    .u32(0x06054b50)
    .u16(0, 0, saturated.short, saturated.short)
    .u32(saturated.long, saturated.long)
    .u16(0)
    .end();

const lengthOf = (pieces: readonly Uint8Array[]) => pieces.reduce((sum, { length }) => sum + length, 0);

/** Little-endian numbers one after another. */
function record() {
  const parts: Uint8Array[] = [];
  const add = (values: ArrayBufferView<ArrayBuffer>) => {
    parts.push(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    return builder;
  };
  const builder = {
    u16: (...values: number[]) => add(Uint16Array.from(values)),
    u32: (...values: number[]) => add(Uint32Array.from(values)),
    u64: (...values: number[]) => add(BigUint64Array.from(values, BigInt)),
    bytes: (values: Uint8Array<ArrayBuffer>) => add(values),
    end: (): Uint8Array => Buffer.concat(parts),
  };
  return builder;
}

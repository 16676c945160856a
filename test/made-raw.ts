import sharp from "sharp";

type Entry = readonly [tag: number, type: number, values: readonly number[] | string];

/** Bytes of a file that is built like a TIFF, part by part. */
export class MadeTiff {
  private bytes: number[];

  /** @param magic two bytes in the place of TIFF's 42 */
  constructor(
    private readonly little: boolean,
    magic: readonly [number, number] = little ? [42, 0] : [0, 42],
  ) {
    this.bytes = [...(little ? [0x49, 0x49] : [0x4d, 0x4d]), ...magic, 0, 0, 0, 0];
  }

  /** @returns where the bytes lie */
  put(bytes: Iterable<number>): number {
    const at = this.bytes.length;
    for (const byte of bytes) this.bytes.push(byte);
    return at;
  }

  /** @returns where the directory lies */
  directory(entries: readonly Entry[], next = 0): number {
    const fields = entries.flatMap(([tag, type, values]) => {
      const numbers = typeof values === "string" ? [...Buffer.from(`${values}\0`)] : values;
      const size = { 1: 1, 2: 1, 3: 2, 4: 4, 7: 1 }[type]!;
      const data = numbers.flatMap((value) => this.number(value, size));
      const inline = data.length <= 4 ? [...data, 0, 0, 0, 0].slice(0, 4) : this.number(this.put(data), 4);
      return [...this.number(tag, 2), ...this.number(type, 2), ...this.number(numbers.length, 4), ...inline];
    });
    return this.put([...this.number(entries.length, 2), ...fields, ...this.number(next, 4)]);
  }

  /** @param first where the first directory lies */
  file(first: number): Uint8Array {
    const file = Uint8Array.from(this.bytes);
    file.set(this.number(first, 4), 4);
    return file;
  }

  private number(value: number, size: number): number[] {
    const bytes = Array.from({ length: size }, (_, i) => Math.floor(value / 256 ** i) % 256);
    return this.little ? bytes : bytes.reverse();
  }
}

/** A photograph's halves, red at the left and blue at the right, as JPEG. */
export const halves = async (width: number, height: number): Promise<Uint8Array> =>
  new Uint8Array(
    await sharp({ create: { width, height, channels: 3, background: "red" } })
      .composite([
        {
          input: { create: { width: width / 2, height, channels: 3, background: "blue" } },
          left: width / 2,
          top: 0,
        },
      ])
      .jpeg({ quality: 95 })
      .toBuffer(),
  );

/** The start of a JPEG without loss, as raw files hold the sensor's numbers. */
export const losslessJpeg = Uint8Array.of(
  ...[0xff, 0xd8, 0xff, 0xc3, 0, 11, 14, 0x20, 0, 0x30, 0, 1, 1, 0x11, 0, 0xff, 0xda, 0, 8, 1, 1, 0, 0, 0, 0],
);

/** As Nikon lays a file out: a small picture first, the preview and the sensor's numbers in directories inside of it. */
export function madeNef(jpeg: Uint8Array, { little = true, orientation = 6 } = {}): Uint8Array {
  const tiff = new MadeTiff(little);
  const preview = tiff.directory([
    [0x103, 3, [6]],
    [0x201, 4, [tiff.put(jpeg)]],
    [0x202, 4, [jpeg.length]],
  ]);
  const sensor = tiff.directory([
    [0x103, 3, [34713]],
    [0x106, 3, [32803]],
  ]);
  return tiff.file(
    tiff.directory([
      [0x103, 3, [1]],
      [0x10f, 2, "NIKON CORPORATION"],
      [0x110, 2, "NIKON D90"],
      [0x112, 3, [orientation]],
      [0x14a, 4, [preview, sensor]],
    ]),
  );
}

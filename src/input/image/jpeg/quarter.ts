import type { Picture } from "../picture.js";
import type { Interpolation } from "../resize/coefficients.js";
import { resize } from "../resize/resize.js";
import { readJpegHeader, type JpegComponent, type JpegHeader } from "./header.js";
import { openKernel, type Kernel } from "./kernel.js";
import { codeBytes, stepBytes, writeCodes, writeSteps } from "./tables.js";

/** Larger files are left to the library: the kernel's memory, once grown, stays. */
const mostBytes = 1 << 25;

/**
 * Decodes a JPEG at a quarter of its size and brings it to a size below that. Only what such a small picture needs is read of
 * the file, which takes a third of the time that decoding takes otherwise.
 *
 * @returns undefined for all but ordinary photographs (`readJpegHeader`), and for damaged ones
 */
export function decodeQuarter(
  bytes: Uint8Array,
  { width, height }: { readonly width: number; readonly height: number },
  interpolation: Interpolation,
): Picture | undefined {
  const header = bytes.length <= mostBytes ? readJpegHeader(bytes) : undefined;
  const kernel = header && openKernel();
  if (kernel === undefined) return undefined;
  const planes = decodePlanes(bytes, header!, kernel);
  if (planes === undefined) return undefined;
  const [light, ...colours] = planes.map((plane) =>
    resize(plane, width, height, {
      interpolation,
      box: { left: 0, top: 0, width: plane.seen[0], height: plane.seen[1] },
    }),
  ) as [Picture, ...Picture[]];
  if (colours.length === 0) return { ...light, width, height };
  const size = width * height;
  const heap = kernel.memory(6 * size);
  [light, ...colours].forEach(({ data }, i) => heap.set(data as Uint8Array, i * size));
  kernel.toRgb(0, size, 2 * size, 3 * size, size);
  return { mode: "RGB", width, height, data: heap.slice(3 * size, 6 * size) };
}

/** Samples of one colour at a quarter of the picture's size. */
type Plane = Picture & {
  readonly mode: "L";
  /** Width and height without what fills the last units. */
  readonly seen: readonly [number, number];
};

function decodePlanes(bytes: Uint8Array, header: JpegHeader, kernel: Kernel): Plane[] | undefined {
  const { width, height, components } = header;
  const [most, tallest] = [components[0]!.across, components[0]!.down];
  const [across, down] = [Math.ceil(width / (8 * most)), Math.ceil(height / (8 * tallest))];
  const interval = header.restart === 0 ? across * down : header.restart;
  const segments = Math.ceil((across * down) / interval);

  let size = 0;
  const room = (length: number): number => {
    const at = size;
    size += (length + 15) & ~15;
    return at;
  };
  const list = room(32 * components.length);
  const space = room(336);
  const tables = components.map(() => ({
    dc: room(codeBytes),
    ac: room(codeBytes),
    steps: room(stepBytes),
    divisors: room(20),
  }));
  const segmentsAt = room(8 * segments);
  const planes = components.map(({ across: h, down: v }) => {
    const [stride, rows] = [2 * across * h, 2 * down * v];
    return { at: room(stride * rows), stride, rows };
  });
  const coded = bytes.length - header.start;
  // A damaged unit may be read past the end, which lies below.
  const copied = 4096 + coded + 16 * segments;
  const [plain, source] = [room(copied), room(coded)];

  const heap = kernel.memory(size);
  heap.set(bytes.subarray(header.start), source);
  const found = kernel.unstuff(source, source + coded, plain + copied - 1, segmentsAt, segments);
  if (found !== segments) return undefined;
  const fields = new Int32Array(heap.buffer, list, 8 * components.length);
  for (const [i, component] of components.entries()) {
    const { dc, ac, steps, divisors } = tables[i]!;
    if (!writeCodes(component.dc, heap, dc) || !writeCodes(component.ac, heap, ac)) return undefined;
    writeSteps(component.ac, heap, steps);
    new Int32Array(heap.buffer, divisors, 5).set(component.divisors.slice(0, 5));
    const { at, stride } = planes[i]!;
    fields.set([component.across, component.down, dc, ac, steps, divisors, at, stride], 8 * i);
  }
  if (kernel.scan(segmentsAt, interval, across, down, list, components.length, space) !== 0) return undefined;
  return planes.map(({ at, stride, rows }, i) => ({
    mode: "L",
    width: stride,
    height: rows,
    data: heap.slice(at, at + stride * rows),
    seen: seenOf(components[i]!, width / most, height / tallest),
  }));
}

/** To the fraction of a sample: half a sample of a quarter moves everything by two pixels of the picture. */
const seenOf = ({ across, down }: JpegComponent, width: number, height: number): [number, number] => [
  (width * across) / 4,
  (height * down) / 4,
];

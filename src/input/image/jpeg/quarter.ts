import type { Picture } from "../picture.js";
import { readJpegHeader, type JpegHeader } from "./header.js";
import { openKernel, type Kernel } from "./kernel.js";
import { shrink, type Plane, type Size, type Smooth } from "./shrink.js";
import { codeBytes, stepBytes, writeCodes, writeSteps } from "./tables.js";

/** Larger files are left to the library: the kernel's memory, once grown, stays. */
const mostBytes = 1 << 25;

/**
 * Decodes a JPEG at a quarter of its size and brings it to a size below that. Only what such a small picture needs is read of
 * the file, which takes a third of the time that decoding takes otherwise.
 *
 * @returns undefined for all but ordinary photographs (`readJpegHeader`), and for damaged ones
 */
export function decodeQuarter(bytes: Uint8Array, size: Size, interpolation: Smooth): Picture | undefined {
  const header = bytes.length <= mostBytes ? readJpegHeader(bytes) : undefined;
  const kernel = header && openKernel();
  if (kernel === undefined) return undefined;
  const decoded = decodePlanes(bytes, header!, kernel);
  if (decoded === undefined) return undefined;
  const { width, height } = size;
  const { places, free } = shrink(decoded.planes, size, interpolation, kernel, decoded.free);
  const [light, blue, red] = places as [number, number, number];
  const grey = places.length === 1;
  const pixels = width * height;
  const heap = kernel.memory(free + 3 * pixels);
  if (grey) kernel.toGrey(light, free, pixels);
  else kernel.toRgb(light, blue, red, free, pixels);
  const data = heap.slice(free, free + (grey ? 1 : 3) * pixels);
  return { mode: grey ? "L" : "RGB", width, height, data };
}

/** Planes at a quarter of the picture's size, and where the kernel's memory is free behind them. */
function decodePlanes(
  bytes: Uint8Array,
  header: JpegHeader,
  kernel: Kernel,
): { readonly planes: Plane[]; readonly free: number } | undefined {
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
  const planes = components.map((component): Plane => {
    const stride = 4 * across * component.across;
    return {
      at: room(stride * 2 * down * component.down),
      stride,
      seen: [(width * component.across) / (8 * most), (height * component.down) / (8 * tallest)],
    };
  });
  // What is read of the file is not needed once it is decoded.
  const free = size;
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
  return { planes, free };
}

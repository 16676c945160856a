import type { HuffmanCode } from "./header.js";

/** Bits by which short codes are looked up, and pairs of codes. */
const [shortBits, pairBits] = [9, 11];

/** Bytes of a table of codes, and of one of steps, as wasm/jpeg.ts reads them. */
export const [codeBytes, stepBytes] = [1160 + 256, 6 << pairBits];

/** Writes a table of codes. @returns false where there are more codes than fit */
export function writeCodes({ counts, symbols }: HuffmanCode, heap: Uint8Array, at: number): boolean {
  const short = new Uint16Array(heap.buffer, at, 1 << shortBits).fill(0);
  const limits = new Int32Array(heap.buffer, at + 1024, 17).fill(0);
  const offsets = new Int32Array(heap.buffer, at + 1092, 17).fill(0);
  heap.subarray(at + 1160, at + codeBytes).fill(0);
  heap.set(symbols, at + 1160);
  let [code, index] = [0, 0];
  for (let length = 1; length <= 16; length++) {
    const count = counts[length - 1]!;
    offsets[length] = index - code;
    for (let i = 0; i < count; i++, index++, code++) {
      if (length > shortBits) continue;
      const step = 1 << (shortBits - length);
      short.fill((length << 8) | symbols[index]!, code * step, (code + 1) * step);
    }
    if (code > 1 << length) return false;
    limits[length] = count === 0 ? 0 : code << (16 - length);
    code <<= 1;
  }
  return true;
}

interface Step {
  /** Of the code and the number behind it. */
  readonly bits: number;
  readonly code: number;
  /** Places that it goes forward; 64 at the end of a block. */
  readonly forward: number;
}

/** Writes the table that passes over coefficients, two at a time where both can be seen. */
export function writeSteps({ counts, symbols }: HuffmanCode, heap: Uint8Array, at: number): void {
  const steps: (Step | undefined)[] = Array<undefined>(1 << pairBits).fill(undefined);
  let [code, index] = [0, 0];
  for (let length = 1; length <= pairBits; length++, code <<= 1)
    for (let i = 0; i < counts[length - 1]!; i++, index++, code++) {
      const [run, size] = [symbols[index]! >> 4, symbols[index]! & 15];
      const forward = size === 0 && run !== 15 ? 64 : run + 1;
      const step = 1 << (pairBits - length);
      steps.fill({ bits: length + size, code: length, forward }, code * step, (code + 1) * step);
    }
  const table = new Int32Array(heap.buffer, at, steps.length).fill(0);
  const numbers = new Int16Array(heap.buffer, at + 4 * steps.length, steps.length).fill(0);
  steps.forEach((first, bits) => {
    if (first === undefined) return;
    const left = pairBits - first.bits;
    const behind =
      first.forward < 64 && left > 0 ? steps[(bits << first.bits) & (table.length - 1)] : undefined;
    const second = behind !== undefined && behind.code <= left ? behind : { bits: 0, forward: 0 };
    if (left >= 0) numbers[bits] = numberOf(bits >> left, first.bits - first.code);
    table[bits] =
      first.bits |
      (first.forward << 6) |
      ((first.bits + second.bits) << 13) |
      ((first.forward + second.forward) << 19) |
      (left >= 0 ? seen : 0);
  });
}

/** Marks a step whose number lies in the table. */
const seen = 1 << 31;

/** The signed number that the lowest `size` bits stand for. */
function numberOf(bits: number, size: number): number {
  const value = bits & ((1 << size) - 1);
  return size > 0 && value < 1 << (size - 1) ? value - (1 << size) + 1 : value;
}

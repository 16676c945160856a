import { kernelBinary } from "./kernel-binary.js";

// The part of WebAssembly's interface that is used: it is in browsers and in Node, but in no library of types for both.
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
};

/** Exports of wasm/jpeg.ts. */
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  unstuff(source: number, end: number, target: number, segments: number, most: number): number;
  scan(
    ...args: [
      ...[segments: number, interval: number, across: number, down: number],
      ...[components: number, count: number, space: number],
    ]
  ): number;
  horizontal(
    ...args: [source: number, stride: number, rows: number, target: number, width: number, ...Weights]
  ): void;
  vertical(...args: [source: number, width: number, target: number, rows: number, ...Weights]): void;
  toGrey(light: number, target: number, pixels: number): void;
  toRgb(light: number, blue: number, red: number, target: number, pixels: number): void;
}

export type Weights = [starts: number, counts: number, weights: number, taps: number];

export type Kernel = Omit<Exports, "memory"> & {
  /** Makes room for so many bytes and returns a view of the memory. */
  memory(bytes: number): Uint8Array;
};

const pageBytes = 1 << 16;
let opened: { readonly kernel: Kernel | undefined } | undefined;

/** The kernel of this thread; undefined where there is no SIMD. */
export function openKernel(): Kernel | undefined {
  opened ??= { kernel: open() };
  return opened.kernel;
}

function open(): Kernel | undefined {
  try {
    const bytes = Uint8Array.from(atob(kernelBinary), (char) => char.charCodeAt(0));
    const exports = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as Exports;
    const memory = (wanted: number): Uint8Array => {
      const missing = Math.ceil((wanted - exports.memory.buffer.byteLength) / pageBytes);
      if (missing > 0) exports.memory.grow(missing);
      return new Uint8Array(exports.memory.buffer);
    };
    return { ...exports, memory };
  } catch {
    return undefined;
  }
}

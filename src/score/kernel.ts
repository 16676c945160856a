import { kernelBinary } from "./dots-binary.js";

// The part of WebAssembly's interface that is used: it is in browsers and in Node, but in no library of types for both.
interface Memory {
  readonly buffer: ArrayBuffer;
}
declare const WebAssembly: {
  readonly Memory: new (size: { initial: number; maximum: number }) => Memory;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
};

/** Exports of wasm/dots.ts; the addresses are in bytes. */
export interface Kernel {
  readonly memory: ArrayBuffer;
  readonly dots: Call;
  readonly encode: Call;
  readonly codedDots: Call;
}
type Call = (...numbers: [number, number, number, number, number, number]) => void;

const pageBytes = 1 << 16;

const compiled = ((): object | undefined => {
  try {
    return new WebAssembly.Module(Uint8Array.from(atob(kernelBinary), (char) => char.charCodeAt(0)));
  } catch {
    return undefined;
  }
})();

/** Memory of so many bytes, and what computes in it by WebAssembly SIMD; undefined where that is missing. */
export function kernelWith(bytes: number): Kernel | undefined {
  if (compiled === undefined) return undefined;
  const pages = Math.ceil(bytes / pageBytes);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const { exports } = new WebAssembly.Instance(compiled, { env: { memory } });
  return { ...(exports as Omit<Kernel, "memory">), memory: memory.buffer };
}

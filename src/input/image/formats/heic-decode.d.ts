declare module "heic-decode" {
  interface Heic {
    readonly width: number;
    readonly height: number;
    decode(): Promise<{ readonly data: Uint8ClampedArray }>;
  }
  const one: { all(input: { buffer: Uint8Array }): Promise<readonly Heic[] & { dispose(): void }> };
  export default one;
}

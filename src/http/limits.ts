/** How much one request, and all together, may take. */
export interface Limits {
  readonly bodyBytes: number;
  /** Bodies that are being received or worked on, together. */
  readonly bodiesBytes: number;
  /** Of one picture. */
  readonly pixels: number;
  /** Pictures or texts of one request. */
  readonly items: number;
  readonly labels: number;
  /** Characters of one text. */
  readonly textLength: number;
  /** Requests that are worked on or wait for it; more are refused. */
  readonly queue: number;
  /** From the end of a request to its answer. */
  readonly timeMs: number;
  /** From a request's first byte to its last. */
  readonly receiveMs: number;
  readonly headerBytes: number;
  readonly connections: number;
}

export const defaultLimits: Limits = {
  bodyBytes: 32 * 2 ** 20,
  bodiesBytes: 256 * 2 ** 20,
  pixels: 64_000_000,
  items: 256,
  labels: 1000,
  textLength: 10_000,
  queue: 256,
  timeMs: 60_000,
  receiveMs: 30_000,
  headerBytes: 32 * 1024,
  connections: 2000,
};

/** A direction that a query wants, or does not. */
export interface Term {
  /** Of length 1. */
  readonly vector: Float32Array;
  readonly weight: number;
  /** What the vector is of: cosines with pictures spread further. */
  readonly kind: "text" | "picture";
}

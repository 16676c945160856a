import { tensor, type Tensor } from "../tensor/index.js";

/** Texts of one run of a tower. */
export interface TextBatch {
  /** int64 [texts, length], padded. */
  readonly ids: Tensor<"int64">;
  /** Of the rows without their padding. */
  readonly lengths: readonly number[];
}

/** Which tokens a tower computes: see `Packing`. */
export interface TextPacking {
  /** int64 [tokens] */
  readonly places: Tensor<"int64">;
  /** int64 [texts · length]; the padding's are those of any token. */
  readonly rows: Tensor<"int64">;
}

/**
 * Leaves out the padding, and a token whose text begins up to it as the one before it in the batch does: where a token sees
 * only those before it, it is the same token.
 */
export function packTexts({ ids, lengths }: TextBatch, sharePrefixes: boolean): TextPacking {
  const length = ids.shape[1]!;
  const places: number[] = [];
  const rows = new BigInt64Array(ids.data.length);
  lengths.forEach((own, text) => {
    const start = text * length;
    const row = ids.data.subarray(start, start + own);
    const before = ids.data.subarray(start - length, start - length + (lengths[text - 1] ?? 0));
    const shared = sharePrefixes ? commonLength(row, before) : 0;
    rows.copyWithin(start, start - length, start - length + shared);
    for (let i = shared; i < own; i++) rows[start + i] = BigInt(places.push(start + i) - 1);
  });
  return {
    places: tensor("int64", [places.length], BigInt64Array.from(places, BigInt)),
    rows: tensor("int64", [rows.length], rows),
  };
}

/** How many of the first elements two lists have in common. */
export function commonLength<T>(a: ArrayLike<T>, b: ArrayLike<T>): number {
  const most = Math.min(a.length, b.length);
  let n = 0;
  while (n < most && a[n] === b[n]) n++;
  return n;
}

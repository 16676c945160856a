import type { Explainer, PictureRow } from "../../score/index.js";
import { stackVectors } from "../embeddings/embeddings.js";

/** A picture that was found, and its vector. */
export interface Found {
  readonly id: string;
  readonly vector: Float32Array;
}

interface Kept {
  readonly vector: Float32Array;
  readonly row: PictureRow;
}

/** The pictures that were judged last: 9 kB each with 2,251 reference texts. */
const most = 4096;
const kept = new WeakMap<Explainer, Map<string, Kept>>();

/** What the reference texts say of pictures; of those that were read lately, from memory. */
export function readPictures(explain: Explainer, found: readonly Found[]): PictureRow[] {
  const known = kept.get(explain) ?? new Map<string, Kept>();
  kept.set(explain, known);
  const fresh = found.filter(({ id, vector }) => !equal(known.get(id)?.vector, vector));
  const rows = fresh.length === 0 ? [] : explain.read(stackVectors(fresh.map(({ vector }) => vector)));
  // Copies: a view would keep all that was found beside it.
  for (const [i, { id, vector }] of fresh.entries()) known.set(id, { vector: vector.slice(), row: rows[i]! });
  const result = found.map(({ id }) => {
    const entry = known.get(id)!;
    // A map keeps the order of insertion: the first is the one that was not asked for the longest.
    known.delete(id);
    known.set(id, entry);
    return entry.row;
  });
  while (known.size > most) known.delete(known.keys().next().value!);
  return result;
}

function equal(a: Float32Array | undefined, b: Float32Array): boolean {
  if (a?.length !== b.length) return false;
  for (let i = 0; i < b.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

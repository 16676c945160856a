import type { Encoder } from "../../model/index.js";
import { memoryStore } from "../../store/index.js";
import { rowsOf, type Embeddings } from "../embeddings/embeddings.js";
import type { Collection } from "./collection.js";

/** Embeddings as a collection, in memory: what an index answers, they answer, too. */
export async function collectionOf(
  { identity, items, vectors }: Embeddings,
  encoder: Encoder,
): Promise<Collection> {
  const store = memoryStore();
  await store.addSet({ identity, dim: vectors.shape[1] ?? 0 });
  const rows = rowsOf(vectors);
  await store.upsert(items.map((id, i) => ({ id, fields: {}, vectors: { [identity]: rows[i]! } })));
  return { store, encoder, identity, close: () => store.close() };
}

import { CliptError } from "../../tensor/index.js";
import { rowsOf } from "../embeddings/embeddings.js";
import { encodePicture } from "../encode-picture.js";
import { encodeTexts } from "../encode-texts.js";
import type { Context } from "../task.js";
import type { Collection } from "./collection.js";
import type { QueryPart } from "./query-part.js";
import type { Term } from "./term.js";

/** Texts and pictures of one query: each of them is encoded. */
const mostParts = 100;

/** What a query says, as directions. */
export interface Said {
  readonly terms: Term[];
  /** Texts that are longer than the model reads. */
  readonly truncated: string[];
}

/**
 * The parts of queries as directions. Texts of all of them are encoded together.
 *
 * @throws `input` for parts that say nothing, `missing` for an item that is not in the index
 */
export async function partTerms(
  collection: Collection,
  queries: readonly { readonly parts: readonly QueryPart[]; readonly exact?: boolean | undefined }[],
  context: Context,
): Promise<Said[]> {
  const { store, encoder, identity } = collection;
  for (const { parts } of queries) check(parts);
  const all = queries.flatMap(({ parts }) => parts);
  const texts = [...new Set(all.flatMap(({ text }) => text ?? []))];
  const ids = [...new Set(all.flatMap(({ item }) => item ?? []))];
  const encoded = texts.length === 0 ? undefined : await encodeTexts(texts, encoder, context);
  const rows = encoded === undefined ? [] : rowsOf(encoded.features);
  const rowOf = new Map(texts.map((text, i) => [text, rows[i]!]));
  const cut = new Set(encoded?.truncated.map((i) => texts[i]));
  const items = new Map(
    (ids.length === 0 ? [] : await store.get(ids, identity)).map((item) => [
      item?.id,
      item?.vectors?.[identity],
    ]),
  );

  const vectorOf = async ({ text, picture, item }: QueryPart, exact = false): Promise<Float32Array> => {
    context.signal.throwIfAborted();
    if (text !== undefined) return rowOf.get(text)!;
    if (picture !== undefined) return encodePicture(picture, encoder, exact, context);
    const vector = items.get(item);
    if (vector === undefined) throw new CliptError("missing", `The index has no picture ${item}.`);
    return vector;
  };
  const said: Said[] = [];
  for (const { parts, exact } of queries) {
    const terms: Term[] = [];
    for (const part of parts) {
      const kind = part.text === undefined ? "picture" : "text";
      terms.push({ vector: await vectorOf(part, exact), weight: part.weight, kind });
    }
    const truncated = parts.flatMap(({ text }) => (text !== undefined && cut.has(text) ? [text] : []));
    said.push({ terms, truncated });
  }
  return said;
}

function check(parts: readonly QueryPart[]): void {
  if (parts.length > mostParts)
    throw new CliptError("input", `A query has ${mostParts} parts at most, not ${parts.length}.`);
  for (const { text, picture, item, weight } of parts) {
    if ([text, picture, item].filter((given) => given !== undefined).length !== 1)
      throw new CliptError("input", "Each part of a query is a text, a picture or an item: one of them.");
    if (text?.trim() === "") throw new CliptError("input", "The query is empty.");
    if (!Number.isFinite(weight) || weight === 0)
      throw new CliptError("input", `The weight of a part is a number other than 0, not ${weight}.`);
  }
}

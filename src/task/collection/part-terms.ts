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

/**
 * The parts of a query as directions.
 *
 * @throws `input` for parts that say nothing, `missing` for an item that is not in the index
 */
export async function partTerms(
  { store, encoder, identity }: Collection,
  parts: readonly QueryPart[],
  exact: boolean,
  context: Context,
): Promise<Term[]> {
  if (parts.length > mostParts)
    throw new CliptError("input", `A query has ${mostParts} parts at most, not ${parts.length}.`);
  parts.forEach(check);
  const texts = [...new Set(parts.flatMap(({ text }) => text ?? []))];
  const ids = [...new Set(parts.flatMap(({ item }) => item ?? []))];
  const textRows = texts.length === 0 ? [] : rowsOf(await encodeTexts(texts, encoder, context));
  const items = ids.length === 0 ? [] : await store.get(ids, identity);

  const terms: Term[] = [];
  for (const { text, picture, item, weight } of parts) {
    context.signal.throwIfAborted();
    if (text !== undefined) terms.push({ vector: textRows[texts.indexOf(text)]!, weight, kind: "text" });
    else if (picture !== undefined)
      terms.push({ vector: await encodePicture(picture, encoder, exact, context), weight, kind: "picture" });
    else {
      const vector = items[ids.indexOf(item!)]?.vectors?.[identity];
      if (vector === undefined) throw new CliptError("missing", `The index has no picture ${item}.`);
      terms.push({ vector, weight, kind: "picture" });
    }
  }
  return terms;
}

function check({ text, picture, item, weight }: QueryPart): void {
  if ([text, picture, item].filter((given) => given !== undefined).length !== 1)
    throw new CliptError("input", "Each part of a query is a text, a picture or an item: one of them.");
  if (text?.trim() === "") throw new CliptError("input", "The query is empty.");
  if (!Number.isFinite(weight) || weight === 0)
    throw new CliptError("input", `The weight of a part is a number other than 0, not ${weight}.`);
}

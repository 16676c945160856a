import type { Tensor } from "../../tensor/index.js";
import { topK } from "../top-k.js";

/** CLIP_benchmark's keys: `image_retrieval_recall@1`, `text_retrieval_recall@1`, … */
export type RetrievalMetrics = Readonly<Record<string, number>>;

/**
 * Share of queries with at least one hit among the best k: texts looking for their picture (`image_retrieval`),
 * pictures looking for any of their texts (`text_retrieval`).
 *
 * @param images    [pictures, dim], rows of length 1
 * @param texts     [texts, dim], rows of length 1
 * @param imageOf   index of each text's picture; pictures without a text are not asked for one
 * @source          CLIP_benchmark `zeroshot_retrieval.evaluate`
 */
export function retrievalMetrics(
  images: Tensor<"float32">,
  texts: Tensor<"float32">,
  imageOf: readonly number[],
  ks: readonly number[] = [1, 5, 10],
): RetrievalMetrics {
  const deepest = Math.max(...ks);
  // For each query the place of its first hit, Infinity when it is deeper than asked for.
  const imagePlaces = topK(texts, images, deepest).map((hits, text) =>
    placeOf(hits.map(({ index }) => index === imageOf[text])),
  );
  const described = new Set(imageOf);
  const textPlaces = topK(images, texts, deepest)
    .map((hits, image) => placeOf(hits.map(({ index }) => imageOf[index] === image)))
    .filter((_, image) => described.has(image));
  const recall = (places: readonly number[], k: number) =>
    places.filter((place) => place < k).length / places.length;
  return Object.fromEntries(
    ks.flatMap((k) => [
      [`image_retrieval_recall@${k}`, recall(imagePlaces, k)],
      [`text_retrieval_recall@${k}`, recall(textPlaces, k)],
    ]),
  );
}

function placeOf(found: readonly boolean[]): number {
  const place = found.indexOf(true);
  return place < 0 ? Infinity : place;
}

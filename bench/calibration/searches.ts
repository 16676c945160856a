import {
  drawCollection,
  drawSome,
  searchAll,
  type Example,
  type Explainer,
  type Known,
  type KnownQuery,
} from "../../src/score/index.js";
import { random, shuffle, type Random } from "../../src/tensor/index.js";
import { classesOf, placesOf, type JudgeOf } from "./judge.js";

/** Collections that are drawn. */
const halves = 20;

/** Photographs of a small collection. */
const few = 25;

/** An example with what the labels alone say of it. */
export interface Labelled extends Example {
  readonly labelled: boolean;
}

/**
 * The pilot's question: is it here? Pictures of half of the classes, names of all.
 *
 * @param photographs so many are mixed in; by labels they show none of the classes, by captions some
 */
export function inHalves(known: Known, photographs: number, judgeOf: JudgeOf): Labelled[][] {
  const rng = random("halves");
  const classes = classesOf(known);
  return Array.from({ length: halves }, () => {
    const here = drawSome(classes, classes.length / 2, rng);
    const collection = drawCollection(
      known.pictures,
      { classes: here, perClass: Infinity, photographs },
      rng,
    );
    const examples = searchWith(known, collection, oneOfEach(ofClasses(known), rng), judgeOf);
    return examples.map((example) => ({ ...example, labelled: here.has(example.query.thing) }));
  });
}

/** Queries for classes by name, bare and in sentences. */
export const ofClasses = ({ queries }: Known): KnownQuery[] =>
  queries.filter(({ kind }) => /^.. (names|sentences)$/.test(kind));

/** Searches for everyday words, or captions, among a few photographs: in more of them nearly everything may be seen. */
export function inPhotographs(known: Known, kinds: RegExp, judgeOf: JudgeOf): Example[][] {
  const rng = random(["photographs", kinds.source]);
  const { photographs } = placesOf(known);
  const asked = known.queries.filter(({ kind }) => kinds.test(kind));
  return Array.from({ length: halves }, () => {
    const collection = shuffle([...photographs], rng).slice(0, few);
    return searchWith(known, collection, oneOfEach(asked, rng), judgeOf);
  });
}

/** One query of each kind for each thing. */
function oneOfEach(queries: readonly KnownQuery[], rng: Random): KnownQuery[] {
  const taken = new Set<string>();
  return shuffle([...queries], rng).filter(({ kind, thing }) => {
    const key = `${kind} ${thing}`;
    if (taken.has(key)) return false;
    taken.add(key);
    return true;
  });
}

/** Each query with its own judge's reference texts. */
export function searchWith(
  { pictures }: Known,
  collection: readonly number[],
  queries: readonly KnownQuery[],
  judgeOf: JudgeOf,
): Example[] {
  const byExplainer = new Map<Explainer, KnownQuery[]>();
  for (const query of queries) {
    const { explain } = judgeOf(query);
    byExplainer.set(explain, [...(byExplainer.get(explain) ?? []), query]);
  }
  return Array.from(byExplainer, ([explain, list]) => searchAll(pictures, collection, list, explain)).flat();
}

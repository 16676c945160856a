import { random, type Random } from "../../tensor/index.js";
import { drawChoices, type Choice } from "./choices.js";
import { drawCollection, drawSome, searchAll, type Draw, type Example } from "./collections.js";
import type { Explainer } from "./explained.js";
import { grouped } from "./grouped.js";
import { isThere, leavesOpen, type Known, type KnownQuery } from "./known.js";
import { drawPairs, type Pair } from "./pairs.js";

export interface Practice {
  readonly examples: readonly Example[];
  readonly pairs: readonly Pair[];
  readonly choices: readonly Choice[];
}

/** Collections that are drawn. */
const draws = 400;
/** Pictures of one class. */
const mostPictures = 20;
/** Queries put to each collection. */
const asked = 160;
/** Queries of a kind that are looked through for some that are there, and some that are not. */
const lookedThrough = 150;
/** Lists of labels that are drawn. */
const lists = 2000;
/** Labels of the longest. */
const longest = 50;

/**
 * Practice for a calibration: searches in collections of many sizes, drawn at random from pictures of classes, from photographs,
 * and from both, with queries whose answers are there and queries whose answers are not; and pairs, half of which match.
 *
 * @param allowed queries that may be learned from; all pictures take part
 */
export function practise(
  { pictures, queries }: Known,
  explain: Explainer,
  seed: string,
  allowed: (query: KnownQuery) => boolean = () => true,
): Practice {
  const rng = random(seed);
  const wanted = queries.filter(allowed);
  const classes = [...new Set(pictures.classes)].filter((own) => own >= 0);
  const photographs = pictures.classes.filter((own) => own < 0).length;
  const byKind = [...grouped(wanted, ({ kind }) => kind).values()];
  const isClass = ({ thing }: KnownQuery): boolean => classes.includes(thing);
  const examples: Example[] = [];
  for (let draw = 0; draw < draws; draw++) {
    const collection = drawCollection(pictures, drawSizes(draw, classes, photographs, rng), rng);
    const found = searchAll(pictures, collection, balanced(byKind, collection, rng), explain);
    // Where photographs leave a class open it is never known to be absent: that it is here says nothing either.
    const open = ({ query }: Example): boolean => isClass(query) && leavesOpen(query, collection);
    examples.push(...found.map((example) => (open(example) ? { ...example, present: undefined } : example)));
  }
  const among = (classed: boolean): number[] =>
    pictures.classes.flatMap((own, i) => (own >= 0 === classed ? [i] : []));
  const names = wanted.filter(isClass);
  const others = wanted.filter((query) => !isClass(query));
  return {
    examples,
    // The wrong picture is of the same sort as the right one: no thumbnail is taken for what a caption says.
    pairs: [
      ...drawPairs(pictures, among(true), names, explain, rng),
      ...drawPairs(pictures, among(photographs === 0), others, explain, rng),
    ],
    choices: drawChoices(pictures, names, lists, () => Math.round(between(1, longest, rng)), explain, rng),
  };
}

/** Of five collections, one has pictures of classes alone, one photographs alone, the others both. */
function drawSizes(draw: number, classes: readonly number[], photographs: number, rng: Random): Draw {
  const without = classes.length === 0 ? "classes" : photographs === 0 ? "photographs" : undefined;
  const [share, perClass] =
    draw % 2 === 0
      ? [between(0.3, 0.7, rng), between(5, mostPictures, rng)]
      : [between(0.02, 0.7, rng), between(1, mostPictures, rng)];
  const ofClasses = without !== "classes" && (draw % 5 !== 1 || without === "photographs");
  const ofPhotographs = without !== "photographs" && (draw % 5 !== 0 || without === "classes");
  return {
    classes: ofClasses ? drawSome(classes, Math.max(1, Math.round(share * classes.length)), rng) : new Set(),
    perClass: Math.round(perClass),
    photographs: ofPhotographs ? Math.round(between(10, photographs, rng)) : 0,
  };
}

/** Of any order of magnitude: small ones are as likely as large ones. */
const between = (least: number, most: number, rng: Random): number => least * (most / least) ** rng.next();

/** Queries of which half look for what is there, and none for what nobody knows; every kind is drawn equally often. */
function balanced(
  byKind: readonly (readonly KnownQuery[])[],
  collection: readonly number[],
  rng: Random,
): KnownQuery[] {
  const [here, absent]: [KnownQuery[][], KnownQuery[][]] = [[], []];
  const known = new Map<KnownQuery["truth"], boolean | undefined>();
  for (const kind of byKind) {
    const some = Array.from({ length: lookedThrough }, () => kind[rng.int(kind.length)]!);
    const there = some.map((query) => {
      if (!known.has(query.truth)) known.set(query.truth, isThere(query, collection));
      return known.get(query.truth);
    });
    here.push(some.filter((_, i) => there[i] === true));
    absent.push(some.filter((_, i) => there[i] === false));
  }
  const draw = (lists: readonly KnownQuery[][]): KnownQuery[] => {
    const filled = lists.filter(({ length }) => length > 0);
    return Array.from({ length: filled.length === 0 ? 0 : asked / 2 }, () => {
      const list = filled[rng.int(filled.length)]!;
      return list[rng.int(list.length)]!;
    });
  };
  return [...draw(here), ...draw(absent)];
}

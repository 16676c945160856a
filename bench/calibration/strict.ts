import {
  agreeing,
  dotProducts,
  explainer,
  fitCalibration,
  practise,
  type Explainer,
  type Known,
  type KnownQuery,
  type TextWeights,
} from "../../src/score/index.js";
import type { ReferenceVectors } from "../../src/task/calibration/reference-texts.js";
import { f32, random, shuffle } from "../../src/tensor/index.js";
import { flatHeads, type Judge, type JudgeOf } from "./judge.js";

const folds = 5;
/** Cosine of texts that say nearly the same. */
const same = 0.75;

/**
 * Fits anew, in five turns, without the things that are asked about: their names, sentences and truths are kept out of the fit.
 *
 * @param fit     what is learned from
 * @param asked   what is asked about
 * @param explain by all reference texts
 * @param hide    whether what says the same is kept out of the reference texts, too
 * @returns       what is asked about, as it lies among the reference texts that are left, and by what it is judged
 */
export function strictly(
  fit: Known,
  asked: Known,
  explain: Explainer,
  reference: ReferenceVectors,
  hide: boolean,
): { asked: Known; judgeOf: JudgeOf } {
  const things = [...new Set(asked.queries.filter((query) => !isCaption(query)).map(({ thing }) => thing))];
  const foldOf = new Map(shuffle(things, random("strict")).map((thing, i) => [thing, i % folds]));
  const turns = Array.from({ length: folds }, (_, fold) => {
    const own = asked.queries.filter(
      (query) => hide && /^en (names|words)$/.test(query.kind) && foldOf.get(query.thing) === fold,
    );
    const { without, placed } = masked(explain, reference, own);
    const practice = practise(
      { ...fit, queries: fit.queries.map(placed) },
      without,
      "calibrate",
      (query) => isCaption(query) || foldOf.get(query.thing) !== fold,
    );
    const judge: Judge = {
      calibration: fitCalibration(practice, { identity: "", reference: "" }),
      explain: without,
      flat: flatHeads(practice),
    };
    return { judge, placed };
  });
  const turnOf = ({ thing }: KnownQuery) => turns[foldOf.get(thing) ?? 0]!;
  return {
    asked: { ...asked, queries: asked.queries.map((query) => turnOf(query).placed(query)) },
    judgeOf: (query) => turnOf(query).judge,
  };
}

const isCaption = ({ kind }: KnownQuery): boolean => kind.endsWith("captions");

/** As if the reference texts that say what these queries say were not there. */
function masked(
  explain: Explainer,
  { texts, kinds }: ReferenceVectors,
  queries: readonly KnownQuery[],
): { without: Explainer; placed: (query: KnownQuery) => KnownQuery } {
  const gone = new Set<number>();
  const [count = 0, width = 0] = texts.shape;
  for (const { search } of queries)
    for (const [t, cosine] of dotProducts(f32([1, width], search), texts).entries())
      if (cosine >= same) gone.add(t);
  // A text without direction is near to none, and counts against none.
  const left = texts.data.slice();
  for (const t of gone) left.fill(0, t * width, (t + 1) * width);
  const rest = explainer(f32([count, width], left), kinds);
  const known = new WeakMap<Float32Array, TextWeights>();
  const without: Explainer = {
    ...explain,
    weigh(text) {
      const weights =
        known.get(text) ?? (rest.weigh(text).map((weight, t) => (gone.has(t) ? 0 : weight)) as TextWeights);
      known.set(text, weights);
      return weights;
    },
    place(text) {
      const { nearest, mean } = rest.place(text);
      return { nearest, mean: (mean * count) / (count - gone.size) };
    },
  };
  const placed = (query: KnownQuery): KnownQuery => ({
    ...query,
    traits: {
      ...query.traits,
      place: without.place(query.evidence),
      agreeing: agreeing(rest.weigh(query.evidence)),
    },
  });
  return { without, placed };
}

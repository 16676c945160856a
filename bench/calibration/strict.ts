import {
  dotProducts,
  fitCalibration,
  practise,
  type Explainer,
  type Known,
  type KnownQuery,
} from "../../src/score/index.js";
import { f32, random, shuffle, type Tensor } from "../../src/tensor/index.js";
import { flatHeads, type Judge, type JudgeOf } from "./judge.js";

const folds = 5;
/** Cosine of texts that say nearly the same. */
const same = 0.75;

/**
 * Fits anew, in five turns, without the things that are asked about: their names, sentences and truths are kept out of the fit,
 * and what says the same out of the reference texts.
 *
 * @param fit   what is learned from
 * @param asked what is asked about
 */
export function strictJudges(
  fit: Known,
  asked: Known,
  explain: Explainer,
  reference: Tensor<"float32">,
): JudgeOf {
  const things = [...new Set(asked.queries.filter((query) => !isCaption(query)).map(({ thing }) => thing))];
  const foldOf = new Map(shuffle(things, random("strict")).map((thing, i) => [thing, i % folds]));
  const judges = Array.from({ length: folds }, (_, fold): Judge => {
    const own = asked.queries.filter(
      (query) => /^en (names|words)$/.test(query.kind) && foldOf.get(query.thing) === fold,
    );
    const without = masked(explain, reference, own);
    const practice = practise(
      fit,
      without,
      "calibrate",
      (query) => isCaption(query) || foldOf.get(query.thing) !== fold,
    );
    return {
      calibration: fitCalibration(practice, { identity: "", reference: "" }),
      explain: without,
      flat: flatHeads(practice),
    };
  });
  return (query) => judges[foldOf.get(query.thing) ?? 0]!;
}

const isCaption = ({ kind }: KnownQuery): boolean => kind.endsWith("captions");

/** As if the reference texts that say what these queries say were not there. */
function masked(explain: Explainer, reference: Tensor<"float32">, queries: readonly KnownQuery[]): Explainer {
  const gone = new Set<number>();
  const count = reference.shape[0] ?? 0;
  for (const { search } of queries)
    for (const [t, cosine] of dotProducts(f32([1, search.length], search), reference).entries())
      if (cosine >= same) gone.add(t % count);
  const known = new WeakMap<Float32Array, ReturnType<Explainer["weigh"]>>();
  return {
    ...explain,
    weigh(text) {
      const weights =
        known.get(text) ??
        (explain.weigh(text).map((weight, t) => (gone.has(t) ? 0 : weight)) as ReturnType<
          Explainer["weigh"]
        >);
      known.set(text, weights);
      return weights;
    },
  };
}

import { join } from "node:path";
import { packageRoot } from "../src/package-root.js";
import {
  adapt,
  drawChoices,
  drawCollection,
  drawLabels,
  drawPairs,
  fitCalibration,
  fitLogistic,
  hitLogits,
  hitProbabilities,
  holdsTruth,
  logitOf,
  noneProbability,
  pairProbability,
  practise,
  presence,
  reliability,
  searchAll,
  sigmoid,
  type Calibration,
  type Example,
  type Explainer,
  type Known,
  type LabelledQuery,
  type Practice,
} from "../src/score/index.js";
import { openServices, type Context } from "../src/task/index.js";
import { explainerOf } from "../src/task/calibration/judge.js";
import { encodeData, knownByCaption, knownByClass } from "../src/task/calibration/known-pictures.js";
import { openCalibration } from "../src/task/calibration/open-calibration.js";
import { referenceVectors } from "../src/task/calibration/reference-texts.js";
import { dotProducts } from "../src/score/index.js";
import { f32, random, shuffle } from "../src/tensor/index.js";
import { readLabelSet } from "../src/train/data/index.js";
import { option, type Benchmark } from "./benchmark.js";

const shared = join(packageRoot, "..", "shared", "data");
const halves = 20;
const folds = 5;
/** Best flat scores: means of the nearest cosines. */
const flats = [1, 3, 5, 10];

/**
 * Calibration on data that it was not fitted on; docs/calibration.md has the tables.
 *
 *     npm run bench -- calibration [--fit-labelled TAR --fit-captioned TAR] --captioned TAR --json
 *
 * With the data of the fit, it is also fitted anew without the names that it is asked about ("strict").
 */
export default {
  summary: "Calibrated relevance on data that it was not fitted on",
  async run(args) {
    const file = (name: string, fallback: string): string => option(args, name) ?? join(shared, fallback);
    const services = openServices({
      cacheFolder: option(args, "cache") ?? join(packageRoot, "runs", "cache"),
    });
    const context: Context = { services, signal: new AbortController().signal, emit: () => {} };
    try {
      const encoder = await services.encoder({ model: option(args, "model") });
      const explain = await explainerOf(encoder, context);
      const classnames = [file("classnames", "classnames.txt"), file("classnames-ru", "classnames.ru.txt")];
      const captions = [
        file("captions-ru", "flickr8k-test-200.ru.jsonl"),
        file("captions", "captions-multilingual.jsonl.gz"),
      ];
      const languages = ["en", "ru", "zh", "de", "fr"];
      const byClass = async (data: string, wanted: (i: number) => boolean): Promise<Known> =>
        knownByClass(
          await encodeData(data, [], encoder, context),
          { data, classnames, templates: wanted },
          encoder,
          explain,
          context,
        );
      const byCaption = async (data: string): Promise<Known> =>
        knownByCaption(
          await encodeData(data, captions, encoder, context),
          languages,
          encoder,
          explain,
          context,
        );

      const odd = (i: number): boolean => i % 2 === 1;
      const tiny = await byClass(file("labelled", "tinyimagenet-test-000000.tar"), odd);
      const only = option(args, "only");
      const captioned = file("captioned", "flickr8k-test-000000.tar");
      const flickr = await byCaption(captioned);
      const named = namedIn(
        (await encodeData(captioned, [], encoder, context)).flatMap(({ sample }) =>
          sample.captions.map(({ text }) => text),
        ),
        (await readLabelSet({ classnames: classnames[0]! })).names,
      );
      const shipped = await openCalibration(encoder.model);
      const [fitLabelled, fitCaptioned] = [option(args, "fit-labelled"), option(args, "fit-captioned")];
      const result: Record<string, unknown> = {};
      if (shipped !== undefined && only !== "strict")
        result["shipped"] = report(tiny, flickr, named, explain, encoder.scale, () => ({
          calibration: shipped,
          explain,
        }));
      if (fitLabelled !== undefined && fitCaptioned !== undefined && only !== "shipped") {
        const sets = [await byClass(fitLabelled, (i) => !odd(i)), await byCaption(fitCaptioned)];
        const { texts: reference } = await referenceVectors(encoder, context);
        const foldOf = new Map(
          shuffle([...new Set(tiny.pictures.labels)], random("strict")).map((label, i) => [label, i % folds]),
        );
        const names = tiny.queries.filter(({ kind }) => kind === "en names");
        const fitted = Array.from({ length: folds }, (_, fold) => {
          const own = names.filter(({ label }) => foldOf.get(label) === fold);
          const without = masked(explain, reference, own);
          const practice = practise(
            sets,
            without,
            "calibrate",
            ({ label, kind }) => kind.endsWith("captions") || foldOf.get(label) !== fold,
          );
          const flat = flatHeads(practice);
          return {
            calibration: fitCalibration(practice, { identity: "", reference: "" }),
            explain: without,
            flat,
          };
        });
        result["strict"] = report(tiny, flickr, named, explain, encoder.scale, ({ label, kind }) =>
          kind.endsWith("captions") ? fitted[0]! : fitted[foldOf.get(label)!]!,
        );
      }
      return result;
    } finally {
      await services.close();
    }
  },
} satisfies Benchmark;

interface Judge {
  readonly calibration: Calibration;
  readonly explain: Explainer;
  readonly flat?: Flat;
}

interface Flat {
  readonly pair: ReturnType<typeof fitLogistic>;
  readonly hit: ReturnType<typeof fitLogistic>;
}

/** Logistic regressions on the cosine alone: what the calibration is compared with. */
function flatHeads({ pairs, examples }: Practice): Flat {
  const hits = examples.flatMap(({ searched }) =>
    searched.slice(0, 10).map(({ cosine, match }) => ({ x: [cosine], match })),
  );
  return {
    pair: fitLogistic(
      pairs.map(({ searched }) => [searched]),
      pairs.map(({ matches }) => matches),
    ),
    hit: fitLogistic(
      hits.map(({ x }) => x),
      hits.map(({ match }) => match),
    ),
  };
}

/** As if the reference texts that say what these queries say were not there. */
function masked(
  explain: Explainer,
  reference: Parameters<typeof dotProducts>[1],
  queries: readonly LabelledQuery[],
): Explainer {
  const gone = new Set<number>();
  const count = reference.shape[0] ?? 0;
  for (const { search } of queries)
    for (const [t, cosine] of dotProducts(f32([1, search.length], search), reference).entries())
      if (cosine >= 0.75) gone.add(t % count);
  const known = new WeakMap<Float32Array, ReturnType<Explainer["weigh"]>>();
  return {
    ...explain,
    weigh(text) {
      const before = known.get(text);
      if (before !== undefined) return before;
      const weights = explain.weigh(text).map((weight, t) => (gone.has(t) ? 0 : weight)) as ReturnType<
        Explainer["weigh"]
      >;
      known.set(text, weights);
      return weights;
    },
  };
}

function report(
  tiny: Known,
  flickr: Known,
  named: ReadonlySet<number>,
  explain: Explainer,
  scale: number,
  judgeOf: (query: LabelledQuery) => Judge,
): Record<string, unknown> {
  const mixed = inHalves(tiny, flickr, judgeOf);
  return {
    pairs: pairTable([tiny, flickr], judgeOf),
    presence: askedTable(inHalves(tiny, undefined, judgeOf), tiny, judgeOf),
    presenceWithFlickr: askedTable(mixed, tiny, judgeOf),
    // What captions name is in the photographs, whatever the labels say.
    presenceWithFlickrUnnamed: askedTable(
      mixed.map((list) => list.filter(({ query }) => !named.has(query.label))),
      tiny,
      judgeOf,
    ),
    marks: marksTable(tiny, flickr, judgeOf),
    captions: captionTable(flickr, judgeOf),
    labels: labelTable(tiny, explain, scale, judgeOf),
  };
}

/** Numbers for people: three digits. */
const short = (values: object): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(values).map(([key, value]) => [
      key,
      typeof value === "number" ? Number(value.toFixed(4)) : value,
    ]),
  );

/** Half of the pairs match. */
function pairTable(sets: readonly Known[], judgeOf: (query: LabelledQuery) => Judge): unknown {
  const rows = new Map<string, { p: number[]; flat: number[]; t: boolean[] }>();
  for (const { pictures, queries } of sets)
    for (const query of queries) {
      const { calibration, explain, flat } = judgeOf(query);
      for (const pair of drawPairs(pictures, [query], explain, random(["pair", query.kind, query.label]))) {
        const row = rows.get(query.kind) ?? { p: [], flat: [], t: [] };
        rows.set(query.kind, row);
        row.p.push(pairProbability(calibration, pair.cosine, pair.margin));
        if (flat !== undefined) row.flat.push(sigmoid(logitOf(flat.pair, [pair.searched])));
        row.t.push(pair.matches);
      }
    }
  return Object.fromEntries(
    Array.from(rows, ([kind, { p, flat, t }]) => [
      kind,
      { calibrated: short(reliability(p, t)), ...(flat.length > 0 && { flat: short(reliability(flat, t)) }) },
    ]),
  );
}

/** The pilot's question: is it here? Pictures of half of the classes, names of all. */
function inHalves(
  tiny: Known,
  flickr: Known | undefined,
  judgeOf: (query: LabelledQuery) => Judge,
): Example[][] {
  const rng = random("halves");
  const labels = [...new Set(tiny.pictures.labels)];
  const perHalf: Example[][] = [];
  for (let half = 0; half < halves; half++) {
    const collection = drawCollection(
      tiny.pictures,
      {
        labels: drawLabels(labels, labels.length / 2, rng),
        perLabel: Infinity,
        ...(flickr && { others: { from: flickr.pictures, count: 500 } }),
      },
      rng,
    );
    const asked = shuffle([...tiny.queries], rng);
    const taken = new Set<string>();
    const queries = asked.filter(({ kind, label }) => {
      const key = `${kind} ${label}`;
      if (taken.has(key)) return false;
      taken.add(key);
      return true;
    });
    const byExplainer = new Map<Explainer, LabelledQuery[]>();
    for (const query of queries) {
      const { explain } = judgeOf(query);
      byExplainer.set(explain, [...(byExplainer.get(explain) ?? []), query]);
    }
    perHalf.push(Array.from(byExplainer, ([explain, list]) => searchAll(collection, list, explain)).flat());
  }
  return perHalf;
}

function askedTable(
  perHalf: readonly Example[][],
  { queries }: Known,
  judgeOf: (query: LabelledQuery) => Judge,
): unknown {
  const kinds = [...new Set(queries.map(({ kind }) => kind))];
  const groups: Record<string, (kind: string) => boolean> = Object.fromEntries([
    ...kinds.map((kind) => [kind, (other: string) => other === kind] as const),
    ["mix", () => true] as const,
  ]);
  const said = (example: Example): number => presence(judgeOf(example.query).calibration, example.evidence);
  return {
    presence: Object.fromEntries(
      Object.entries(groups).map(([name, fits]) => {
        const lists = perHalf.map((list) => list.filter(({ query }) => fits(query.kind)));
        const all = lists.flat();
        const scored = (score: (example: Example) => number): number =>
          mean(
            lists.map(
              (list) =>
                reliability(
                  list.map(score),
                  list.map(({ present }) => present),
                ).auc,
            ),
          );
        const { ece, brier, missesAt5 } = reliability(
          all.map(said),
          all.map(({ present }) => present),
        );
        const flat = Object.fromEntries(
          flats.map((n) => [`flat${n}`, scored((example) => flatScore(example, n))]),
        );
        const best = flats.reduce((a, b) => (flat[`flat${a}`]! >= flat[`flat${b}`]! ? a : b));
        return [
          name,
          short({
            auc: scored(said),
            bestFlat: flat[`flat${best}`],
            ece,
            brier,
            missesAt5,
            flatMissesAt5: reliability(
              all.map((example) => flatScore(example, best)),
              all.map(({ present }) => present),
            ).missesAt5,
            ...flat,
          }),
        ];
      }),
    ),
    results: hitTable(perHalf.flat(), judgeOf),
  };
}

/** Cosines as a plain search has them: of the query itself, without sentences around a name. */
const flatScore = ({ searched }: Example, n: number): number =>
  mean(searched.slice(0, n).map(({ cosine }) => cosine));

/** The ten best results of queries, whether or not what they look for is there. */
function hitTable(examples: readonly Example[], judgeOf: (query: LabelledQuery) => Judge): unknown {
  const [p, t, flat, flatT]: [number[], boolean[], number[], boolean[]] = [[], [], [], []];
  for (const { query, evidence, matches, searched } of examples) {
    const { calibration, flat: heads } = judgeOf(query);
    p.push(...hitProbabilities(calibration, evidence).slice(0, 10));
    t.push(...matches.slice(0, 10));
    if (heads === undefined) continue;
    for (const { cosine, match } of searched.slice(0, 10)) {
      flat.push(sigmoid(logitOf(heads.hit, [cosine])));
      flatT.push(match);
    }
  }
  return {
    calibrated: short(reliability(p, t)),
    ...(flat.length > 0 && { flat: short(reliability(flat, flatT)) }),
  };
}

/** Captions of photographs of which half are in the collection; others may match a caption as well. */
function captionTable(flickr: Known, judgeOf: (query: LabelledQuery) => Judge): unknown {
  const rng = random("captions");
  const labels = [...new Set(flickr.pictures.labels)];
  const lists: Example[][] = [];
  for (let half = 0; half < 4; half++) {
    const collection = drawCollection(
      flickr.pictures,
      { labels: drawLabels(labels, Math.floor(labels.length / 2), rng), perLabel: 1 },
      rng,
    );
    lists.push(searchAll(collection, flickr.queries, judgeOf(flickr.queries[0]!).explain));
  }
  return askedTable(lists, flickr, judgeOf);
}

/** What 20 marks add: ten queries of a kind, two results of each marked; measured on other queries to the same collection. */
function marksTable(tiny: Known, flickr: Known, judgeOf: (query: LabelledQuery) => Judge): unknown {
  const table: Record<string, unknown> = {};
  for (const { pictures, queries } of [tiny, flickr])
    for (const kind of new Set(queries.map((query) => query.kind))) {
      const rng = random(["marks", kind]);
      const labels = [...new Set(pictures.labels)];
      const before: [number[], boolean[]] = [[], []];
      const after: [number[], boolean[]] = [[], []];
      for (let user = 0; user < users; user++) {
        const collection = drawCollection(
          pictures,
          { labels: drawLabels(labels, labels.length / 2, rng), perLabel: Infinity },
          rng,
        );
        const asked = shuffle(
          queries.filter((query) => query.kind === kind),
          rng,
        ).slice(0, 60);
        const { calibration, explain } = judgeOf(asked[0]!);
        const examples = searchAll(collection, asked, explain);
        const marks = examples.slice(0, 10).flatMap(({ evidence, matches }) =>
          Array.from(hitLogits(calibration, evidence).slice(0, 2), (logit, i) => ({
            logit,
            yes: matches[i]!,
          })),
        );
        const adapted = adapt(calibration, { results: marks, queries: [] });
        for (const { evidence, matches } of examples.slice(10))
          for (const [said, by] of [
            [before, calibration],
            [after, adapted],
          ] as const) {
            said[0].push(...hitProbabilities(by, evidence).slice(0, 10));
            said[1].push(...matches.slice(0, 10));
          }
      }
      table[kind] = { before: short(reliability(...before)), after: short(reliability(...after)) };
    }
  return table;
}

/** Whose marks are averaged. */
const users = 20;

/** Labels of which a caption holds a name. */
function namedIn(captions: readonly string[], names: readonly (readonly string[])[]): Set<number> {
  const text = captions.join("\n").toLowerCase();
  const holds = (name: string): boolean =>
    new RegExp(`\\b${name.toLowerCase().replace(/[^a-z0-9 ]/g, ".")}(e?s)?\\b`).test(text);
  return new Set(names.flatMap((synonyms, label) => (synonyms.some(holds) ? [label] : [])));
}

/** Lists of labels of one kind; half of the pictures show none of them. */
function labelTable(
  tiny: Known,
  explain: Explainer,
  scale: number,
  judgeOf: (query: LabelledQuery) => Judge,
): unknown {
  return Object.fromEntries(
    [5, 20, 100].map((length) => {
      const [none, softmax, cosine, t]: [number[], number[], number[], boolean[]] = [[], [], [], []];
      const names = tiny.queries.filter(({ kind }) => kind.endsWith("names"));
      for (const choice of drawChoices(
        tiny.pictures,
        names,
        2000,
        () => length,
        explain,
        random(["labels", length]),
      )) {
        const { calibration } = judgeOf({ ...choice.queries[0]!, label: choice.truth });
        none.push(noneProbability(calibration, choice.cosines, choice.margins));
        const largest = Math.max(...choice.cosines);
        cosine.push(-largest);
        softmax.push(1 - 1 / choice.cosines.reduce((sum, c) => sum + Math.exp(scale * (c - largest)), 0));
        t.push(!holdsTruth(choice));
      }
      const { auc, ece, brier, missesAt5 } = reliability(none, t);
      return [
        `${length} labels`,
        short({
          auc,
          ece,
          brier,
          missesAt5,
          aucOfLowBestCosine: reliability(cosine, t).auc,
          aucOfSoftmax: reliability(softmax, t).auc,
          eceOfSoftmax: reliability(softmax, t).ece,
        }),
      ];
    }),
  );
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

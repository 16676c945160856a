import { join } from "node:path";
import { packageRoot } from "../src/package-root.js";
import type { Known } from "../src/score/index.js";
import { encodeData } from "../src/task/calibration/encoded-data.js";
import { judgeOf } from "../src/task/calibration/judged-by.js";
import { knownPictures } from "../src/task/calibration/known-pictures.js";
import { openCalibration } from "../src/task/calibration/open-calibration.js";
import { referenceVectors } from "../src/task/calibration/reference-texts.js";
import { openServices, type Context } from "../src/task/index.js";
import { option, type Benchmark } from "./benchmark.js";
import type { JudgeOf } from "./calibration/judge.js";
import { labelTable } from "./calibration/labels.js";
import { marksTable } from "./calibration/marks.js";
import { pairTable } from "./calibration/pairs.js";
import { presenceTable, resultsTable } from "./calibration/presence.js";
import { inHalves, inPhotographs, type Labelled } from "./calibration/searches.js";
import { strictJudges } from "./calibration/strict.js";

const shared = join(packageRoot, "..", "shared", "data");
/** Languages of captions that are asked. */
const languages = ["en", "ru", "zh", "de", "fr"];
/** Photographs that are mixed into the pictures of classes. */
const mixedIn = 500;

/**
 * Calibration on data that it was not fitted on; docs/calibration.md has the tables.
 *
 *     npm run bench -- calibration --captioned TAR [--fit-labelled TAR --fit-captioned TAR] --json
 *
 * With the data of the fit, it is also fitted anew without the things that it is asked about ("strict").
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
      const judge = await judgeOf(encoder, context);
      const classnames = [file("classnames", "classnames.txt"), file("classnames-ru", "classnames.ru.txt")];
      const captions = [
        file("captions-ru", "flickr8k-test-200.ru.jsonl"),
        file("captions", "captions-multilingual.jsonl.gz"),
      ];
      const read = async (labelled: string, captioned: string, parity: number): Promise<Known> =>
        knownPictures(
          {
            labelled: { samples: await encodeData(labelled, [], encoder, context), classnames },
            captioned: { samples: await encodeData(captioned, captions, encoder, context), languages },
            // The fit's sentences are made of other templates than those that are asked.
            templates: (i) => i % 2 === parity,
          },
          encoder,
          judge,
          context,
        );
      const asked = await read(
        file("labelled", "tinyimagenet-test-000000.tar"),
        file("captioned", "flickr8k-test-000000.tar"),
        1,
      );
      const report = (by: JudgeOf): Record<string, unknown> =>
        reportOf(asked, by, encoder.scale, judge.explain);
      const only = option(args, "only");
      const result: Record<string, unknown> = {};
      const calibration = await openCalibration(encoder.model);
      if (calibration !== undefined && only !== "strict")
        result["shipped"] = report(() => ({ calibration, explain: judge.explain }));
      const [fitLabelled, fitCaptioned] = [option(args, "fit-labelled"), option(args, "fit-captioned")];
      if (fitLabelled !== undefined && fitCaptioned !== undefined && only !== "shipped") {
        const { texts } = await referenceVectors(encoder, context);
        result["strict"] = report(
          strictJudges(await read(fitLabelled, fitCaptioned, 0), asked, judge.explain, texts),
        );
      }
      return result;
    } finally {
      await services.close();
    }
  },
} satisfies Benchmark;

function reportOf(
  known: Known,
  judgeOf: JudgeOf,
  scale: number,
  explain: Parameters<typeof labelTable>[1],
): Record<string, unknown> {
  const [alone, mixed] = [inHalves(known, 0, judgeOf), inHalves(known, mixedIn, judgeOf)];
  const withPresence = (lists: typeof mixed, presentOf: (example: Labelled) => boolean | undefined) =>
    lists.map((list) => list.map((example) => ({ ...example, present: presentOf(example) })));
  const byLabels = (lists: typeof mixed) => withPresence(lists, ({ labelled }) => labelled);
  const words = inPhotographs(known, /words|word sentences/, judgeOf);
  const captions = inPhotographs(known, /captions/, judgeOf);
  return {
    presence: presenceTable(byLabels(alone), judgeOf),
    presenceWithPhotographs: presenceTable(byLabels(mixed), judgeOf),
    // What a caption names is here, too.
    presenceWithPhotographsNamed: presenceTable(
      withPresence(mixed, ({ labelled, present }) => labelled || present === true),
      judgeOf,
    ),
    // What captions name, or leave open, is left out where labels say that it is absent.
    presenceWithPhotographsSure: presenceTable(
      withPresence(mixed, ({ labelled, present }) => labelled || (present === false ? false : undefined)),
      judgeOf,
    ),
    // What captions name is here, whatever the labels say; what they leave open is left out.
    presenceWithPhotographsByCaptions: presenceTable(mixed, judgeOf),
    presenceOfWords: presenceTable(words, judgeOf),
    presenceOfCaptions: presenceTable(captions, judgeOf),
    results: {
      classes: resultsTable(alone.flat(), judgeOf),
      mixed: resultsTable(mixed.flat(), judgeOf),
      words: resultsTable(words.flat(), judgeOf),
      captions: resultsTable(captions.flat(), judgeOf),
    },
    pairs: pairTable(known, judgeOf),
    labels: labelTable(known, explain, scale, judgeOf),
    marks: marksTable(known, judgeOf),
  };
}

import { adapt, depth, type Mark } from "../../score/index.js";
import { CliptError } from "../../tensor/index.js";
import { queryEvidence, judge } from "../calibration/judge.js";
import { calibrationDocument, openCalibration } from "../calibration/open-calibration.js";
import { encodeTexts } from "../encode-texts.js";
import { rowsOf } from "../embeddings/embeddings.js";
import type { Context } from "../task.js";
import type { Collection } from "./collection.js";
import { foundOf } from "./relevance.js";

/** What a person said of the results of a query. */
export interface Marks {
  readonly query: string;
  /** Ids of results that are what was meant. */
  readonly yes: readonly string[];
  /** Ids of results that are not. */
  readonly no: readonly string[];
}

interface Remembered {
  readonly query: string;
  /** Sum before the sigmoid, that anything matches. */
  readonly present: number;
  readonly results: Readonly<Record<string, Mark>>;
}

/** So many results without a match mean that there is none. */
const enoughNo = 3;

/**
 * Remembers marks in the index and fits its probabilities to all that were made so far.
 *
 * @returns how many results are marked now
 * @throws  `input` for ids that are not in the index or marked both ways, `unsupported` for a model without calibration
 */
export async function markResults(
  collection: Collection,
  { query, yes, no }: Marks,
  context: Context,
): Promise<number> {
  const { store, encoder, identity } = collection;
  const calibration = await openCalibration(encoder.model);
  if (calibration === undefined)
    throw new CliptError(
      "unsupported",
      "The model has no calibration that marks could change. Fit one with `clipt calibrate`.",
    );
  const both = yes.find((id) => no.includes(id));
  if (both !== undefined) throw new CliptError("input", `${both} is marked both ways.`);
  const ids = [...yes, ...no];
  if (query.trim() === "" || ids.length === 0)
    throw new CliptError("input", "Give a query, and results that are right or wrong.");

  const [vector] = rowsOf((await encodeTexts([query], encoder, context)).features);
  const nearest = foundOf(await store.query({ identity, vector: vector!, k: depth, vectors: true }));
  const there = new Set(nearest.map(({ id }) => id));
  const others = await store.get(
    [...new Set(ids)].filter((id) => !there.has(id)),
    identity,
  );
  const found = [
    ...nearest,
    ...others.flatMap((item) => {
      const known = item?.vectors?.[identity];
      return item === undefined || known === undefined ? [] : [{ id: item.id, vector: known }];
    }),
  ];
  const size = (await store.sets()).find((set) => set.identity === identity)?.count ?? 0;
  const text = await queryEvidence(query, encoder, context);
  const { logits } = await judge(calibration, encoder, text, { found, size }, context);
  const results = Object.fromEntries(
    ids.map((id) => {
      const logit = logits.hit(id);
      if (logit === undefined) throw new CliptError("input", `The index has no picture ${id}.`);
      return [id, { logit, yes: yes.includes(id) }];
    }),
  );

  const name = `marks:${identity}`;
  const all = new Map(
    ((await store.readDocument(name)) as Remembered[] | undefined)?.map((mark) => [mark.query, mark]),
  );
  all.set(query, {
    query,
    present: logits.present,
    results: { ...all.get(query)?.results, ...results },
  });
  const remembered = [...all.values()];
  const marked = remembered.flatMap((mark) => Object.values(mark.results));
  await store.writeDocument(name, remembered);
  await store.writeDocument(
    calibrationDocument(identity),
    adapt(calibration, { results: marked, queries: remembered.flatMap(ofQuery) }),
  );
  return marked.length;
}

/** Something matches once anything was marked right; nothing does when enough was marked wrong. */
function ofQuery({ present, results }: Remembered): Mark[] {
  const marks = Object.values(results);
  if (marks.some(({ yes }) => yes)) return [{ logit: present, yes: true }];
  return marks.length >= enoughNo ? [{ logit: present, yes: false }] : [];
}

import { computed, effect, signal, untracked } from "@preact/signals";
import { listPictures, search, suggest } from "../api/client.js";
import type { Match, Part, Picture, Result } from "../api/types.js";
import { address, type Address } from "./address.js";
import { toCondition } from "./filters.js";
import { idsMarked, marksOf } from "./marks.js";
import { info } from "./server.js";
import { isUpload, uploads } from "./uploads.js";

export const pageSize = 60;

export type Shown = Picture & Partial<Pick<Result, "score" | "probability">>;

/** What was found so far: pages that were looked at, in any order. */
export interface Results {
  readonly key: string;
  readonly pages: ReadonlyMap<number, readonly Shown[]>;
  /** Places to show: those that are known to exist, or may. */
  readonly count: number;
  /** Whether `count` is certain. */
  readonly counted: boolean;
  readonly match?: Match | undefined;
  /** Words that would narrow the query; they come a little later. */
  readonly refinements: readonly string[];
  /** Whether the model read the query to its end. */
  readonly cut: boolean;
}

const nothing: Results = { key: "", pages: new Map(), count: 0, counted: false, refinements: [], cut: false };

/** Of earlier searches, for going back at once. */
const remembered = 8;
const earlier = new Map<string, Results>();
/** Pages asked for and not answered. */
const asked = new Map<number, AbortController>();

export const results = signal<Results>(nothing);
export const searching = signal(false);
/** What went wrong at the last search, as it was thrown. */
export const failure = signal<unknown>(undefined);
/** Grows when the index has changed: everything is asked again. */
export const edition = signal(0);

/** Names what is looked for, without the way in which it is shown. */
export const queryKey = ({ query, pictures }: Address): string => JSON.stringify([query.trim(), pictures]);

export const isQuery = ({ query, pictures }: Address): boolean => query.trim() !== "" || pictures.length > 0;

/** The query's text when it is nothing else. */
export const onlyText = ({ query, pictures }: Address): string | undefined =>
  pictures.length > 0 || query.trim() === "" ? undefined : query.trim();

const wanted = computed(() => {
  const { query, pictures, filters, sort } = address.value;
  const marks = marksOf(queryKey(address.value));
  const known = pictures.filter((picture) => !isUpload(picture) || uploads.value.has(picture));
  return {
    text: query.trim(),
    pictures: known,
    where: toCondition(filters),
    sort,
    like: idsMarked(marks, "yes"),
    dislike: idsMarked(marks, "no"),
  };
});
const wantedKey = computed(() => JSON.stringify(wanted.value));

effect(() => {
  const key = wantedKey.value;
  void edition.value;
  if (address.value.view === "search") untracked(() => begin(key));
});

function begin(key: string): void {
  for (const controller of asked.values()) controller.abort();
  asked.clear();
  const known = earlier.get(`${edition.value} ${key}`);
  if (known !== undefined) {
    results.value = known;
    failure.value = undefined;
    searching.value = false;
  } else void load(0);
}

/** Asks for the pages of these places, those that are not there yet. */
export function want(from: number, to: number): void {
  if (results.value.key !== wantedKey.value) return;
  for (let page = Math.floor(from / pageSize); page <= Math.floor(to / pageSize); page++)
    if (!results.value.pages.has(page) && !asked.has(page)) void load(page);
}

async function load(page: number): Promise<void> {
  const key = wantedKey.value;
  const controller = new AbortController();
  asked.set(page, controller);
  if (page === 0) searching.value = true;
  try {
    const found = await ask(page * pageSize, controller.signal);
    if (controller.signal.aborted) return;
    take(key, page, found);
    if (page === 0) void refine(key, controller.signal);
    failure.value = undefined;
  } catch (error) {
    if (controller.signal.aborted) return;
    failure.value = error;
  } finally {
    if (asked.get(page) === controller) asked.delete(page);
    if (page === 0 && !controller.signal.aborted) searching.value = false;
  }
}

interface Found {
  readonly results: readonly Shown[];
  readonly total?: number;
  readonly match?: Match;
  readonly truncated?: readonly string[];
}

function ask(offset: number, signal: AbortSignal): Promise<Found> {
  const { text, pictures, like, dislike, where, sort } = wanted.value;
  const range = { where, sort, k: pageSize, offset };
  if (text === "" && pictures.length === 0) return listPictures(range, signal);
  const files = new Map<string, Blob>();
  const parts = pictures.map((picture, i): Part => {
    const upload = uploads.value.get(picture);
    if (upload === undefined) return { item: picture, weight: 1 };
    files.set(`picture${i}`, upload.file);
    return { picture: `upload:picture${i}`, weight: 1 };
  });
  const query = text === "" ? undefined : text;
  return search({ ...range, query, parts, like, dislike, uploads: files }, signal);
}

function take(key: string, page: number, found: Found): void {
  const before = results.value.key === key ? results.value : { ...nothing, key };
  const pages = new Map(before.pages).set(page, found.results);
  const end = page * pageSize + found.results.length;
  const last = found.results.length < pageSize;
  const counted = before.counted || found.total !== undefined || last;
  // A search may reach every picture that passes the filters; without filters their number is known.
  const possible =
    wanted.value.where === undefined && wanted.value.sort === "score" ? info.value?.pictures : undefined;
  const count =
    found.total ??
    (last ? end : before.counted ? before.count : Math.max(before.count, possible ?? end + pageSize));
  keep({
    key,
    pages,
    count,
    counted,
    match: page === 0 ? found.match : before.match,
    refinements: before.refinements,
    cut: page === 0 ? found.truncated !== undefined : before.cut,
  });
}

/** Shows results, and remembers them for going back. */
function keep(found: Results): void {
  results.value = found;
  const name = `${edition.value} ${found.key}`;
  earlier.delete(name);
  earlier.set(name, found);
  if (earlier.size > remembered) earlier.delete(earlier.keys().next().value!);
}

/** Words that narrow the query, once its results are there: they take longer. */
async function refine(key: string, signal: AbortSignal): Promise<void> {
  const { text, where, pictures } = wanted.value;
  if (text === "" || pictures.length > 0) return;
  // A search is whole without them.
  const { refinements } = await suggest(text, where, signal).catch(() => ({ refinements: [] }));
  if (results.value.key === key && wantedKey.value === key) keep({ ...results.value, refinements });
}

export const resultAt = ({ pages }: Results, index: number): Shown | undefined =>
  pages.get(Math.floor(index / pageSize))?.[index % pageSize];

/** The place of a picture among those that were loaded; -1 when it is not one of them. */
export function placeOf({ pages }: Results, id: string): number {
  for (const [page, list] of pages) {
    const place = list.findIndex((picture) => picture.id === id);
    if (place >= 0) return page * pageSize + place;
  }
  return -1;
}

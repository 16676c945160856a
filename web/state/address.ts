import { signal } from "@preact/signals";
import type { CopyKind, Sort } from "../api/types.js";
import { noFilters, type Filters } from "./filters.js";

export const views = ["search", "map", "duplicates", "labels"] as const;
export type View = (typeof views)[number];

/** What is shown, as the address bar says it: it can be kept, sent, and gone back to. */
export interface Address {
  readonly view: View;
  readonly query: string;
  /** Pictures that are part of the query: ids, or `upload:N` for those of this visit. */
  readonly pictures: readonly string[];
  readonly filters: Filters;
  readonly sort: Sort;
  /** The picture whose details are open. */
  readonly open: string | undefined;
  readonly kind: CopyKind;
  /** Between commas, of the view with labels. */
  readonly labels: string;
}

const filterNames = Object.keys(noFilters) as (keyof Filters)[];
const oneOf = <T extends string>(text: string | null, of: readonly T[]): T =>
  of.find((value) => value === text) ?? of[0]!;

export function readAddress(text: string): Address {
  const params = new URLSearchParams(text);
  return {
    view: oneOf(params.get("view"), views),
    query: params.get("q") ?? "",
    pictures: params.getAll("picture"),
    filters: Object.fromEntries(
      filterNames.map((name) => [name, params.get(name) ?? ""]),
    ) as unknown as Filters,
    sort: oneOf(params.get("sort"), ["score", "newest", "oldest"]),
    open: params.get("open") ?? undefined,
    kind: oneOf(params.get("kind"), ["exact", "same", "lookalike"]),
    labels: params.get("labels") ?? "",
  };
}

/** The opposite of `readAddress`; what is at its default is left out. */
export function writeAddress(address: Address): string {
  const { view, query, pictures, filters, sort, open, kind, labels } = address;
  const params = new URLSearchParams();
  const set = (name: string, value: string | undefined, usual = ""): void => {
    if (value !== undefined && value !== usual) params.set(name, value);
  };
  set("view", view, views[0]);
  set("q", query);
  for (const picture of pictures) params.append("picture", picture);
  for (const name of filterNames) set(name, filters[name]);
  set("sort", sort, "score");
  set("kind", kind, "exact");
  set("labels", labels);
  set("open", open);
  const text = params.toString();
  return text === "" ? "." : `?${text}`;
}

/** Which of the results the keyboard is at. */
export const current = signal(0);

export const address = signal<Address>(readAddress(location.search));

/** What the browser keeps with an address. */
interface HistoryState {
  /** Scrolled so far, px. */
  readonly scroll?: number;
  /** The result that the keyboard was at. */
  readonly place?: number;
  /** The entry was made by typing: more typing replaces it. */
  readonly typing?: boolean;
  /** Steps of this page before the entry: going back stays here. */
  readonly depth?: number;
}

export const historyState = (): HistoryState => (history.state as HistoryState | null) ?? {};

/** Goes to a changed address; "replace" when going back should not stop at the present one. */
export function go(change: Partial<Address>, how: "push" | "replace" = "push", typing = false): void {
  const next = { ...address.value, ...change };
  const to = writeAddress(next);
  if (to === writeAddress(address.value)) return;
  const { depth = 0 } = historyState();
  if (how === "push") {
    history.replaceState({ ...historyState(), scroll: scrollY, place: current.value }, "");
    history.pushState({ depth: depth + 1, typing } satisfies HistoryState, "", to);
  } else history.replaceState({ depth, typing } satisfies HistoryState, "", to);
  address.value = next;
}

/** Closes what `change` opened: back where that is a step back, forward to the changed address otherwise. */
export function goBack(otherwise: Partial<Address>): void {
  if ((historyState().depth ?? 0) > 0) history.back();
  else go(otherwise, "replace");
}

addEventListener("popstate", () => {
  address.value = readAddress(location.search);
});

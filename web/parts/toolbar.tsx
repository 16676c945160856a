import type { JSX } from "preact";
import { signal } from "@preact/signals";
import type { Sort } from "../api/types.js";
import { address, go } from "../state/address.js";
import { countFilters } from "../state/filters.js";
import { clearMarks, idsMarked, marksOf } from "../state/marks.js";
import { isQuery, queryKey, results } from "../state/results.js";
import { words } from "../words/words.js";
import { Filters } from "./filters.js";
import { Icon } from "./icon.js";

const filtersOpen = signal(false);
const sorts: readonly Sort[] = ["score", "newest", "oldest"];

/** What narrows and orders the pictures below it. */
export function Toolbar(): JSX.Element {
  const w = words.value;
  const { filters, sort } = address.value;
  const set = countFilters(filters);
  const open = filtersOpen.value;
  const asked = isQuery(address.value);
  const offered = asked ? sorts : sorts.slice(1);
  return (
    <div class="toolbar">
      <button
        type="button"
        class="chip"
        aria-expanded={open}
        aria-controls="filters"
        onClick={() => (filtersOpen.value = !open)}
      >
        <Icon name="filters" />
        {w.filters.title}
        {set > 0 && <span class="chip-count">{set}</span>}
      </button>
      <label class="chip chip-select">
        <span class="unseen">{w.sort.label}</span>
        <select
          value={!asked && sort === "score" ? "newest" : sort}
          onChange={(event) => go({ sort: event.currentTarget.value as Sort })}
        >
          {offered.map((name) => (
            <option key={name} value={name}>
              {w.sort[name]}
            </option>
          ))}
        </select>
        <Icon name="down" />
      </label>
      <Marked />
      <Refinements />
      {open && <Filters />}
    </div>
  );
}

function Marked(): JSX.Element | null {
  const key = queryKey(address.value);
  const marks = marksOf(key);
  if (marks.size === 0) return null;
  const w = words.value;
  return (
    <button type="button" class="chip" title={w.actions.clearMarks} onClick={() => clearMarks(key)}>
      {w.marked(idsMarked(marks, "yes").length, idsMarked(marks, "no").length)}
      <Icon name="no" />
    </button>
  );
}

function Refinements(): JSX.Element | null {
  const { refinements } = results.value;
  if (refinements.length === 0 || !isQuery(address.value)) return null;
  return (
    <div class="refinements" role="group" aria-label={words.value.search.refine}>
      {refinements.map((text) => (
        <button key={text} type="button" class="chip soft" onClick={() => go({ query: refined(text) })}>
          {text}
        </button>
      ))}
    </div>
  );
}

/** Words of the index stand beside the query's; whole queries replace it. */
const refined = (text: string): string => {
  const { query } = address.value;
  return query === "" || text.includes(query) ? text : `${query} ${text}`;
};

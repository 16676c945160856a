import type { ComponentChildren, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { signal } from "@preact/signals";
import { readFacets } from "../api/client.js";
import type { Facets } from "../api/types.js";
import { address, go } from "../state/address.js";
import { countFilters, noFilters, type Filters as FilterValues } from "../state/filters.js";
import { edition } from "../state/results.js";
import { showNumber, words } from "../words/words.js";

const facets = signal<Facets>({ camera: [], format: [], folder: [] });
const sides = ["1000", "2000", "4000"];

const set = (change: Partial<FilterValues>): void =>
  go({ filters: { ...address.value.filters, ...change } }, "replace");

export function Filters(): JSX.Element {
  const w = words.value.filters;
  const { filters } = address.value;
  const { camera, format, folder } = facets.value;
  useEffect(() => {
    // Without the list of values the filters can still be typed as a condition.
    readFacets().then(
      (read) => (facets.value = read),
      () => {},
    );
  }, [edition.value]);
  return (
    <div class="filters" id="filters">
      <Field label={w.from}>
        <input
          type="date"
          value={filters.from}
          onChange={(event) => set({ from: event.currentTarget.value })}
        />
      </Field>
      <Field label={w.to}>
        <input type="date" value={filters.to} onChange={(event) => set({ to: event.currentTarget.value })} />
      </Field>
      <Choice name="camera" values={camera.map(counted)} />
      <Choice name="format" values={format.map(counted)} />
      <Choice
        name="side"
        values={sides.map((side) => ({ value: side, text: w.atLeast(showNumber(Number(side))) }))}
      />
      <Choice name="folder" values={folder.map(counted)} />
      <Condition />
      {countFilters(filters) > 0 && (
        <button type="button" class="chip" onClick={() => set(noFilters)}>
          {w.clear}
        </button>
      )}
    </div>
  );
}

function Condition(): JSX.Element {
  const w = words.value.filters;
  /** What is typed and not taken yet: it stays when the list is drawn anew meanwhile. */
  const [typed, setTyped] = useState<string>();
  return (
    <Field label={w.where} wide>
      <input
        type="text"
        spellcheck={false}
        placeholder={w.whereHint}
        value={typed ?? address.value.filters.where}
        onInput={(event) => setTyped(event.currentTarget.value)}
        onChange={(event) => {
          setTyped(undefined);
          set({ where: event.currentTarget.value });
        }}
      />
    </Field>
  );
}

const counted = ({ value, count }: { value: string; count: number }): { value: string; text: string } => ({
  value,
  text: `${value} · ${showNumber(count)}`,
});

function Choice({
  name,
  values,
}: {
  readonly name: "camera" | "format" | "side" | "folder";
  readonly values: readonly { readonly value: string; readonly text: string }[];
}): JSX.Element {
  const w = words.value.filters;
  const chosen = address.value.filters[name];
  // A value of the address may not occur in the index.
  const all =
    chosen === "" || values.some(({ value }) => value === chosen)
      ? values
      : [...values, { value: chosen, text: chosen }];
  return (
    <Field label={w[name]}>
      <select
        value={chosen}
        disabled={all.length === 0}
        onChange={(event) => set({ [name]: event.currentTarget.value })}
      >
        <option value="">{w.any}</option>
        {all.map(({ value, text }) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
    </Field>
  );
}

const Field = ({
  label,
  wide,
  children,
}: {
  readonly label: string;
  readonly wide?: boolean;
  readonly children: ComponentChildren;
}): JSX.Element => (
  <label class={wide === true ? "field wide" : "field"}>
    <span>{label}</span>
    {children}
  </label>
);

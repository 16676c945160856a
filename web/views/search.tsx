import type { JSX } from "preact";
import { useLayoutEffect } from "preact/hooks";
import { Grid } from "../parts/grid.js";
import type { TileActions } from "../parts/tile.js";
import { Toolbar } from "../parts/toolbar.js";
import { Verdict } from "../parts/verdict.js";
import { Examples, Welcome } from "../parts/welcome.js";
import { address, current, go, historyState } from "../state/address.js";
import { countFilters } from "../state/filters.js";
import { markResult, marksOf } from "../state/marks.js";
import { isQuery, onlyText, queryKey, results } from "../state/results.js";
import { info } from "../state/server.js";
import { focusSearch } from "../state/keyboard.js";

export function SearchView(): JSX.Element {
  const found = results.value;
  const key = queryKey(address.value);
  const empty =
    info.value?.pictures === 0 ||
    (found.counted &&
      found.count === 0 &&
      !isQuery(address.value) &&
      countFilters(address.value.filters) === 0);

  useLayoutEffect(() => {
    current.value = historyState().place ?? 0;
  }, [key]);
  // Going back returns to where one was; the rows have their height by now.
  useLayoutEffect(() => {
    const { scroll } = historyState();
    if (scroll !== undefined && found.key !== "") scrollTo({ top: scroll });
  }, [found.key]);

  const actions: TileActions = {
    open: (id) => go({ open: id }),
    similar: (id) => {
      scrollTo({ top: 0 });
      go({ query: "", pictures: [id], sort: "score" });
    },
    mark: isQuery(address.value)
      ? (id, mark) => markResult(key, onlyText(address.value), id, mark)
      : undefined,
  };
  if (empty && found.count === 0) return <Welcome />;
  return (
    <>
      <Examples />
      <Toolbar />
      <Verdict />
      <Grid results={found} marks={marksOf(key)} actions={actions} leave={focusSearch} />
    </>
  );
}

import type { JSX } from "preact";
import { Details } from "./parts/details.js";
import { Login } from "./parts/login.js";
import { Navigation } from "./parts/navigation.js";
import { Progress } from "./parts/progress.js";
import { SearchBox } from "./parts/search-box.js";
import { Settings } from "./parts/settings.js";
import { hovering } from "./parts/take-picture.js";
import { address, type View } from "./state/address.js";
import { enterResults } from "./state/keyboard.js";
import { locked } from "./state/server.js";
import { DuplicatesView } from "./views/duplicates.js";
import { LabelsView } from "./views/labels.js";
import { MapView } from "./views/map.js";
import { SearchView } from "./views/search.js";
import { words } from "./words/words.js";

const shown: Readonly<Record<View, () => JSX.Element | null>> = {
  search: SearchView,
  map: MapView,
  duplicates: DuplicatesView,
  labels: LabelsView,
};

export function App(): JSX.Element {
  if (locked.value) return <Login />;
  const Shown = shown[address.value.view];
  return (
    <>
      <a
        class="skip"
        href="#content"
        onClick={(event) => {
          event.preventDefault();
          enterResults();
        }}
      >
        {words.value.skip}
      </a>
      <header class="bar-top">
        <a class="logo" href="." aria-label="clipt">
          <img src="icon.svg" alt="" width="28" height="28" />
        </a>
        <SearchBox enterResults={enterResults} />
        <Navigation />
        <Settings />
      </header>
      <main id="content">
        <Shown />
      </main>
      <Details />
      <Progress />
      {hovering.value && <p class="drop">{words.value.search.drop}</p>}
    </>
  );
}

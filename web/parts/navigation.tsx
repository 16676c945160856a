import type { JSX } from "preact";
import { address, go, views, writeAddress, type View } from "../state/address.js";
import { words } from "../words/words.js";
import { Icon, type IconName } from "./icon.js";

const icons: Readonly<Record<View, IconName>> = {
  search: "search",
  map: "map",
  duplicates: "copies",
  labels: "labels",
};

export function Navigation(): JSX.Element {
  const w = words.value;
  return (
    <nav class="navigation" aria-label={w.navigation}>
      {views.map((view) => (
        <a
          key={view}
          href={writeAddress({ ...address.value, view, open: undefined })}
          aria-current={address.value.view === view ? "page" : undefined}
          onClick={(event) => {
            if (event.metaKey || event.ctrlKey || event.shiftKey) return;
            event.preventDefault();
            scrollTo({ top: 0 });
            go({ view, open: undefined });
          }}
        >
          <Icon name={icons[view]} />
          <span>{w.views[view]}</span>
        </a>
      ))}
    </nav>
  );
}

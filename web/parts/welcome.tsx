import type { JSX } from "preact";
import { say } from "../state/notices.js";
import { info, jobs } from "../state/server.js";
import { words } from "../words/words.js";

const command = "npm start -- ~/Pictures";

/** For somebody who is here for the first time. */
export function Welcome(): JSX.Element {
  const w = words.value.empty;
  if ([...jobs.value.values()].some(({ ended }) => ended === undefined))
    return <p class="welcome quiet">{w.indexing}</p>;
  return (
    <section class="welcome">
      <h1>{w.title}</h1>
      <p>{w.about}</p>
      <Command />
      <p class="quiet">{w.stay}</p>
    </section>
  );
}

/** Over the example pictures, which are there when no folder was given. */
export function Examples(): JSX.Element | null {
  const { folders = [] } = info.value ?? {};
  if (folders.length !== 1 || !/[\\/]examples[\\/]pictures$/.test(folders[0]!)) return null;
  return (
    <div class="examples">
      <span>{words.value.empty.examples}</span>
      <Command />
    </div>
  );
}

const Command = (): JSX.Element => (
  <span class="command">
    <code>{command}</code>
    <button
      type="button"
      class="chip"
      onClick={() => {
        navigator.clipboard.writeText(command).then(
          () => say(words.value.actions.copied),
          () => say(command),
        );
      }}
    >
      {words.value.empty.copy}
    </button>
  </span>
);

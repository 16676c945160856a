import type { JSX } from "preact";
import { startIndexing } from "../api/client.js";
import { say } from "../state/notices.js";
import { info } from "../state/server.js";
import { choose, language, languages, theme, themes } from "../state/settings.js";
import { words } from "../words/words.js";
import { Icon } from "./icon.js";

/** Opens over the page by the browser's own means: Escape and a click elsewhere close it. */
export function Settings(): JSX.Element {
  const w = words.value;
  const keys: readonly (readonly [string, string])[] = [
    ["/", w.keys.search],
    ["← ↑ ↓ →", w.keys.move],
    ["Enter", w.keys.open],
    ["s", w.keys.similar],
    ["y  n", w.keys.yes],
    ["Esc", w.keys.back],
  ];
  return (
    <>
      <button
        type="button"
        class="icon-button"
        aria-label={w.settings.title}
        title={w.settings.title}
        popovertarget="settings"
      >
        <Icon name="settings" />
      </button>
      <div id="settings" class="settings" popover="auto" role="dialog" aria-label={w.settings.title}>
        <Choice
          title={w.settings.language}
          name="language"
          value={language.value}
          options={Object.entries(languages)}
        />
        <Choice
          title={w.settings.theme}
          name="theme"
          value={theme.value}
          options={themes.map((name) => [name, w.settings.themes[name]])}
        />
        <h2>{w.settings.keys}</h2>
        <dl class="keys">
          {keys.map(([key, does]) => (
            <div key={key}>
              <dt>
                <kbd>{key}</kbd>
              </dt>
              <dd>{does}</dd>
            </div>
          ))}
        </dl>
        <div class="settings-foot">
          {(info.value?.folders.length ?? 0) > 0 && (
            <button
              type="button"
              class="chip"
              onClick={() => void startIndexing().catch((error: Error) => say(error.message))}
            >
              {w.settings.again}
            </button>
          )}
          <a class="chip" href="docs">
            {w.settings.api}
          </a>
        </div>
        {info.value !== undefined && (
          <p class="quiet">
            clipt {info.value.version} · {info.value.model.name}
          </p>
        )}
      </div>
    </>
  );
}

const Choice = ({
  title,
  name,
  value,
  options,
}: {
  readonly title: string;
  readonly name: "language" | "theme";
  readonly value: string;
  readonly options: readonly (readonly [string, string])[];
}): JSX.Element => (
  <fieldset class="choice">
    <legend>{title}</legend>
    {options.map(([option, text]) => (
      <label key={option}>
        <input
          type="radio"
          name={name}
          value={option}
          checked={option === value}
          onChange={() => choose(name, option)}
        />
        <span lang={name === "language" ? option : undefined}>{text}</span>
      </label>
    ))}
  </fieldset>
);

import type { JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { thumbnailUrl } from "../api/client.js";
import { address, go, historyState } from "../state/address.js";
import { searching } from "../state/results.js";
import { isUpload, uploads } from "../state/uploads.js";
import { words } from "../words/words.js";
import { IconButton } from "./button.js";
import { FileInput } from "./file-input.js";
import { Icon } from "./icon.js";

/** So long nothing more is typed before the search begins. */
const settleMs = 140;

interface SearchBoxProps {
  /** Goes down into what was found. */
  readonly enterResults: () => void;
}

export function SearchBox({ enterResults }: SearchBoxProps): JSX.Element {
  const w = words.value.search;
  const { query, pictures } = address.value;
  const input = useRef<HTMLInputElement>(null);
  const file = useRef<HTMLInputElement>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);

  const typedLast = useRef(query);

  // The address may change under the box: by going back, by a refinement. What was typed here stays: the next letters may be
  // there already.
  useLayoutEffect(() => {
    if (input.current !== null && query !== typedLast.current) input.current.value = query;
    typedLast.current = query;
  }, [query]);

  const commit = (): void => {
    clearTimeout(timer.current);
    const typed = input.current?.value ?? "";
    if (typed.trim() === address.value.query.trim()) return;
    const going = address.value.view === "search" && historyState().typing === true;
    scrollTo({ top: 0 });
    typedLast.current = typed;
    go({ query: typed, view: "search", open: undefined }, going ? "replace" : "push", true);
  };

  return (
    <form
      class="search-box"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        commit();
        // What is typed from now on is another search.
        history.replaceState({ ...historyState(), typing: false }, "");
      }}
    >
      <span class={searching.value ? "search-sign busy" : "search-sign"}>
        <Icon name="search" />
      </span>
      {pictures.map((picture) => (
        <QueryPicture key={picture} picture={picture} />
      ))}
      <input
        ref={input}
        id="search"
        type="search"
        autocomplete="off"
        spellcheck={false}
        enterkeyhint="search"
        aria-label={w.label}
        aria-keyshortcuts="/"
        placeholder={pictures.length === 0 ? w.placeholder : w.and}
        defaultValue={query}
        onInput={() => {
          clearTimeout(timer.current);
          timer.current = setTimeout(commit, settleMs);
        }}
        onKeyDown={(event) => {
          if (event.key === "ArrowDown") enterResults();
          else if (event.key === "Backspace" && event.currentTarget.value === "" && pictures.length > 0)
            go({ pictures: pictures.slice(0, -1) });
          else return;
          event.preventDefault();
        }}
      />
      <kbd aria-hidden="true">/</kbd>
      {(query !== "" || pictures.length > 0) && (
        <IconButton
          icon="no"
          label={w.clear}
          onClick={() => {
            go({ query: "", pictures: [], view: "search", sort: "score" });
            input.current?.focus();
          }}
        />
      )}
      <FileInput input={file} />
      <IconButton icon="picture" label={w.upload} onClick={() => file.current?.click()} />
    </form>
  );
}

function QueryPicture({ picture }: { readonly picture: string }): JSX.Element | null {
  const upload = uploads.value.get(picture);
  const source = isUpload(picture) ? upload?.url : thumbnailUrl(picture, 160);
  const remove = words.value.search.remove;
  if (source === undefined) return null;
  return (
    <button
      type="button"
      class="query-picture"
      aria-label={remove}
      title={remove}
      onClick={() => go({ pictures: address.value.pictures.filter((other) => other !== picture) })}
    >
      <img src={source} alt="" />
      <Icon name="no" />
    </button>
  );
}

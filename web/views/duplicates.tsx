import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { readDuplicates, thumbnailUrl } from "../api/client.js";
import type { Copies, CopyKind } from "../api/types.js";
import { useRows } from "../parts/rows.js";
import { useWidth } from "../parts/use-width.js";
import { Failed } from "../parts/verdict.js";
import { address, go } from "../state/address.js";
import { edition } from "../state/results.js";
import { words } from "../words/words.js";

const kinds: readonly CopyKind[] = ["exact", "same", "lookalike"];
const tile = 168;
const gap = 8;
/** Of a group's frame and its line of text, px. */
const frame = 66;

export function DuplicatesView(): JSX.Element {
  const w = words.value.duplicates;
  const { kind } = address.value;
  const [groups, setGroups] = useState<readonly Copies[]>();
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    setGroups(undefined);
    setError(undefined);
    let current = true;
    readDuplicates(kind).then(
      (read) => current && setGroups(read),
      (failed: unknown) => current && setError(failed),
    );
    return () => (current = false);
  }, [kind, edition.value]);
  return (
    <section class="duplicates">
      <div class="tabs" role="group" aria-label={w.label}>
        {kinds.map((name) => (
          <button
            key={name}
            type="button"
            class="chip"
            aria-pressed={name === kind}
            onClick={() => go({ kind: name }, "replace")}
          >
            {w[name]}
          </button>
        ))}
      </div>
      <p class="quiet">
        {w.about[kind]} {w.safe}
      </p>
      <div role="status">
        {error !== undefined && <Failed error={error} />}
        {error === undefined && groups === undefined && <p>{w.looking}</p>}
        {groups !== undefined && <p>{groups.length === 0 ? w.none[kind] : w.groups(groups.length)}</p>}
      </div>
      {groups !== undefined && groups.length > 0 && <Groups groups={groups} />}
    </section>
  );
}

function Groups({ groups }: { readonly groups: readonly Copies[] }): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const columns = Math.max(1, Math.floor((width - 24 + gap) / (tile + gap)));
  const heightOf = (row: number): number =>
    Math.ceil(groups[row]!.ids.length / columns) * (tile + 44 + gap) + frame;
  const rows = useRows(width === 0 ? 0 : groups.length, heightOf, `${columns} ${groups.length}`);
  return (
    <div ref={box}>
      <div ref={rows.list} class="rows" style={{ height: `${rows.height}px` }}>
        {rows.visible.map(({ index, key, start }) => (
          <Group
            key={key}
            group={groups[index]!}
            style={{ transform: `translateY(${start - rows.top}px)`, height: `${heightOf(index) - 12}px` }}
          />
        ))}
      </div>
    </div>
  );
}

function Group({
  group: { ids },
  style,
}: {
  readonly group: Copies;
  readonly style: Record<string, string>;
}): JSX.Element {
  const w = words.value;
  return (
    <section class="group" style={style}>
      <h2>{w.pictures(ids.length)}</h2>
      <ul>
        {ids.map((id, i) => (
          <li key={id}>
            <button type="button" class="tile-picture" onClick={() => go({ open: id })}>
              <img
                src={thumbnailUrl(id, 320)}
                alt=""
                loading="lazy"
                onLoad={(event) => event.currentTarget.classList.add("loaded")}
              />
              <span class="group-name">{id}</span>
            </button>
            {i === 0 && <span class="badge">{w.duplicates.largest}</span>}
          </li>
        ))}
      </ul>
    </section>
  );
}

import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { readDuplicates, thumbnailUrl } from "../api/client.js";
import type { Copies, CopyKind } from "../api/types.js";
import { useRows } from "../parts/rows.js";
import { useWidth } from "../parts/use-width.js";
import { Failed } from "../parts/verdict.js";
import { address, go } from "../state/address.js";
import { useUntilReady } from "../state/until-ready.js";
import { showBytes, showPercent, words } from "../words/words.js";

const kinds: readonly CopyKind[] = ["exact", "same", "lookalike"];
/** As the style has it, px. */
const tile = { width: 168, height: 208 };
const gap = 8;
/** What a group has besides its pictures. */
const frame = { width: 26, height: 60, apart: 12 };

export function DuplicatesView(): JSX.Element {
  const w = words.value.duplicates;
  const { kind } = address.value;
  const { answer, error } = useUntilReady(() => readDuplicates(kind), kind);
  const groups = answer?.groups;
  const waits = error === undefined && answer?.state !== "ready";
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
        {waits && (
          <div class="waits">
            <p>{w.looking(answer?.done === undefined ? "" : showPercent(answer.done))}</p>
            <progress aria-label={w.looking("")} value={answer?.done} max={1} />
          </div>
        )}
        {groups !== undefined && <p>{groups.length === 0 ? w.none[kind] : w.groups(groups.length)}</p>}
      </div>
      {groups !== undefined && groups.length > 0 && <Groups groups={groups} />}
    </section>
  );
}

function Groups({ groups }: { readonly groups: readonly Copies[] }): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const packed = pack(groups, width);
  const columns = Math.max(1, Math.floor((width - frame.width + gap) / (tile.width + gap)));
  const heightOf = (row: number): number => {
    const most = Math.max(...packed[row]!.map(({ pictures }) => pictures.length));
    return Math.ceil(most / columns) * (tile.height + gap) + frame.height;
  };
  const rows = useRows(width === 0 ? 0 : packed.length, heightOf, `${columns} ${packed.length}`);
  return (
    <div ref={box}>
      <div ref={rows.list} class="rows" style={{ height: `${rows.height}px` }}>
        {rows.visible.map(({ index, key, start }) => (
          <div
            key={key}
            class="group-row"
            style={{ transform: `translateY(${start - rows.top}px)`, height: `${heightOf(index)}px` }}
          >
            {packed[index]!.map((group) => (
              <Group key={group.pictures[0]!.id} group={group} />
            ))}
          </div>
        ))}
      </div>
    </div>
  );
}

/** As many groups side by side as there is room for. */
function pack(groups: readonly Copies[], width: number): Copies[][] {
  const rows: Copies[][] = [];
  let left = 0;
  for (const group of groups) {
    const takes = group.pictures.length * (tile.width + gap) - gap + frame.width;
    if (rows.length > 0 && takes <= left) rows.at(-1)!.push(group);
    else {
      rows.push([group]);
      left = width;
    }
    left -= takes + frame.apart;
  }
  return rows;
}

function Group({ group: { kind, pictures } }: { readonly group: Copies }): JSX.Element {
  const w = words.value;
  return (
    <section class="group">
      <h2>{w.pictures(pictures.length)}</h2>
      <ul>
        {pictures.map(({ id, fields: { width, height, size } }, i) => (
          <li key={id}>
            <button type="button" class="tile-picture" onClick={() => go({ open: id })}>
              <img
                src={thumbnailUrl(id, 320)}
                alt=""
                loading="lazy"
                onLoad={(event) => event.currentTarget.classList.add("loaded")}
              />
              <span class="group-name">
                <bdi>{id}</bdi>
              </span>
              <span class="group-size">
                {typeof width === "number" && `${width} × ${Number(height)} · `}
                {typeof size === "number" && showBytes(size)}
              </span>
            </button>
            {i === 0 && kind === "same" && <span class="badge">{w.duplicates.largest}</span>}
          </li>
        ))}
      </ul>
    </section>
  );
}

import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { current } from "../state/address.js";
import type { Mark } from "../state/marks.js";
import { resultAt, want, type Results } from "../state/results.js";
import { words } from "../words/words.js";
import { useRows } from "./rows.js";
import { Tile, type Doubt, type TileActions } from "./tile.js";
import { useWidth } from "./use-width.js";

const gap = 8;
/** Tiles are at least so wide, px: three in a row on a phone. */
const narrow = 108;
const wide = 176;
/** Of ten such pictures, fewer than one is what was meant. */
const unlikely = 0.1;

interface GridProps {
  readonly results: Results;
  readonly marks: ReadonlyMap<string, Mark>;
  readonly actions: TileActions;
  /** Leaves the grid upwards. */
  readonly leave: () => void;
}

export function Grid({ results, marks, actions, leave }: GridProps): JSX.Element {
  const frame = useRef<HTMLDivElement>(null);
  const width = useWidth(frame);
  const columns = Math.max(1, Math.floor((width + gap) / ((width < 600 ? narrow : wide) + gap)));
  const side = Math.max(1, (width - gap * (columns - 1)) / columns);
  const rowCount = width === 0 ? 0 : Math.ceil(results.count / columns);
  const rows = useRows(rowCount, () => side + gap, `${side}`);
  const place = Math.min(current.value, Math.max(0, results.count - 1));
  /** Where the focus goes as soon as that tile is drawn: the next key, and effects of earlier drawings, may come before. */
  const goal = useRef<number>(undefined);

  const first = rows.visible[0]?.index ?? 0;
  const last = rows.visible.at(-1)?.index ?? 0;
  useEffect(() => {
    if (rowCount > 0) want(first * columns, Math.min(results.count, (last + 1) * columns) - 1);
  }, [results, first, last, columns, rowCount]);

  useEffect(() => {
    if (goal.current === undefined) return;
    const tile = frame.current?.querySelector<HTMLElement>(`[data-place="${goal.current}"] button`);
    if (tile == null) return;
    goal.current = undefined;
    tile.focus({ preventScroll: true });
  });

  const move = (to: number): void => {
    goal.current = Math.max(0, Math.min(results.count - 1, to));
    current.value = goal.current;
    rows.show(Math.floor(goal.current / columns));
  };

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const page = Math.max(1, Math.floor(innerHeight / (side + gap)) - 1) * columns;
    const steps: Readonly<Record<string, number>> = {
      ArrowRight: 1,
      ArrowLeft: -1,
      ArrowDown: columns,
      ArrowUp: -columns,
      PageDown: page,
      PageUp: -page,
      Home: -Infinity,
      End: Infinity,
    };
    const step = steps[event.key];
    const at = goal.current ?? place;
    const id = resultAt(results, at)?.id;
    if (event.key === "ArrowUp" && at < columns) leave();
    else if (step !== undefined) move(at + step);
    else if (event.key === "s" && id !== undefined) actions.similar(id);
    else if (event.key === "y" && id !== undefined) actions.mark?.(id, "yes");
    else if (event.key === "n" && id !== undefined) actions.mark?.(id, "no");
    else return;
    event.preventDefault();
  };

  return (
    <div
      ref={frame}
      class="grid"
      role="grid"
      aria-label={words.value.grid}
      aria-rowcount={results.counted ? rowCount : -1}
      aria-colcount={columns}
      onKeyDown={onKeyDown}
    >
      <div
        ref={rows.list}
        class="rows"
        role="rowgroup"
        style={{ height: `${Math.max(0, rows.height - gap)}px` }}
      >
        {rows.visible.map(({ index: row, key, start }) => (
          <div
            key={key}
            class="row"
            role="row"
            aria-rowindex={row + 1}
            style={{ height: `${side}px`, transform: `translateY(${start - rows.top}px)`, gap: `${gap}px` }}
          >
            {Array.from({ length: Math.min(columns, results.count - row * columns) }, (_, column) => {
              const index = row * columns + column;
              const picture = resultAt(results, index);
              return (
                <div
                  key={picture?.id ?? index}
                  class="cell"
                  role="gridcell"
                  aria-colindex={column + 1}
                  data-place={index}
                  style={{ width: `${side}px` }}
                >
                  {picture === undefined ? (
                    <div class="tile" aria-hidden="true" />
                  ) : (
                    <Tile
                      picture={picture}
                      mark={marks.get(picture.id)}
                      doubt={doubtOf(results, picture.probability)}
                      current={index === place}
                      actions={actions}
                      onFocus={() => {
                        goal.current = undefined;
                        current.value = index;
                      }}
                    />
                  )}
                </div>
              );
            })}
          </div>
        ))}
      </div>
    </div>
  );
}

function doubtOf({ match }: Results, probability = 1): Doubt | undefined {
  if (match === undefined) return undefined;
  if (match.verdict === "nothing") return "strong";
  return probability < unlikely ? "some" : undefined;
}

import type { JSX } from "preact";
import { thumbnailUrl } from "../api/client.js";
import type { Mark } from "../state/marks.js";
import type { Shown } from "../state/results.js";
import { showPercent, words } from "../words/words.js";
import { IconButton } from "./button.js";

export interface TileActions {
  open(id: string): void;
  similar(id: string): void;
  /** Absent where nothing was searched for. */
  mark?: ((id: string, mark: Mark) => void) | undefined;
}

/** That a picture is what was meant: "some" when it is probably not, "strong" when nothing here is. */
export type Doubt = "some" | "strong";

interface TileProps {
  readonly picture: Shown;
  readonly mark: Mark | undefined;
  readonly doubt: Doubt | undefined;
  /** The one that Tab reaches; arrows lead to the others. */
  readonly current: boolean;
  readonly actions: TileActions;
  readonly onFocus: () => void;
}

export function Tile({ picture, mark, doubt, current, actions, onFocus }: TileProps): JSX.Element {
  const { id, fields, probability } = picture;
  const w = words.value;
  const percent = probability === undefined ? undefined : showPercent(probability);
  return (
    <div class="tile" data-doubt={doubt} data-mark={mark}>
      <button
        type="button"
        class="tile-picture"
        aria-label={w.tile(nameOf(picture), percent)}
        aria-keyshortcuts="Enter s y n"
        tabIndex={current ? 0 : -1}
        data-id={id}
        onFocus={onFocus}
        onClick={() => actions.open(id)}
      >
        <img
          src={thumbnailUrl(id, 320)}
          alt=""
          loading="lazy"
          decoding="async"
          width={Number(fields["width"] ?? 1)}
          height={Number(fields["height"] ?? 1)}
          onLoad={(event) => event.currentTarget.classList.add("loaded")}
        />
      </button>
      {percent !== undefined && <span class="tile-score">{percent}</span>}
      <div class="tile-actions">
        <IconButton
          skip
          icon="similar"
          label={w.actions.similar}
          keys="s"
          onClick={() => actions.similar(id)}
        />
        {actions.mark !== undefined && (
          <>
            <IconButton
              skip
              icon="yes"
              label={w.actions.yes}
              keys="y"
              pressed={mark === "yes"}
              onClick={() => actions.mark?.(id, "yes")}
            />
            <IconButton
              skip
              icon="no"
              label={w.actions.no}
              keys="n"
              pressed={mark === "no"}
              onClick={() => actions.mark?.(id, "no")}
            />
          </>
        )}
      </div>
    </div>
  );
}

/** The file's name; an id that is no path is shown whole. */
export const nameOf = ({ id, fields }: Pick<Shown, "id" | "fields">): string =>
  typeof fields["name"] === "string" ? fields["name"] : id.slice(id.lastIndexOf("/") + 1);

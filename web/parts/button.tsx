import type { JSX } from "preact";
import { Icon, type IconName } from "./icon.js";

interface IconButtonProps {
  readonly icon: IconName;
  /** What it does, for those who do not see the icon, and as its tip. */
  readonly label: string;
  readonly onClick: () => void;
  readonly pressed?: boolean;
  readonly keys?: string;
  /** Out of the tab order: the key does the same. */
  readonly skip?: boolean;
  readonly disabled?: boolean;
}

export const IconButton = ({
  icon,
  label,
  onClick,
  pressed,
  keys,
  skip,
  disabled,
}: IconButtonProps): JSX.Element => (
  <button
    type="button"
    class="icon-button"
    aria-label={label}
    title={keys === undefined ? label : `${label} (${keys})`}
    aria-pressed={pressed}
    aria-keyshortcuts={keys}
    tabIndex={skip === true ? -1 : undefined}
    disabled={disabled}
    onClick={(event) => {
      event.stopPropagation();
      onClick();
    }}
  >
    <Icon name={icon} />
  </button>
);

import type { JSX } from "preact";

/** A bar as long as a share. Browsers draw `<meter>` each in their own way. */
export const Meter = ({ share, label }: { readonly share: number; readonly label: string }): JSX.Element => (
  <div
    class="meter"
    role="meter"
    aria-label={label}
    aria-valuemin={0}
    aria-valuemax={1}
    aria-valuenow={share}
  >
    <div style={{ width: `${100 * share}%` }} />
  </div>
);

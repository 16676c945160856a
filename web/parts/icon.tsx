import type { JSX } from "preact";

/** Strokes on a square of 24. */
const shapes = {
  search: "M11 4a7 7 0 1 1 0 14 7 7 0 0 1 0-14Zm5 12 4.5 4.5",
  map: "M4 6.5 9 4l6 2.5L20 4v13.5L15 20l-6-2.5L4 20ZM9 4v13.5M15 6.5V20",
  copies: "M8 8h12v12H8ZM4 16V4h12",
  labels: "M4 4h8l8 8-8 8-8-8ZM8.5 8.5h.01",
  picture: "M4 5h16v14H4Zm0 11 5-5 4 4 2.5-2.5L20 17M15.5 9h.01",
  similar: "M9 5a7 7 0 1 0 0 14A7 7 0 0 0 9 5Zm6 0a7 7 0 1 1 0 14 7 7 0 0 1 0-14Z",
  yes: "m5 13 4.5 4.5L19.5 7",
  no: "M6 6l12 12M18 6 6 18",
  filters: "M4 7h9m4 0h3M4 17h3m4 0h9M15 4.5v5M9 14.5v5",
  settings:
    "M6 12a1 1 0 1 1-2 0 1 1 0 0 1 2 0Zm7 0a1 1 0 1 1-2 0 1 1 0 0 1 2 0Zm7 0a1 1 0 1 1-2 0 1 1 0 0 1 2 0Z",
  left: "m14.5 5-7 7 7 7",
  right: "m9.5 5 7 7-7 7",
  down: "m6 9.5 6 6 6-6",
  plus: "M12 5v14M5 12h14",
  minus: "M5 12h14",
  whole: "M4 9V4h5m6 0h5v5m0 6v5h-5m-6 0H4v-5",
  open: "M13 4h7v7m0-7-9 9M10 5H4v15h15v-6",
  nothing: "M11 4a7 7 0 1 1 0 14 7 7 0 0 1 0-14Zm5 12 4.5 4.5M8.5 11h5",
} as const;

export type IconName = keyof typeof shapes;

export const Icon = ({ name }: { readonly name: IconName }): JSX.Element => (
  <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
    <path d={shapes[name]} />
  </svg>
);

import Table from "cli-table3";
import type { Screen } from "./screen.js";

const noLines = Object.fromEntries(
  [
    "top",
    "top-mid",
    "top-left",
    "top-right",
    "bottom",
    "bottom-mid",
    "bottom-left",
    "bottom-right",
    "left",
    "left-mid",
    "mid",
    "mid-mid",
    "right",
    "right-mid",
  ].map((place) => [place, ""]),
);

/** Columns without lines around them; numbers stand at the right. */
export function table(
  heads: readonly string[],
  rows: readonly (readonly (string | number)[])[],
  { colors }: Screen,
): string {
  const rightAligned = heads.map((_, i) => rows.length > 0 && rows.every((row) => isNumber(row[i] ?? "")));
  const grid = new Table({
    head: heads.map((head) => colors.bold(head)),
    chars: { ...noLines, middle: "  " },
    style: { head: [], border: [], "padding-left": 0, "padding-right": 0, compact: true },
    colAligns: rightAligned.map((right) => (right ? "right" : "left")),
  });
  grid.push(...rows.map((row) => row.map(String)));
  return grid.toString().replace(/ +$/gm, "");
}

const isNumber = (cell: string | number): boolean =>
  typeof cell === "number" || /^[-+]?[\d.,]+(e[-+]?\d+)?\s*%?$/.test(cell);

/** Four digits that count; exponents only where a number is tiny or huge. */
export function showNumber(value: number): string {
  if (Number.isInteger(value)) return String(value);
  return Math.abs(value) >= 1e-3 && Math.abs(value) < 1e6
    ? String(Number(value.toPrecision(4)))
    : value.toExponential(1);
}

import type { Screen } from "./screen.js";
import { showNumber, table } from "./table.js";

type Row = Readonly<Record<string, unknown>>;

/** Any result: single values as lines, lists of records as tables. Of checks, those that failed are listed. */
export function recordView(output: unknown, screen: Screen): string {
  if (Array.isArray(output)) return rowsView(output as Row[], screen);
  const entries = flat(output as Row);
  const lines = entries.filter(([, value]) => !isRows(value));
  const width = Math.max(...lines.map(([name]) => name.length));
  const text = lines.map(
    ([name, value]) => `${screen.colors.bold(name.padEnd(width))}  ${cell(value, screen)}`,
  );
  const tables = entries.flatMap(([name, value]) => (isRows(value) ? [listView(name, value, screen)] : []));
  return [text.join("\n"), ...tables].filter((part) => part !== "").join("\n\n");
}

/** A record's entries with those of records inside of it, under joined names. */
const flat = (record: Row, prefix = ""): [string, unknown][] =>
  Object.entries(record).flatMap(([name, value]) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? flat(value as Row, `${prefix}${name}.`)
      : [[prefix + name, value] as [string, unknown]],
  );

const isRows = (value: unknown): value is Row[] =>
  Array.isArray(value) && value.length > 0 && value.every((row) => typeof row === "object" && row !== null);

function listView(name: string, rows: readonly Row[], screen: Screen): string {
  const checks = rows.every((row) => typeof row.ok === "boolean");
  const failed = rows.filter((row) => row.ok === false);
  if (!checks) return `${screen.colors.bold(name)}\n${rowsView(rows, screen)}`;
  if (failed.length === 0) return screen.colors.green(`${name}: all ${rows.length} agree`);
  const title = screen.colors.red(`${name}: ${failed.length} of ${rows.length} differ`);
  return `${title}\n${rowsView(failed, screen)}`;
}

function rowsView(rows: readonly Row[], screen: Screen): string {
  const heads = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  return table(
    heads,
    rows.map((row) => heads.map((head) => cell(row[head], screen))),
    screen,
  );
}

function cell(value: unknown, screen: Screen): string {
  const { colors } = screen;
  if (value === true) return colors.green("yes");
  if (value === false) return colors.red("no");
  if (typeof value === "number") return showNumber(value);
  if (value === undefined || value === null) return "–";
  if (Array.isArray(value))
    return value.length === 0 ? "none" : value.map((item) => cell(item, screen)).join(", ");
  return typeof value === "string" ? value : JSON.stringify(value);
}

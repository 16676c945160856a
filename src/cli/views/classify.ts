import type { Screen } from "./screen.js";
import { table } from "./table.js";

type Output = readonly {
  readonly picture: string;
  readonly labels: readonly { readonly label: string; readonly score: number }[];
  readonly none?: number;
}[];

/** Labels of each picture that people look at. */
const shown = 5;
const barLength = 20;
/** Probability of "none of these" from which it is told. */
const doubtful = 0.5;

/** The best labels of each picture with a bar for their score. */
export function classifyView(output: unknown, screen: Screen): string {
  return (output as Output)
    .map(({ picture, labels, none }) => {
      const rows = labels
        .slice(0, shown)
        .map(({ label, score }) => [
          `${(score * 100).toFixed(1)} %`,
          label,
          screen.colors.cyan("█".repeat(Math.round(score * barLength))),
        ]);
      const rest =
        labels.length > shown ? screen.colors.dim(`\n… ${labels.length - shown} more (--json)`) : "";
      const doubt =
        none === undefined || none < doubtful
          ? ""
          : screen.colors.yellow(`\nNone of these, with a probability of ${Math.round(100 * none)} %.`);
      return `${screen.colors.bold(picture)}\n${table(["", "", ""], rows, screen).replace(/^\s*\n/, "")}${rest}${doubt}`;
    })
    .join("\n\n");
}

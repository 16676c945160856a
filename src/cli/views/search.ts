import { CliptError } from "../../tensor/index.js";
import { protocolOf, showPicture } from "../pictures/show-picture.js";
import { printable } from "../printable.js";
import type { Screen } from "./screen.js";
import { table } from "./table.js";

interface Answer {
  readonly query?: string;
  readonly understood?: string;
  readonly match?: { readonly probability: number; readonly verdict: "matches" | "unsure" | "nothing" };
  readonly results: readonly {
    readonly path: string;
    readonly score: number;
    readonly probability?: number;
  }[];
  readonly refinements?: readonly string[];
}

/** Pictures that `--show` draws for a query. */
const drawn = 3;

/** Hits as a table, the best of them drawn where that is asked for. */
export async function searchView(output: unknown, screen: Screen): Promise<string> {
  const answers = [output as Answer | readonly Answer[]].flat();
  const parts = [];
  for (const { query = "", understood, match, results, refinements = [] } of answers) {
    if (answers.length > 1) parts.push(screen.colors.bold(query));
    if (understood !== undefined) parts.push(screen.colors.dim(understood));
    if (match !== undefined && match.verdict !== "matches") parts.push(screen.colors.yellow(doubt(match)));
    if (screen.show) for (const { path } of results.slice(0, drawn)) parts.push(await draw(path, screen));
    parts.push(
      table(
        match === undefined ? ["score", "picture"] : ["score", "match", "picture"],
        results.map(({ path, score, probability }) => [
          score.toFixed(3),
          ...(match === undefined ? [] : [probability === undefined ? "" : percent(probability)]),
          printable(path),
        ]),
        screen,
      ),
    );
    if (refinements.length > 0) parts.push(screen.colors.dim(`narrower: ${refinements.join(", ")}`));
  }
  return parts.join("\n");
}

const doubt = ({ probability, verdict }: NonNullable<Answer["match"]>): string =>
  `${verdict === "nothing" ? "Nothing here seems to match" : "Perhaps nothing here matches"}; that something does has a probability of ${percent(probability)}. The nearest are:`;

const percent = (probability: number): string => `${Math.round(100 * probability)} %`;

async function draw(path: string, { env, colors }: Screen): Promise<string> {
  try {
    return `${await showPicture(path, protocolOf(env))}\n${colors.dim(printable(path))}`;
  } catch (error) {
    // The vectors may be older than the files.
    if (error instanceof CliptError || (error as NodeJS.ErrnoException).code === "ENOENT")
      return colors.dim(`${printable(path)}: cannot be drawn`);
    throw error;
  }
}

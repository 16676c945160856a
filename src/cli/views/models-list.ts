import { showBytes } from "../../task/show-bytes.js";
import type { Screen } from "./screen.js";
import { table } from "./table.js";

interface Row {
  readonly name: string;
  readonly state: "bundled" | "cached" | "hub";
  readonly imagenet: { readonly value: number } | null;
  readonly coco: { readonly value: number } | null;
  readonly xm3600: { readonly value: number } | null;
  readonly bytes: number;
  readonly gflops: number | null;
  readonly languages: string;
  readonly license: string;
}

/** Terminals below this width get the columns that decide. */
const wide = 150;

/** The models as a table; those that are here already are marked. */
export function modelsListView(output: unknown, screen: Screen): string {
  const rows = output as readonly Row[];
  if (rows.length === 0) return "No model fits these limits.";
  const { colors } = screen;
  const marks = { bundled: colors.green("●"), cached: colors.green("●"), hub: "" };
  const isWide = screen.columns >= wide;
  const lines = rows.map((row) => [
    marks[row.state],
    row.name,
    percent(row.imagenet),
    percent(row.coco),
    ...(isWide ? [percent(row.xm3600)] : []),
    showBytes(row.bytes),
    row.gflops === null ? "–" : row.gflops.toFixed(1),
    row.languages,
    ...(isWide ? [row.license] : []),
  ]);
  const heads = [
    "",
    "model",
    "ImageNet",
    "COCO",
    ...(isWide ? ["XM3600"] : []),
    "size",
    "GFLOP",
    "languages",
  ];
  return [
    table(isWide ? [...heads, "licence"] : heads, lines, screen),
    "",
    colors.dim(
      `${colors.reset(colors.green("●"))}${colors.dim(" on this machine. ImageNet: zero-shot top-1; COCO: pictures by captions, R@1")}` +
        colors.dim(`${isWide ? "; XM3600: the same in 36 languages" : ""}; in percent, as published.`),
    ),
    colors.dim("GFLOP: work for one picture. Sources, licences and notes: --json, docs/published-models.md."),
  ].join("\n");
}

const percent = (figure: { readonly value: number } | null): string => figure?.value.toFixed(1) ?? "–";

import type { doctorDtypes } from "../../task/doctor-dtypes.js";
import { showBytes } from "../../task/show-bytes.js";
import type { Screen } from "./screen.js";
import { showNumber, table } from "./table.js";

type Report = Awaited<ReturnType<typeof doctorDtypes>>;

/** A line for each precision; the mean cosine and the worst one to fp32. */
export function doctorDtypesView(output: unknown, screen: Screen): string {
  const { model, data, pictures, texts, default: chosen, dtypes } = output as Report;
  const metrics = Object.keys(dtypes[0]?.metrics ?? {}).filter((name) => !/@\d\d|@[2-9]/.test(name));
  const heads = ["", "cosine of pictures", "of texts", "CPU ms a picture", "a text", "weights", ...metrics];
  const lines = dtypes.map((row) => [
    row.dtype,
    cosines(row.pictures.cosine),
    cosines(row.texts.cosine),
    row.pictures.cpuMs.toFixed(1),
    row.texts.cpuMs.toFixed(2),
    row.pictures.bytes === undefined ? "–" : showBytes(row.pictures.bytes + (row.texts.bytes ?? 0)),
    ...metrics.map((name) => showNumber(row.metrics[name] ?? NaN)),
  ]);
  return [
    `${model} on ${data}: ${pictures} pictures, ${texts} texts`,
    table(heads, lines, screen),
    ...(chosen === undefined
      ? []
      : [`Without --dtype: pictures in ${chosen.pictures}, texts in ${chosen.texts}.`]),
  ].join("\n");
}

const cosines = ({ mean, worst }: { readonly mean: number; readonly worst: number }): string =>
  `${mean.toFixed(4)} (${worst.toFixed(4)})`;

import { CliptError, f32, toFloat32, type Tensor } from "../tensor/index.js";
import { classificationMetrics, meanAveragePrecision } from "./metrics/classification.js";
import { retrievalMetrics } from "./metrics/retrieval.js";
import { normalizeRows } from "./normalize.js";
import { dotProducts } from "./top-k.js";
import { classDirections } from "./zero-shot.js";

/** One number of clipt against the reference's; null is NaN in JSON. */
export interface MetricComparison {
  readonly name: string;
  readonly value: number | null;
  readonly expected: number | null;
  readonly ok: boolean;
}

export interface MetricsReport {
  readonly ok: boolean;
  readonly compared: number;
  readonly maxAbs: number;
  readonly metrics: readonly MetricComparison[];
}

/** Both sides round counts to float32 at most. */
const allowed = 1e-6;

/**
 * Computes CLIP_benchmark's metrics on features and compares them with the reference's results.
 *
 * @param tensors   `image_features`, `targets`, `template_features`, `classifier`, `multilabel_targets`,
 *                  `retrieval_image_features`, `caption_features`; those that a result needs must be there
 * @param reference results by group: `classification`, `classification_4_classes`, `multilabel`, `retrieval`
 * @throws          `format` when a tensor is missing or no group is known
 */
export function compareMetrics(tensors: ReadonlyMap<string, Tensor>, reference: unknown): MetricsReport {
  const need = (name: string): Tensor => {
    const found = tensors.get(name);
    if (found === undefined) throw new CliptError("format", `The features hold no tensor "${name}".`);
    return found;
  };
  const metrics: MetricComparison[] = [];
  if (tensors.has("classifier") && tensors.has("template_features")) metrics.push(compareClassifier(need));
  for (const [group, expected] of Object.entries(reference as Record<string, unknown>)) {
    const compute = metricsOf(group, need);
    if (compute === undefined || typeof expected !== "object" || expected === null) continue;
    const values = compute(expected);
    for (const [name, number] of Object.entries(expected as Record<string, number | null>))
      metrics.push(compare(`${group}.${name}`, values[name], number));
  }
  if (metrics.length === 0)
    throw new CliptError(
      "format",
      "The reference holds none of classification, classification_N_classes, multilabel and retrieval.",
    );
  const gaps = metrics.map(({ value, expected }) => Math.abs((value ?? 0) - (expected ?? 0)));
  return {
    ok: metrics.every(({ ok }) => ok),
    compared: metrics.length,
    maxAbs: Math.max(...gaps),
    metrics,
  };
}

type Values = Readonly<Record<string, number>>;

/** How to compute a group of results; undefined for a field that holds none. */
function metricsOf(
  group: string,
  need: (name: string) => Tensor,
): ((expected: object) => Values) | undefined {
  const few = /^classification_(\d+)_classes$/.exec(group);
  if (few !== null) return () => classification(need, Number(few[1]));
  switch (group) {
    case "classification":
      return () => classification(need, Infinity);
    case "multilabel":
      return () => {
        const { scores } = scoresOf(need);
        return { mean_average_precision: meanAveragePrecision(scores, need("multilabel_targets")) };
      };
    case "retrieval":
      return (expected) => {
        const images = normalizeRows(toFloat32(need("retrieval_image_features")));
        const texts = normalizeRows(toFloat32(need("caption_features")));
        const captions = (texts.shape[0] ?? 0) / (images.shape[0] ?? 1);
        const imageOf = Array.from({ length: texts.shape[0] ?? 0 }, (_, i) => Math.floor(i / captions));
        const ks = Object.keys(expected).map((name) => Number(name.split("@")[1]));
        return { ...retrievalMetrics(images, texts, imageOf, ks) };
      };
    default:
      return undefined;
  }
}

function classification(need: (name: string) => Tensor, limit: number): Values {
  const { scores, classes } = scoresOf(need);
  const kept = Math.min(classes, limit);
  const targets = Array.from(need("targets").data, Number);
  const pictures = targets.flatMap((target, i) => (target < kept ? [i] : []));
  const part = pictures.flatMap((i) => Array.from(scores.subarray(i * classes, i * classes + kept)));
  return {
    ...classificationMetrics(
      part,
      pictures.map((i) => targets[i] ?? 0),
      kept,
    ),
  };
}

/** Similarities of pictures and classes; the factor 100 of the logits does not change an order. */
function scoresOf(need: (name: string) => Tensor): { scores: Float64Array; classes: number } {
  const rows = transpose(toFloat32(need("classifier")));
  const images = normalizeRows(toFloat32(need("image_features")));
  return { scores: dotProducts(images, rows), classes: rows.shape[0] ?? 0 };
}

function compareClassifier(need: (name: string) => Tensor): MetricComparison {
  const { shape, data } = toFloat32(need("template_features"));
  const [classes = 0, templates = 0, width = 0] = shape;
  const directions = classDirections(
    f32([classes * templates, width], data),
    new Array<number>(classes).fill(templates),
  );
  const expected = transpose(toFloat32(need("classifier"))).data;
  let largest = 0;
  directions.data.forEach(
    (value, i) => (largest = Math.max(largest, Math.abs(value - (expected[i] ?? NaN)))),
  );
  return { name: "classifier.maxAbs", value: largest, expected: 0, ok: largest <= allowed };
}

function compare(name: string, value: number | undefined, expected: number | null): MetricComparison {
  if (value === undefined || Number.isNaN(value))
    return { name, value: null, expected, ok: value !== undefined && expected === null };
  return { name, value, expected, ok: expected !== null && Math.abs(value - expected) <= allowed };
}

function transpose({ shape, data }: Tensor<"float32">): Tensor<"float32"> {
  const [rows = 0, columns = 0] = shape;
  const result = new Float32Array(data.length);
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < columns; c++) result[c * rows + r] = data[r * columns + c] ?? 0;
  return f32([columns, rows], result);
}

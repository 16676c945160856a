/** What a similarity means: rankings, zero-shot classifiers, probabilities, metrics. Platform-neutral. */
export * from "./calibration/adapt.js";
export * from "./calibration/calibration.js";
export * from "./calibration/collections.js";
export * from "./calibration/explained.js";
export * from "./calibration/features.js";
export * from "./calibration/fit.js";
export * from "./calibration/logistic.js";
export * from "./calibration/reliability.js";
export * from "./compare-metrics.js";
export * from "./held-rows.js";
export * from "./metrics/classification.js";
export * from "./metrics/retrieval.js";
export * from "./normalize.js";
export * from "./probabilities.js";
export * from "./top-k.js";
export * from "./zero-shot.js";

/** What a similarity means: rankings, zero-shot classifiers, probabilities, metrics. Platform-neutral. */
export * from "./compare-metrics.js";
export * from "./metrics/classification.js";
export * from "./metrics/retrieval.js";
export * from "./normalize.js";
export * from "./probabilities.js";
export * from "./top-k.js";
export * from "./zero-shot.js";

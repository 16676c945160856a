/** Losses: functions from values to a scalar. */
export * from "./contrastive.js";
export * from "./cross-entropy.js";
export * from "./distillation.js";
export * from "./labels.js";
export * from "./positives.js";
export * from "./sigmoid.js";

/** Pairs → batches → loss → step → checkpoint → a model folder. */
export * from "./data/index.js";
export * from "./losses/index.js";
export * from "./objective.js";
export * from "./recipe.js";
export * from "./step.js";
export * from "./trainer.js";
export * from "./loop.js";
export * from "./replay.js";
export * from "./open-clip/index.js";
export * from "./stopped-run.js";

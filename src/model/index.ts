/** Towers as pure functions of their weights, published families as data, model folders. */
export * from "./clip.js";
export * from "./config.js";
export * from "./context.js";
export * from "./spec.js";
export * from "./towers/index.js";
export type { Tower } from "./towers/tower.js";

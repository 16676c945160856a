/** Everything that people do, each described once. */
export * from "./catalog.js";
export * from "./doctor-metrics.js";
export * from "./doctor-preprocess.js";
export * from "./services.js";
export * from "./task.js";

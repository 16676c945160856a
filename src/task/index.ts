/** Everything that people do, each described once. */
export * from "./bundled-model.js";
export * from "./catalog.js";
export * from "./classify.js";
export * from "./doctor-metrics.js";
export * from "./doctor-model.js";
export * from "./doctor-preprocess.js";
export * from "./embed.js";
export * from "./embeddings/embeddings.js";
export * from "./embeddings/file.js";
export * from "./evaluate-retrieval.js";
export * from "./evaluate-zeroshot.js";
export * from "./fields.js";
export * from "./models-info.js";
export * from "./search.js";
export * from "./services.js";
export * from "./task.js";

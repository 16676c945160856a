/** Towers as pure functions of their weights, published families as data, model folders. */
export * from "./checkpoint.js";
export * from "./clip.js";
export * from "./compare.js";
export * from "./config.js";
export * from "./context.js";
export * from "./encoder.js";
export { families, type Description, type Family } from "./families/index.js";
export { parseOpenClip, parseOpenClipPreprocess } from "./families/open-clip.js";
export * from "./identity.js";
export * from "./open.js";
export * from "./save.js";
export * from "./spec.js";
export * from "./tokenizer.js";
export * from "./towers/index.js";
export type { Tower } from "./towers/tower.js";
export { constants, readAll } from "./values.js";
export { efficientNetFromPyTorch } from "./families/efficientnet-pytorch.js";
export { sentenceEncoderFromNpz } from "./families/sentence-encoder-npz.js";

/** Shards → pairs → batches. */
export * from "./captions.js";
export * from "./labels.js";
export * from "./loader.js";
export * from "./open-source.js";
export * from "./pair.js";
export * from "./pictures.js";
export * from "./row-reader.js";
export * from "./sample.js";
export * from "./sampler.js";
export * from "./skips.js";
export * from "./source.js";
export * from "./feature-cache.js";
export { expandBraces } from "./braces.js";
export { openPictureRows, type PictureRows } from "./decode-pool.js";
export type { PictureOptions } from "./picture-rows.js";

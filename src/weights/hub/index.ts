/** Models of the Hugging Face hub: names, downloads, the cache that all its clients share. */
export { cachedRepositories, type CachedRepository, removeCached } from "./cache.js";
export { type Repository, repositoryOf } from "./names.js";
export { nearest } from "./nearest.js";
export { type Format, formats } from "./needed-files.js";
export { pretrained } from "./pretrained.js";
export { type Figure, published, type PublishedModel, sources } from "./published.js";
export { findPulled, type Pulled } from "./find-pulled.js";
export type { PullProgress } from "./meter.js";
export { pull, type PullOptions } from "./pull.js";
export { type HubSettings, hubSettings, publicHub } from "./settings.js";

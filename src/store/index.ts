export * from "./fields.js";
export * from "./filter.js";
export * from "./memory.js";
export * from "./open-store.js";
export * from "./parse-filter.js";
export * from "./resident.js";
export * from "./store.js";
export { withoutSecrets } from "./postgres/connection.js";

/** What people give: pictures and texts, made into tensors. */
export * from "./image/index.js";

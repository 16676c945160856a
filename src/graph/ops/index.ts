export * from "./conv.js";
export * from "./elementwise.js";
export * from "./gather.js";
export * from "./layer-norm.js";
export * from "./leaf.js";
export * from "./matmul.js";
export * from "./movement.js";
export * from "./reduce.js";

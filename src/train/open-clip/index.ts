/** Training runs that move to open_clip's trainer and back. */
export * from "./command-line.js";
export * from "./parameter-order.js";
export * from "./read-checkpoint.js";
export * from "./write-checkpoint.js";

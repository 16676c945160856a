/** Values without a runtime: types, shapes, random numbers, errors. Imports nothing. */
export * from "./dtype.js";
export * from "./error.js";
export * from "./half.js";
export * from "./parse-json.js";
export * from "./quantise.js";
export * from "./random.js";
export * from "./shape.js";
export * from "./tensor.js";
export * from "./tree.js";

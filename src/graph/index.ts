/** Programs as data: ops with their shapes, ONNX forms and gradients; the walk backwards; printing. */
export * from "./flops.js";
export * from "./gradient.js";
export * from "./lighten.js";
export * from "./op.js";
export * from "./ops/index.js";
export * from "./print.js";
export * from "./rewrite.js";
export * from "./separate.js";
export * from "./substitute.js";
export * from "./value.js";
export * from "./weight-bytes.js";

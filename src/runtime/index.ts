/** Graph → ONNX bytes → numbers. The only place that knows ONNX Runtime. */
export * from "./evaluate.js";
export * from "./node.js";
export * from "./onnx/decode.js";
export * from "./onnx/encode.js";
export * from "./onnx/proto.js";
export * from "./onnx/signature.js";
export * from "./onnx-file.js";
export * from "./runtime.js";
export * from "./session.js";
export * from "./workers.js";

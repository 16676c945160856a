import { nodeRuntime } from "./node.js";
import { testRuntime } from "./runtime-suite.js";

testRuntime("webgpu", () => nodeRuntime({ device: "webgpu" }), { tolerance: 1e-4 });

/** PyTorch files without PyTorch: a restricted pickle machine, archives, files from before PyTorch 1.6. */
export { loadPyTorch, openPyTorch, readPyTorch } from "./archive.js";
export { isLegacy } from "./legacy.js";
export { Module, type Plain } from "./plain.js";
export { stateDict } from "./state-dict.js";
export { pyTorchChunks, type Savable } from "./write.js";

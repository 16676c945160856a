/** Weights on disk: read from the formats that others publish, written as safetensors. */
export { byteLengthOf, bytesOf, head, tensorFromBytes, type TensorInfo } from "./bytes.js";
export { checkWeights } from "./check.js";
export { openWeights, readPyTorchEntries, readWeights } from "./file.js";
export * from "./hub/index.js";
export { canonical, type Layout, publishedNames, type Rename, toCanonical, toPublished } from "./layout.js";
export { type Made, withMade } from "./made.js";
export { joined, type Part } from "./joined.js";
export * from "./layouts.js";
export { locatedBytes, locatedTensor } from "./located.js";
export { Module, type Plain, readPyTorch, type Savable, stateDict } from "./pytorch/index.js";
export {
  type Cubic,
  type Grid,
  hfPositions,
  openClipPositions,
  resizeGrid,
  resizeSequence,
} from "./resize-positions.js";
export {
  readSafetensors,
  readSafetensorsHeader,
  type SafetensorsHeader,
  safetensorsHeaderSize,
  type TensorSpan,
  writeSafetensors,
} from "./safetensors.js";
export { replaceFile, savePyTorch, saveSafetensors } from "./save.js";
export type { Location, WeightsFile } from "./weights-file.js";
export { dequantised, quantisedEntries } from "./quantised.js";

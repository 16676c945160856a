/** Weights on disk: read from the formats that others publish, written as safetensors. */
export { byteLengthOf, bytesOf, tensorFromBytes, type TensorInfo } from "./bytes.js";
export {
  readSafetensors,
  readSafetensorsHeader,
  type SafetensorsHeader,
  safetensorsHeaderSize,
  type TensorSpan,
  writeSafetensors,
} from "./safetensors.js";

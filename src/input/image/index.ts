/** Pictures: bytes → pixels → tensor, as the reference does it, bit for bit. */
export * from "./augment.js";
export * from "./colour.js";
export * from "./compare.js";
export * from "./convert.js";
export * from "./decode.js";
export * from "./describe.js";
export { formatNames } from "./formats/sniff.js";
export * from "./perceptual-hash.js";
export * from "./picture.js";
export * from "./preprocess.js";
export * from "./resize/coefficients.js";
export * from "./resize/resize.js";
export * from "./thumbnail.js";

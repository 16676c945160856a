import type { Mapped } from "../../tensor/index.js";
import type { Spec } from "../spec.js";
import { bert } from "./bert.js";
import { efficientNetLite } from "./efficientnet-lite.js";
import { fastVit } from "./fastvit.js";
import { resnet } from "./resnet.js";
import { sentenceEncoder } from "./sentence-encoder.js";
import { textTransformer } from "./text-transformer.js";
import { timmVit } from "./timm-vit.js";
import { vit } from "./vit.js";

/** Every image tower by the `kind` of its configuration. A new one is one file and one line here. */
export const imageTowers = {
  vit,
  "timm-vit": timmVit,
  resnet,
  "efficientnet-lite": efficientNetLite,
  fastvit: fastVit,
};

/** Every text tower by the `kind` of its configuration. */
export const textTowers = { transformer: textTransformer, bert, "sentence-encoder": sentenceEncoder };

type Towers = Record<string, { spec(config: never, embedDim: number): unknown }>;
type ConfigOf<T extends Towers> = {
  [K in keyof T]: Parameters<T[K]["spec"]>[0] & { readonly kind: K };
}[keyof T];
type WeightsOf<T extends Towers, Leaf> = {
  [K in keyof T]: Mapped<ReturnType<T[K]["spec"]>, Spec, Leaf>;
}[keyof T];

export type ImageTowerConfig = ConfigOf<typeof imageTowers>;
export type TextTowerConfig = ConfigOf<typeof textTowers>;
export type ImageWeights<T> = WeightsOf<typeof imageTowers, T>;
export type TextWeights<T> = WeightsOf<typeof textTowers, T>;
export { lite0 } from "./efficientnet-lite.js";

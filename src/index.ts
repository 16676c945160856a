/**
 * clipt: CLIP in TypeScript. Tasks are functions (`search`, `classify`, …); models are opened once and shared.
 * What lies below is exported by folder: "clipt/graph", "clipt/model", "clipt/train" and so on.
 */
export { openEncoder, openModel, saveModel, type Encoder, type Model } from "./model/index.js";
export { nodeRuntime, workerRuntime, type Device, type Runtime } from "./runtime/index.js";
export { topK, zeroShotHead } from "./score/index.js";
export {
  bundledModel,
  calibrate,
  classify,
  doctorDtypes,
  doctorMetrics,
  doctorModel,
  doctorPreprocess,
  doctorReplay,
  doctorTokenizer,
  duplicates,
  embed,
  evaluateRetrieval,
  evaluateZeroshot,
  exportModel,
  indexPictures,
  mark,
  modelsInfo,
  modelsList,
  modelsPull,
  modelsRemove,
  openServices,
  search,
  similar,
  tokenizerTrain,
  train,
  watch,
  worker,
  type Services,
  type TaskEvent,
} from "./task/index.js";
export { openStore, parseFilter, type Store } from "./store/index.js";
export { CliptError, exitCode, type Code, type Tensor } from "./tensor/index.js";

import { input } from "../../src/graph/index.js";
import { fitImage, rgbPicture } from "../../src/input/image/index.js";
import { encodeImage, encodeText, openModel } from "../../src/model/index.js";
import { constants } from "../../src/model/values.js";
import { CliptError } from "../../src/tensor/index.js";

const picture = rgbPicture(40, 30, new Uint8Array(40 * 30 * 3).fill(90));
const texts = ["a photo of a cat", "ÀÉ, 12 «кошки» 猫 <|endoftext|>", ""];

/** Does with a model all that its files have a say in, short of computing: every part of them is obeyed once. */
export async function useModel(path: string): Promise<void> {
  const model = await openModel(path);
  const { config, preprocess } = model;
  const weights = constants(config, model.weights, model.locations);
  encodeImage(config, weights, input("pixels", ["batch", 3, ...config.image.imageSize]));
  encodeText(config, weights, input("ids", ["batch", config.text.contextLength], "int64"));
  fitImage(picture, preprocess);
  const { ids } = model.tokenizer.batch(texts);
  model.tokenizer.decode(ids.map(Number));
  for (const id of ids)
    if (!(id >= 0 && id < config.text.vocabSize))
      throw new Error(`The id ${id} is none of the ${config.text.vocabSize} that the tower knows.`);
}

/** Undefined when it works or ends in a CliptError; else what went wrong. */
export async function misbehaviour(work: () => Promise<unknown>): Promise<string | undefined> {
  const start = process.cpuUsage();
  try {
    await work();
  } catch (error) {
    if (!(error instanceof CliptError)) return `${error instanceof Error ? error.stack : String(error)}`;
    if (error.message.length > 5000) return `a message of ${error.message.length} letters`;
  }
  // Of work, not of waiting: the machine may be busy.
  const { user, system } = process.cpuUsage(start);
  const seconds = (user + system) / 1e6;
  return seconds > 10 ? `${seconds.toFixed(1)} s` : undefined;
}

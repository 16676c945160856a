import { CliptError } from "../../tensor/index.js";
import * as hub from "@huggingface/tokenizers";

// Hugging Face's JavaScript tokenizers, as far as clipt uses them; their own declarations do not resolve under NodeNext.

export interface HubTokenizer {
  normalizer: ((text: string) => string) | null;
  encode(text: string, options?: { add_special_tokens?: boolean }): { ids: number[] };
  decode(ids: number[], options?: { skip_special_tokens?: boolean }): string;
  token_to_id(token: string): number | undefined;
  get_vocab(): Map<string, number>;
}

const library = hub as unknown as {
  Tokenizer: new (tokenizer: object, config: object) => HubTokenizer;
} & Record<string, (new (config: object) => { normalize(text: string): string }) | undefined>;

export const HubTokenizer = library.Tokenizer;

/** The library's own step of a normaliser, by the type that a `tokenizer.json` names. */
export function libraryStep(config: { readonly type: string }): (text: string) => string {
  const Step = library[config.type] ?? library[`${config.type}Normalizer`];
  if (Step === undefined)
    throw new CliptError(
      "unsupported",
      `The tokenizer's normaliser has a step of the unknown type ${config.type}.`,
    );
  const step = new Step(config);
  return (text) => step.normalize(text);
}

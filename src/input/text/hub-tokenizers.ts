import * as hub from "@huggingface/tokenizers";

/** What clipt uses of Hugging Face's JavaScript tokenizers; their own declarations do not resolve under NodeNext. */
export interface HubTokenizer {
  encode(text: string, options?: { add_special_tokens?: boolean }): { ids: number[] };
  decode(ids: number[], options?: { skip_special_tokens?: boolean }): string;
  token_to_id(token: string): number | undefined;
  get_vocab(): Map<string, number>;
}

export const HubTokenizer = (
  hub as unknown as { Tokenizer: new (tokenizer: object, config: object) => HubTokenizer }
).Tokenizer;

import type { Encoder } from "../model/index.js";
import { f32, type Tensor } from "../tensor/index.js";
import type { Context } from "./task.js";

/** Texts between two looks at the signal. */
const chunk = 256;
/** Cut texts that are named one by one. */
const named = 3;

export interface EncodedTexts {
  /** [texts, dim], rows of length 1. */
  readonly features: Tensor<"float32">;
  /** Places of texts that were longer than the model reads: their ends were left out. */
  readonly truncated: readonly number[];
}

/** Texts that do not fit are cut, with a warning. */
export async function encodeTexts(
  texts: readonly string[],
  encoder: Encoder,
  { signal, emit }: Pick<Context, "signal" | "emit">,
): Promise<EncodedTexts> {
  const parts: Tensor[] = [];
  const cut: number[] = [];
  for (let start = 0; start < texts.length; start += chunk) {
    signal.throwIfAborted();
    const { features, truncated } = await encoder.texts(texts.slice(start, start + chunk));
    parts.push(features);
    cut.push(...truncated.map((i) => start + i));
    if (texts.length > chunk)
      emit({
        kind: "progress",
        stage: "encoding texts",
        done: Math.min(start + chunk, texts.length),
        total: texts.length,
      });
  }
  for (const i of cut.slice(0, named))
    emit({
      kind: "warning",
      message: `the text "${excerpt(texts[i] ?? "")}" is longer than the model reads (${encoder.model.tokenizer.contextLength} tokens); its end was left out`,
    });
  if (cut.length > named)
    emit({ kind: "warning", message: `… and ${cut.length - named} more texts were cut` });
  return { features: join(parts), truncated: cut };
}

function join(parts: readonly Tensor[]): Tensor<"float32"> {
  const width = parts[0]?.shape[1] ?? 0;
  const data = new Float32Array(parts.reduce((sum, part) => sum + part.data.length, 0));
  let at = 0;
  for (const part of parts) {
    data.set(part.data as Float32Array, at);
    at += part.data.length;
  }
  return f32([width === 0 ? 0 : data.length / width, width], data);
}

const excerpt = (text: string): string => (text.length <= 40 ? text : `${text.slice(0, 40)}…`);

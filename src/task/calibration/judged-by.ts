import type { Encoder } from "../../model/index.js";
import { explainer, type Explainer } from "../../score/index.js";
import type { Tensor } from "../../tensor/index.js";
import type { Context } from "../task.js";
import { referenceVectors, type ReferenceVectors } from "./reference-texts.js";

/** What queries are judged by. */
export interface Judge {
  readonly explain: Explainer;
  /** Everyday words, [words, dim], rows of length 1. */
  readonly everyday: Tensor<"float32">;
}

const judges = new WeakMap<ReferenceVectors, Judge>();

export async function judgeOf(encoder: Encoder, context: Context): Promise<Judge> {
  const vectors = await referenceVectors(encoder, context);
  const known = judges.get(vectors) ?? {
    explain: explainer(vectors.texts, vectors.kinds),
    everyday: vectors.everyday,
  };
  judges.set(vectors, known);
  return known;
}

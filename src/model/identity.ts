import { createHash } from "node:crypto";
import type { PreprocessConfig } from "../input/image/index.js";
import type { TokenizerIdentity } from "../input/text/index.js";
import type { Dtype, FileLocation } from "../graph/index.js";
import type { Tensor } from "../tensor/index.js";
import { bytesOf, locatedBytes } from "../weights/index.js";
import type { ClipConfig } from "./config.js";

/** All that decides the vector of a picture or a text. */
export interface Identified {
  readonly config: ClipConfig;
  readonly preprocess: PreprocessConfig;
  /** Absent where clipt cannot open the model's tokenizer. */
  readonly tokenizer: TokenizerIdentity | undefined;
  readonly weights: ReadonlyMap<string, Tensor>;
  /** Where weights lie in files, so that they need not be in memory. */
  readonly locations?: ReadonlyMap<string, FileLocation>;
}

/**
 * A name for a model's function: equal names, equal vectors. It does not depend on the file format or its order.
 *
 * @returns SHA-256, 64 hexadecimal digits
 */
export function identityOf({ config, preprocess, tokenizer, weights, locations }: Identified): string {
  const hash = createHash("sha256");
  hash.update(sortedJson({ config, preprocess, tokenizer }));
  for (const name of [...weights.keys()].sort()) {
    const tensor = weights.get(name)!;
    hash.update(JSON.stringify([name, tensor.dtype, tensor.shape]));
    const location = locations?.get(name);
    for (const bytes of location === undefined ? [bytesOf(tensor)] : locatedBytes(location))
      hash.update(bytes);
  }
  return hash.digest("hex");
}

/**
 * What vectors of a precision are stamped with. float32, half precision and bytes differ less than any two results of a
 * search, and mix; those of four bits are kept apart.
 */
export const identityIn = (dtype: Dtype | "auto" | undefined, identity: string): string =>
  dtype === "q4" ? createHash("sha256").update(`${identity} q4`).digest("hex") : identity;

/** JSON whose text does not depend on the order in which an object's fields were written. */
export const sortedJson = (value: unknown): string =>
  JSON.stringify(value, (_, item: unknown) =>
    typeof item === "object" && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );

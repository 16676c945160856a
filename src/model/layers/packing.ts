import { pack, reshape, unpack, type Packing, type Value } from "../../graph/index.js";
import type { Shape } from "../../tensor/index.js";

/**
 * Texts without the padding behind them: rows are the tokens of all texts, one after another. What is computed for
 * each token by itself costs nothing for padding; only attention puts the texts apart.
 */
export interface PackedTexts extends Packing {
  /** [batch, length] */
  readonly shape: Shape;
}

/** [tokens, width] → [batch, length, width], zeros behind the texts. Without packing, x is that already. */
export const apart = (x: Value, packed: PackedTexts | undefined): Value =>
  packed === undefined ? x : reshape(unpack(x, packed), [...packed.shape, x.shape[1]!]);

/** [batch, length, width] → [tokens, width]. Without packing, x stays. */
export const together = (x: Value, packed: PackedTexts | undefined): Value =>
  packed === undefined ? x : pack(reshape(x, [-1, x.shape[2]!]), packed);

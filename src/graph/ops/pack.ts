import { CliptError, i64, showShape } from "../../tensor/index.js";
import { defineOp } from "../op.js";
import type { Type, Value } from "../value.js";

/** Rows that stand among gaps: at which place each row stands, and which row stands at each place. */
export interface Packing {
  /** int64 [rows], each place at most once. */
  readonly places: Value;
  /** int64 [places]; −1 where there is a gap. */
  readonly rows: Value;
  /** false: every place names a row, and a row may stand at several. That has no gradient. */
  readonly gaps?: false | undefined;
}

function taken(name: string, [x, from, back]: readonly Value[]): Type {
  if (x!.shape.length !== 2 || x!.shape[0] !== back!.shape[0])
    throw new CliptError(
      "shape",
      `${name}: ${showShape(back!.shape)} does not number the rows of ${showShape(x!.shape)}.`,
    );
  return { dtype: x!.dtype, shape: [from!.shape[0]!, x!.shape[1]!] };
}

const packOp = defineOp({
  name: "pack",
  infer: (inputs) => taken("pack", inputs),
  onnx: (emit, [x, places]) => emit.node("Gather", [x!, places!], { axis: 0 }),
  grad: ([g], { inputs: [, places, rows] }) => [unpack(g!, { places: places!, rows: rows! })],
});
/** Leaves the gaps out: [places, width] → [rows, width]. Its way back is `unpack`, which no scattering sum is as fast as. */
export const pack = (x: Value, { places, rows }: Packing): Value => packOp([x, places, rows]);

const unpackOp = defineOp({
  name: "unpack",
  infer: (inputs) => taken("unpack", inputs),
  // Row −1 is the last one: zeros.
  onnx: (emit, [x, rows]) => {
    const [padded] = emit.node("Pad", [x!, emit.tensor(i64([4], [0, 0, 1, 0]))]);
    return emit.node("Gather", [padded!, rows!], { axis: 0 });
  },
  grad: ([g], { inputs: [, rows, places] }) => [pack(g!, { places: places!, rows: rows! })],
});

const unpackAllOp = defineOp({
  name: "unpackAll",
  infer: (inputs) => taken("unpackAll", inputs),
  onnx: (emit, [x, rows]) => emit.node("Gather", [x!, rows!], { axis: 0 }),
  grad: { none: "a row may stand at several places, whose sum `gather` makes" },
});

/** Puts rows back among gaps, which become zeros: [rows, width] → [places, width]. */
export const unpack = (x: Value, { places, rows, gaps }: Packing): Value =>
  gaps === false ? unpackAllOp([x, rows, places]) : unpackOp([x, rows, places]);

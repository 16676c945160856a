import { CliptError, f32, sizeOf, toFloat32, type Tensor } from "../tensor/index.js";
import {
  openClipPositions,
  resizeGrid,
  resizeSequence,
  type Cubic,
  type Grid,
  type Made,
  type WeightsFile,
} from "../weights/index.js";
import { positionTables } from "./clip.js";
import type { ClipConfig } from "./config.js";

/** Numbers of a stretched table; the greatest of a published model has some millions. */
const most = 2 ** 27;

/** How a project brings a table of positions to another size. A text's is stretched linearly by all. */
export interface PositionRule {
  readonly cubic: Cubic;
  /** Tables that the project stretches without being asked, where a file's differs from its configuration. */
  readonly unasked: { readonly image: boolean; readonly text: boolean };
}

/** open_clip's functions, for those who ask. */
export const askedOnly: PositionRule = {
  cubic: openClipPositions,
  unasked: { image: false, text: false },
};

/**
 * The tables of positions that a model needs and that its file holds in another size. A table that fits neither its
 * configuration nor the project's rule is left as it is: the check of all shapes names it.
 *
 * @param published the configuration beside the weights
 * @param wanted    the same, perhaps for other sizes
 */
export function stretchedPositions(
  published: ClipConfig,
  wanted: ClipConfig,
  weights: WeightsFile,
  { cubic, unasked }: PositionRule = askedOnly,
): Map<string, Made> {
  const made = new Map<string, Made>();
  const held = new Set(weights.names());
  const [before, after] = [positionTables(published), positionTables(wanted)];
  for (const tower of ["image", "text"] as const) {
    const [table, target] = [before[tower], after[tower]];
    if (table === undefined || target === undefined || !held.has(table.name)) continue;
    const { name, extra } = table;
    const { shape } = weights.entry(name);
    const [width = 0, rows = 0] = [...shape].reverse();
    if (shape.length < 2 || sizeOf(shape) !== rows * width) continue;
    const fitting = rows === extra + sizeOf(table.places);
    const from = fitting || !unasked[tower] ? table.places : placesOf(rows - extra, tower);
    if (rows !== extra + sizeOf(from)) continue;
    if (from.join() === target.places.join()) continue;
    if ((extra + sizeOf(target.places)) * width > most)
      throw new CliptError(
        "format",
        `A table of ${rows} positions would be stretched to ${target.places.join("×")}: that is too many for any machine.`,
      );
    const stretch = (tensor: Tensor): Tensor => {
      const flat = f32([rows, width], toFloat32(tensor).data);
      return tower === "text"
        ? resizeSequence(flat, target.places[0]!)
        : resizeGrid(flat, from as Grid, target.places as Grid, cubic);
    };
    const result = [...shape.slice(0, -2), extra + sizeOf(target.places), width];
    made.set(name, {
      dtype: "float32",
      shape: result,
      make: async () => ({ ...stretch(await weights.read(name)), shape: result }),
    });
  }
  return made;
}

/** A table alone does not tell its grid: it is taken for a square. */
function placesOf(count: number, tower: "image" | "text"): readonly number[] {
  if (tower === "text") return [count];
  const side = Math.floor(Math.sqrt(count));
  return [side, side];
}

import type { BytePicture } from "../picture.js";

/** A palette picture from its indices; `palette` is [n, 4] with alpha, an index beyond it is black. */
export function indexed(
  width: number,
  height: number,
  indices: Uint8Array,
  palette: Uint8Array,
): BytePicture {
  const data = new Uint8Array(indices.length * 4);
  const words = new Uint32Array(data.buffer);
  const colours = new Uint32Array(palette.slice().buffer);
  for (let i = 0; i < indices.length; i++) words[i] = colours[indices[i] ?? 0] ?? 0;
  return { mode: "P", width, height, data, palette };
}

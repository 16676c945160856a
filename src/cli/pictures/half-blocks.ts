import type { RgbPicture } from "../../input/image/index.js";

/** A picture as characters, two dots in each: the upper in the foreground's colour, the lower in the background's. */
export function halfBlocks({ data, width, height }: RgbPicture): string {
  const color = (x: number, y: number): string =>
    [0, 1, 2].map((c) => data[(y * width + x) * 3 + c] ?? 0).join(";");
  const lines: string[] = [];
  for (let y = 0; y < height; y += 2) {
    let line = "";
    for (let x = 0; x < width; x++) {
      const lower = y + 1 < height ? `\x1b[48;2;${color(x, y + 1)}m` : "";
      line += `\x1b[38;2;${color(x, y)}m${lower}▀`;
    }
    lines.push(`${line}\x1b[0m`);
  }
  return lines.join("\n");
}

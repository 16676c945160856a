import type { RgbPicture } from "../../input/image/index.js";

/** Levels of each channel: 6 × 6 × 6 colours fit into the 256 registers that every terminal has. */
const levels = 6;

/** A picture as sixels: columns of six dots in one colour after another. @source DEC, VT330/VT340 manual, chapter 14 */
export function sixel({ data, width, height }: RgbPicture): string {
  const colorOf = (x: number, y: number): number => {
    const level = (channel: number): number =>
      Math.round(((data[(y * width + x) * 3 + channel] ?? 0) / 255) * (levels - 1));
    return (level(0) * levels + level(1)) * levels + level(2);
  };
  const bands: string[] = [];
  const used = new Set<number>();
  for (let top = 0; top < height; top += 6) {
    const rows = Math.min(6, height - top);
    const dots = new Map<number, Uint8Array>();
    for (let x = 0; x < width; x++)
      for (let row = 0; row < rows; row++) {
        const color = colorOf(x, top + row);
        const line = dots.get(color) ?? new Uint8Array(width);
        line[x] = (line[x] ?? 0) | (1 << row);
        dots.set(color, line);
        used.add(color);
      }
    bands.push(Array.from(dots, ([color, line]) => `#${color}${runs(line)}`).join("$"));
  }
  return `\x1bP0;1q"1;1;${width};${height}${Array.from(used, register).join("")}${bands.join("-")}\x1b\\`;
}

/** Defines a colour register, channels in per cent. */
function register(color: number): string {
  const percent = (level: number): number => Math.round((level / (levels - 1)) * 100);
  const [red, green, blue] = [
    Math.floor(color / levels ** 2),
    Math.floor(color / levels) % levels,
    color % levels,
  ];
  return `#${color};2;${percent(red)};${percent(green)};${percent(blue)}`;
}

/** One colour's dots of a band; what repeats is counted. */
function runs(line: Uint8Array): string {
  let text = "";
  for (let start = 0; start < line.length;) {
    let end = start + 1;
    while (end < line.length && line[end] === line[start]) end++;
    const sign = String.fromCharCode(63 + (line[start] ?? 0));
    text += end - start > 3 ? `!${end - start}${sign}` : sign.repeat(end - start);
    start = end;
  }
  return text;
}

import type { RgbPicture } from "../../input/image/index.js";

/** Longest payload of one escape sequence. */
const chunk = 4096;

/** A picture for kitty, Ghostty and others that speak its protocol. @source kitty, "Terminal graphics protocol" */
export function kitty({ data, width, height }: RgbPicture): string {
  const payload = Buffer.from(data).toString("base64");
  const parts = Array.from({ length: Math.ceil(payload.length / chunk) }, (_, i) =>
    payload.slice(i * chunk, (i + 1) * chunk),
  );
  return parts
    .map((part, i) => {
      const first = i === 0 ? `a=T,f=24,s=${width},v=${height},q=2,` : "";
      return `\x1b_G${first}m=${i < parts.length - 1 ? 1 : 0};${part}\x1b\\`;
    })
    .join("");
}

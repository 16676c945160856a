import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { thumbnail } from "../../input/image/index.js";
import type { Io } from "../io.js";
import { halfBlocks } from "./half-blocks.js";
import { kitty } from "./kitty.js";
import { sixel } from "./sixel.js";

/** Ways to draw a picture in a terminal. */
export type Protocol = "kitty" | "iterm" | "sixel" | "blocks";

/** Side of a drawn picture in dots, and in characters where a character is all there is. */
const dots = 240;
const characters = 32;

/** What the terminal understands, by the names that it gives itself; characters in colour everywhere else. */
export function protocolOf(env: Io["env"]): Protocol {
  const { TERM = "", TERM_PROGRAM = "" } = env;
  if (env.KITTY_WINDOW_ID !== undefined || /kitty|ghostty/i.test(`${TERM} ${TERM_PROGRAM}`)) return "kitty";
  if (/iterm|wezterm/i.test(TERM_PROGRAM)) return "iterm";
  return /sixel|foot|mlterm|contour/i.test(TERM) ? "sixel" : "blocks";
}

/** A picture as text for the terminal. @throws what `decodeImage` throws */
export async function showPicture(path: string, protocol: Protocol): Promise<string> {
  const bytes = await readFile(path);
  switch (protocol) {
    case "kitty":
      return kitty(await thumbnail(bytes, dots, dots));
    case "sixel":
      return sixel(await thumbnail(bytes, dots, dots));
    case "iterm":
      return iterm(basename(path), bytes);
    case "blocks":
      return halfBlocks(await thumbnail(bytes, characters, characters));
  }
}

/** The file itself: these terminals decode it. @source iTerm2, "Inline Images Protocol" */
function iterm(name: string, bytes: Buffer): string {
  const encoded = Buffer.from(name).toString("base64");
  return `\x1b]1337;File=name=${encoded};inline=1;height=10:${bytes.toString("base64")}\x07`;
}

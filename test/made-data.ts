import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { packTar } from "modern-tar";
import sharp from "sharp";

/** A folder that lives as long as the test, or, with `{ after }` of node:test, as its file. */
export function temporaryFolder(t: { after(end: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), "clipt-test-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A small picture of one colour that depends on the number; its red level is the number. */
export function drawnPicture(number: number, format: "jpeg" | "png" | "webp" = "png"): Promise<Buffer> {
  const background = { r: number % 256, g: (number * 37) % 256, b: (number * 91) % 256 };
  return sharp({ create: { width: 12, height: 10, channels: 3, background } })
    .toFormat(format)
    .toBuffer();
}

export type Files = Readonly<Record<string, string | Uint8Array>>;

/** Writes a tar archive with these files in this order, by a library that is not under test. */
export async function writeTar(path: string, files: Files): Promise<void> {
  const entries = Object.entries(files).map(([name, content]) => {
    const body = typeof content === "string" ? new TextEncoder().encode(content) : new Uint8Array(content);
    return { header: { name, size: body.length, type: "file" as const }, body };
  });
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, await packTar(entries));
}

export function writeFiles(folder: string, files: Files): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
}

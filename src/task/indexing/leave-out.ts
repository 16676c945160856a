import { readFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import ignore, { type Ignore } from "ignore";
import { CliptError } from "../../tensor/index.js";
import type { LeaveOut } from "../find-pictures.js";

/** Copies that programs and systems make of pictures, and what they have thrown away. */
const always = [
  "@eaDir/",
  "#recycle/",
  "#snapshot/",
  "$RECYCLE.BIN/",
  "System Volume Information/",
  "__MACOSX/",
  "lost+found/",
  "thumbnails/",
  "*.lrdata/",
  "*.photoslibrary/resources/",
  "*.photoslibrary/scopes/",
  "node_modules/",
];

/** A folder's file of patterns, as .gitignore has them. */
const fileName = ".cliptignore";

/**
 * What the index leaves out below a folder: thumbnails and bins of well-known programs, the patterns that are given, and those
 * of each folder's `.cliptignore`. `!name` takes something in again.
 */
export function leaveOutBelow(root: string, patterns: readonly string[]): LeaveOut {
  const rules: { readonly folder: string; readonly rules: Ignore }[] = [
    { folder: root, rules: ignore().add([...always, ...patterns]) },
  ];
  const entered = new Set<string>();
  return {
    async enter(folder) {
      if (entered.has(folder)) return;
      entered.add(folder);
      try {
        rules.push({ folder, rules: ignore().add(await readFile(join(folder, fileName), "utf8")) });
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code !== "ENOENT")
          throw new CliptError("io", `${join(folder, fileName)} cannot be read.`, { cause });
      }
    },
    leavesOut(path, isFolder) {
      // The file that is nearest decides, as in Git.
      let out = false;
      for (const { folder, rules: own } of rules) {
        const inside = relative(folder, path).split(sep).join("/");
        if (inside === "" || inside.startsWith("../")) continue;
        const said = own.test(isFolder ? `${inside}/` : inside);
        if (said.ignored) out = true;
        else if (said.unignored) out = false;
      }
      return out;
    },
  };
}

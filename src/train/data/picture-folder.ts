import { existsSync } from "node:fs";
import { isAbsolute, join } from "node:path";

/**
 * Where a list's pictures lie. Relative paths are meant from the list's own folder, or, as open_clip reads them,
 * from the current one; the first picture decides for all, so that not every line costs a look at the disk.
 */
export function pictureFolder(listFolder: string): (path: string) => string {
  let folder: string | undefined;
  return (path) => {
    if (isAbsolute(path)) return path;
    folder ??= !existsSync(join(listFolder, path)) && existsSync(path) ? "" : listFolder;
    return join(folder, path);
  };
}

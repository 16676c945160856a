import { mkdtemp, open, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { CliptError, messageOf } from "../tensor/index.js";
import type { EncodedModel } from "./onnx/encode.js";

/**
 * Lays a model and its weight files out as ONNX Runtime wants them: in one private folder, files that exist already
 * as links, so that the runtime maps them and nothing is copied.
 *
 * @returns the model's path and how to remove the folder
 */
export async function layOut(model: EncodedModel): Promise<{ path: string; remove: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), "clipt-"));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    for (const [name, file] of model.files) {
      if ("path" in file) await symlink(resolve(file.path), join(folder, name));
      else {
        const handle = await open(join(folder, name), "wx");
        try {
          for (const chunk of file.chunks) await handle.write(chunk);
        } finally {
          await handle.close();
        }
      }
    }
    const path = join(folder, "model.onnx");
    await writeFile(path, model.bytes);
    return { path, remove };
  } catch (cause) {
    await remove();
    throw new CliptError("io", `The model could not be laid out in ${folder}: ${messageOf(cause)}`, {
      cause,
    });
  }
}

import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { readError } from "../../tensor/index.js";

const isWeights = (name: string): boolean =>
  /\.(safetensors|bin|pt|pth|npz|index\.json)$/.test(name) && !name.startsWith("golden");

/** Whether a path is a folder of ONNX files, and weights that clipt would rather open are not there. */
export async function isOnnxRepository(path: string): Promise<boolean> {
  const info = await stat(path).catch((cause: unknown) => {
    throw readError(path, cause);
  });
  if (!info.isDirectory()) return false;
  return !(await readdir(path)).some(isWeights) && (await onnxFiles(path)).files.length > 0;
}

/** ONNX files lie in a folder of their own (transformers.js), or beside the configuration (optimum). */
export async function onnxFiles(path: string): Promise<{ folder: string; files: string[] }> {
  for (const folder of [join(path, "onnx"), path]) {
    const names = await readdir(folder).catch(() => []);
    const files = names.filter((name) => name.endsWith(".onnx"));
    if (files.length > 0) return { folder, files };
  }
  return { folder: path, files: [] };
}

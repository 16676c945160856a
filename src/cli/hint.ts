import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import pc from "picocolors";
import { fieldsOf } from "../task/fields.js";
import type { AnyDescription } from "../task/task.js";
import { wantsColor, type Io } from "./io.js";

/** A file in the cache folder that says: this person was told. */
const marker = "models-hint-shown";

export const modelsHint =
  "This was the model that comes with clipt: small, quick, five languages. Larger ones know far more: " +
  "`clipt models list` compares them, `--model timm/ViT-B-16-SigLIP2-256` downloads and uses one. (Said once.)";

/**
 * Tells once on a machine, at a terminal and after the bundled model was used by default, that there are better ones.
 * Where nothing can be remembered, nothing is said.
 */
export function hintAtModels(
  description: AnyDescription,
  options: Readonly<Record<string, unknown>>,
  cacheFolder: string,
  { stderr, env }: Pick<Io, "stderr" | "env">,
): void {
  const fields = fieldsOf(description.input).map(({ name }) => name);
  const encodes = fields.includes("model") && fields.includes("device");
  if (!encodes || options.model !== undefined || stderr.isTTY !== true) return;
  const path = join(cacheFolder, marker);
  if (existsSync(path)) return;
  try {
    mkdirSync(cacheFolder, { recursive: true });
    writeFileSync(path, "");
  } catch {
    return;
  }
  stderr.write(`${pc.createColors(wantsColor(stderr, env)).dim(modelsHint)}\n`);
}

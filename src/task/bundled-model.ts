import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../package-root.js";
import { CliptError } from "../tensor/index.js";

/** The model that is used when none is named. */
const preferred = "clipt-small";

/**
 * The folder of the model that comes with clipt.
 *
 * @throws `missing` when this copy of clipt has none
 */
export function bundledModel(): string {
  const models = join(packageRoot, "models");
  const isModel = (name: string): boolean => existsSync(join(models, name, "config.json"));
  const names = existsSync(models) ? readdirSync(models).sort() : [];
  const name = isModel(preferred) ? preferred : names.find(isModel);
  if (name === undefined)
    throw new CliptError("missing", `No model lies in ${models}; name one by --model FOLDER.`);
  return join(models, name);
}

/**
 * The trained model as it is shipped: few bytes, templates of sentences, its card.
 *
 *     node dist/recipes/bundled/pack.js TRAINED models/clipt-small
 */
import { copyFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { openModel, saveModel } from "../../src/model/index.js";
import { packageRoot } from "../../src/package-root.js";

const [trained, out] = process.argv.slice(2);
if (!trained || !out) throw new Error("Usage: pack.js TRAINED OUT");
const here = join(packageRoot, "recipes", "bundled");
const model = await openModel(trained);
await saveModel(out, { ...model, precision: "int8", card: await readFile(join(here, "card.md"), "utf8") });
for (const file of ["templates.en.txt", "templates.ru.txt"])
  await copyFile(join(here, file), join(out, file));

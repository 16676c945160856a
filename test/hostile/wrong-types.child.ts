// Opens a model folder again and again, each time with one field of one of its JSON files changed.
// Says on its standard output what it tries, and what went wrong with it.
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { misbehaviour, useModel } from "./use-model.js";
import { wrongTypes } from "./wrong-types.js";

const [folder = "", model = folder] = process.argv.slice(2);
const trouble = await misbehaviour(() => useModel(model));
if (trouble !== undefined) console.log(`BAD as it is: ${trouble}`);
const names = await readdir(folder, { recursive: true });
for (const name of names.filter((file) => file.endsWith(".json"))) {
  const path = join(folder, name);
  const whole = await readFile(path, "utf8");
  for (const [change, json] of wrongTypes(JSON.parse(whole))) {
    await writeFile(path, JSON.stringify(json));
    console.log(`try ${name}: ${change}`);
    const trouble = await misbehaviour(() => useModel(model));
    if (trouble !== undefined) console.log(`BAD ${name}: ${change}: ${trouble}`);
  }
  await writeFile(path, whole);
}
console.log(`peak ${Math.round(process.resourceUsage().maxRSS / 1024)} MB`);

import assert from "node:assert/strict";
import { test } from "node:test";
import { settleRecipe } from "./recipe.js";
import { locateModels } from "./start.js";

test("models that a run names are located, a new model's JSON file stays", async () => {
  const locate = (model: string): Promise<string> => Promise.resolve(`/cache/${model}`);
  const settled = async (model: string) =>
    (await settleRecipe({ model, distillModel: "owner/teacher" })).runs[0]!;
  const run = await locateModels(await settled("owner/name"), locate);
  assert.deepEqual([run.model, run.distillModel], ["/cache/owner/name", "/cache/owner/teacher"]);
  const fresh = await settled("new.json");
  assert.equal((await locateModels(fresh, locate)).model, "new.json");
  assert.deepEqual(await locateModels(fresh), fresh);
});

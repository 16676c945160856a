import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { drawnPicture, temporaryFolder } from "../../test/made-data.js";
import { openModel } from "../model/index.js";
import { packageRoot } from "../package-root.js";
import { toFloat32 } from "../tensor/index.js";
import { trainModel, type TrainEvent } from "./loop.js";
import { settleRecipe } from "./recipe.js";

test("a text tower of transformers learns against a locked image tower from another folder", async (t) => {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, "pictures"));
  for (let i = 0; i < 8; i++) {
    writeFileSync(join(folder, "pictures", `${i}.png`), await drawnPicture(31 * i));
    writeFileSync(join(folder, "pictures", `${i}.txt`), `${i} dogs and ${8 - i} cats`);
  }
  const model = join(packageRoot, "test/fixtures/models/mclip-tiny");
  const losses: number[] = [];
  const onEvent = (event: TrainEvent) => {
    if (event.kind === "step") losses.push(event.report.loss);
  };
  const recipe = await settleRecipe({
    model,
    trainData: join(folder, "pictures"),
    logs: folder,
    lockImage: true,
    batchSize: 8,
    steps: 16,
    lr: 0.003,
    warmup: 2,
    threads: 1,
    workers: 1,
    logEveryNSteps: 1,
  });
  const { model: trained } = await trainModel(recipe, { onEvent });
  assert.ok(losses.at(-1)! < 0.7 * losses[0]!, losses.join());
  const [before, after] = [await openModel(model), await openModel(trained)];
  assert.deepEqual(after.config.text, before.config.text);
  assert.deepEqual(after.tokenizer.encode("3 dogs"), before.tokenizer.encode("3 dogs"));
  const moved = [...before.weights]
    .filter(([name, tensor]) => {
      const now = toFloat32(after.weights.get(name)!).data;
      return toFloat32(tensor).data.some((x, i) => Math.abs(x - now[i]!) > 1e-5);
    })
    .map(([name]) => name);
  assert.ok(moved.every((name) => !name.startsWith("visual.")));
  for (const part of ["embeddings.word_embeddings", "encoder.layer.0.attention.self.query"])
    assert.ok(moved.includes(`text.transformer.${part}.weight`));
});

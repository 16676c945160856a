import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { temporaryFolder } from "../../../test/made-data.js";
import { needsShared, sharedPath } from "../../../test/shared.js";
import { tinyConfig, tinyWeights } from "../../../test/tiny-model.js";
import { clipSpec, isSpec, openModel } from "../../model/index.js";
import { flatten, zeros, type Tensor } from "../../tensor/index.js";
import { savePyTorch, type Savable } from "../../weights/index.js";
import { lockRules } from "../locks.js";
import { layOutParameters } from "../optimiser/parameters.js";
import { readOpenClipProgress } from "./read-checkpoint.js";
import { openClipCheckpoint } from "./write-checkpoint.js";

const adamw = { beta1: 0.9, beta2: 0.98, eps: 1e-6, wd: 0.2 };

test("a checkpoint that open_clip wrote, most of it locked", needsShared("reference", "vit-tiny"), async () => {
  const path = sharedPath("reference", "vit-tiny", "vit-tiny.train.pt")!;
  const { config, weights } = await openModel(path);
  const names = [...flatten(clipSpec(config), isSpec).keys()];
  const rules = lockRules(names, { image: { unlockedGroups: 0 }, text: { unlockedGroups: 2 } });
  const { names: trained } = layOutParameters(weights, { decay: 0.2, rules });
  const { epoch, updates, moments } = await readOpenClipProgress(path, { config, trained, ...adamw });
  assert.deepEqual([epoch, updates, moments.size], [3, 3, 32]);
  for (const name of trained)
    for (const key of ["exp_avg", "exp_avg_sq"]) {
      const moment = moments.get(`${key}.${name}`);
      assert.deepEqual(moment?.shape, weights.get(name)!.shape, name);
      assert.ok(moment!.data.some((x) => x !== 0), name);
    }
}); // prettier-ignore

describe("what is no whole checkpoint is told", () => {
  const config = tinyConfig;
  const weights = tinyWeights();
  const trained = [...weights.keys()];
  const moments = new Map<string, Tensor>(
    trained.flatMap((name) =>
      ["exp_avg", "exp_avg_sq"].map((key) => [`${key}.${name}`, zeros("float32", weights.get(name)!.shape)] as const),
    ),
  ); // prettier-ignore
  const whole = { config, name: "run", epoch: 2, updates: 5, weights, moments, lr: 1e-3, ...adamw };
  type Entries = Map<string | number, Savable>;

  const read = async (t: Parameters<typeof temporaryFolder>[0], change: (root: Entries) => void) => {
    const root = openClipCheckpoint(whole) as Entries;
    change(root);
    const path = join(temporaryFolder(t), "run.pt");
    await savePyTorch(path, root);
    return readOpenClipProgress(path, { config, trained, ...adamw });
  };
  const optimizer = (root: Entries) => root.get("optimizer") as Entries;
  const state = (root: Entries, number: number) =>
    (optimizer(root).get("state") as Entries).get(number) as Entries;

  test("but a whole one is read", async (t) => {
    const { epoch, updates, moments: found } = await read(t, () => {});
    assert.deepEqual([epoch, updates], [2, 5]);
    assert.deepEqual(new Map([...found].sort()), new Map([...moments].sort()));
  });

  const cases: readonly (readonly [string, (root: Entries) => void, RegExp])[] = [
    ["weights alone", (root) => void root.delete("optimizer"), /no training checkpoint of open_clip: it holds no epoch and optimizer/],
    ["an epoch of another type", (root) => void root.set("epoch", "two"), /holds no epoch/],
    ["an optimizer with one group", (root) => void optimizer(root).set("param_groups", [new Map()]), /has 1 groups of parameters/],
    ["groups of another type", (root) => void optimizer(root).set("param_groups", "none"), /has 0 groups/],
    ["a parameter without moments", (root) => void state(root, 3).delete("exp_avg"), /has no exp_avg/],
    ["an unknown parameter", (root) => void (optimizer(root).get("state") as Entries).delete(0), /knows nothing of "logit_scale"/],
    ["parameters of different age", (root) => void state(root, 3).set("step", 7), /updated 5, 7 times, not all equally often/],
  ]; // prettier-ignore
  for (const [name, change, message] of cases)
    test(name, (t) => assert.rejects(read(t, change), { code: "format", message }));
});

import assert from "node:assert/strict";
import { cp, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { drawnPicture, temporaryFolder, writeFiles } from "../../../test/made-data.js";
import { openModel } from "../../model/index.js";
import { isTensor } from "../../tensor/index.js";
import { settleRecipe, trainModel, type TrainInput, type TrainResult } from "../../train/index.js";
import { readPyTorch } from "../../weights/index.js";
import { exportModel } from "../export.js";

const folder = temporaryFolder({ after });
before(async () => {
  const rows = ["filepath\ttitle"];
  for (let i = 0; i < 12; i++) {
    writeFiles(folder, { [`${i}.png`]: await drawnPicture(i * 20) });
    rows.push(`${join(folder, `${i}.png`)}\tcolour ${i}`);
  }
  const model = {
    embed_dim: 16,
    vision_cfg: { image_size: 32, patch_size: 16, width: 32, head_width: 16, layers: 2 },
    text_cfg: { context_length: 16, vocab_size: 49408, width: 16, heads: 2, layers: 2 },
  };
  writeFiles(folder, { "pairs.tsv": `${rows.join("\n")}\n`, "model.json": JSON.stringify({ model_cfg: model }) });
}); // prettier-ignore

const recipe = (): TrainInput => ({
  logs: join(folder, "logs"),
  trainData: join(folder, "pairs.tsv"),
  batchSize: 4,
  epochs: 3,
  lr: 0.01,
  wd: 0.1,
  gradClipNorm: 1,
  lockImage: true,
  lockImageUnlockedGroups: 2,
  logEveryNSteps: 1,
  threads: 1,
});
const run = async (input: TrainInput): Promise<TrainResult> =>
  trainModel(await settleRecipe({ ...recipe(), ...input }));
const losses = async (name: string): Promise<number[]> =>
  (await readFile(join(folder, "logs", name, "log.jsonl"), "utf8"))
    .trim()
    .split("\n")
    .map((line) => (JSON.parse(line) as { loss: number }).loss);

test("a run moves to open_clip's checkpoint and back without a change", async (t) => {
  const whole = await run({ name: "whole", model: join(folder, "model.json") });
  const out = temporaryFolder(t);
  const checkpoint = join(whole.folder, "checkpoints", "step_3.safetensors");
  const { files, command, notes } = await exportModel({ model: checkpoint, to: "open_clip", out });
  assert.deepEqual(
    files.map(({ name }) => name),
    ["open_clip_model.safetensors", "open_clip_config.json", "whole.pt", "model_configs/whole.json"],
  );
  assert.equal(notes.length, 1, "an epoch is complete: nothing differs");

  const { root } = readPyTorch(await readFile(join(out, "whole.pt")));
  assert.ok(root instanceof Map);
  assert.deepEqual([...root.keys()], ["epoch", "name", "state_dict", "optimizer"]);
  assert.deepEqual([root.get("epoch"), root.get("name")], [1, "whole"]);
  const [weights, optimizer] = [root.get("state_dict"), root.get("optimizer")];
  assert.ok(weights instanceof Map && optimizer instanceof Map);
  assert.ok([...weights.keys()].every((key) => String(key).startsWith("module.")));
  const state = optimizer.get("state");
  assert.ok(state instanceof Map && state.get(0) instanceof Map);
  const first = state.get(0) as Map<string, unknown>;
  assert.deepEqual([...first.keys()], ["step", "exp_avg", "exp_avg_sq"]);
  assert.ok(isTensor(first.get("step")));

  assert.match(command!, /^torchrun --nproc_per_node 1 -m open_clip_train\.main --model local-dir:/);
  for (const flag of ["--resume .*whole.pt", "--epochs 3", "--lr 0.01", "--wd 0.1", "--grad-clip-norm 1", "--warmup 0", "--train-num-samples 12", "--lock-image-unlocked-groups 2"])
    assert.match(command!, new RegExp(`${flag}( |$)`));

  const back = await run({ name: "back", resume: join(out, "whole.pt") });
  assert.deepEqual(await losses("back"), (await losses("whole")).slice(3));
  assert.deepEqual((await openModel(back.model)).weights, (await openModel(whole.model)).weights);

  const killed = await run({ name: "again", resume: join(out, "whole.pt"), epochs: 3 });
  await cp(join(killed.folder, "checkpoints", "step_6.safetensors"), join(killed.folder, "checkpoints", "latest.safetensors"));
  const again = await run({ name: "again", resume: "latest", model: join(out, "whole.pt") });
  assert.deepEqual((await openModel(again.model)).weights, (await openModel(whole.model)).weights);
}); // prettier-ignore

test("in the middle of an epoch it says what open_clip does", async (t) => {
  const { folder: logs } = await run({ name: "middle", model: join(folder, "model.json"), steps: 5, saveFrequency: 0.34, ema: 0.9 });
  const model = join(logs, "checkpoints", "step_2.safetensors");
  const { notes } = await exportModel({ model, to: "open_clip", out: temporaryFolder(t) });
  assert.match(notes.join("\n"), /2 steps into an epoch.*at step 6 instead of 5.*average/s);
}); // prettier-ignore

test("what open_clip's trainer does not do is named", async (t) => {
  const { folder: logs } = await run({ name: "rules", model: join(folder, "model.json"), steps: 1, rules: [{ match: "visual.*", rate: 0.1 }] });
  await assert.rejects(exportModel({ model: logs, to: "open_clip", out: temporaryFolder(t) }), {
    code: "unsupported",
    message: /nothing like this run's rules/,
  });
}); // prettier-ignore

test("a checkpoint of open_clip's wants the same locks, settings and no other model", async (t) => {
  const { folder: logs } = await run({ name: "short", model: join(folder, "model.json"), epochs: 1 });
  const out = temporaryFolder(t);
  await exportModel({ model: logs, to: "open_clip", out });
  const resume = join(out, "short.pt");
  const refused = (input: TrainInput, message: RegExp) =>
    assert.rejects(run({ name: "refused", resume, ...input }), { code: "usage", message });
  await refused({ lockImage: false }, /trains \d+ weights without decay and \d+ with it; this run \d+ and \d+\. Lock/);
  await refused({ wd: 0.2, beta2: 0.9 }, /give --beta2 0\.98 --wd 0\.1\./);
  await refused({ model: join(folder, "model.json") }, /leave out --model/);
  await refused({ stages: [{ epochs: 1 }, { epochs: 2 }] }, /stages cannot go on from it/);
}); // prettier-ignore

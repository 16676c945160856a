import assert from "node:assert/strict";
import { after, test } from "node:test";
import { tinyConfig, tinyPart, tinyWeights } from "../../test/tiny-model.js";
import { clipSpec, encodeImage } from "../model/index.js";
import { evaluate, nodeRuntime } from "../runtime/index.js";
import { constant } from "../graph/index.js";
import { f32, i64, isFloat, random, type Tensor } from "../tensor/index.js";
import { weightInputs } from "./step-graphs.js";
import { frozenPart } from "./tower.js";
import { shapeOf, type Part } from "./step.js";
import { openTrainer, type Trainer, type TrainerOptions } from "./trainer.js";

const runtime = nodeRuntime({ threads: 1 });
after(() => runtime.close());

const spec = clipSpec(tinyConfig);
const optimiser: TrainerOptions["optimiser"] = {
  lr: 0.01,
  schedule: { kind: "const", warmup: 0, total: 100 },
  beta1: 0.9,
  beta2: 0.98,
  eps: 1e-6,
  wd: 0.1,
};
const trainer = (options: Partial<TrainerOptions> = {}): Trainer =>
  openTrainer({
    runtime,
    config: tinyConfig,
    spec,
    picture: [3, 16, 16],
    weights: tinyWeights(),
    objective: { contrastive: "softmax" },
    optimiser,
    ...options,
  });

function near(actual: ReadonlyMap<string, Tensor>, expected: ReadonlyMap<string, Tensor>, factor = 1): void {
  for (const [name, { data }] of actual) {
    const wanted = expected.get(name)!.data;
    const own = name === "logit_scale" ? factor : 1;
    data.forEach((value, i) =>
      assert.ok(
        Math.abs(Number(value) - own * Number(wanted[i])) < 2e-5,
        `${name}[${i}]: ${value} against ${own * Number(wanted[i])}`,
      ),
    );
  }
}

/** Two parts of four as one of eight. */
function join(a: Part, b: Part): Part {
  const both = (x: Tensor, y: Tensor): Tensor =>
    isFloat(x.dtype)
      ? f32([8, ...x.shape.slice(1)], [...(x.data as Float32Array), ...(y.data as Float32Array)])
      : i64([8, ...x.shape.slice(1)], [...Array.from(x.data, Number), ...Array.from(y.data, Number)]);
  return {
    image: both(a.image, b.image),
    text: both(a.text, b.text),
    rows: { pairs: 8, labelled: 0, captions: 8, classes: 0, taught: 0 },
    pictureGroups: both(a.pictureGroups, b.pictureGroups),
    textGroups: both(a.textGroups, b.textGroups),
  };
}

const parts = [tinyPart("a"), tinyPart("b", 4, 4)];

test("a batch in parts has the loss and the gradient of the whole batch", async () => {
  const whole = trainer();
  const inParts = trainer({ accumulation: "exact" });
  const a = await whole.step([join(parts[0]!, parts[1]!)], random(1));
  const b = await inParts.step(parts, random(1));
  assert.ok(Math.abs(a.loss - b.loss) < 1e-5);
  near(inParts.gradients, whole.gradients);
});

test("open_clip's rule gives the temperature its gradient once per part", async () => {
  const exact = trainer({ accumulation: "exact" });
  const theirs = trainer({ accumulation: "open_clip" });
  await exact.step(parts, random(1));
  await theirs.step(parts, random(1));
  near(theirs.gradients, exact.gradients, 2);
});

test("recomputed blocks give the same gradient", async () => {
  const kept = trainer();
  const again = trainer({ recompute: true });
  await kept.step([parts[0]!], random(1));
  await again.step([parts[0]!], random(1));
  near(again.gradients, kept.gradients);
});

/** A part whose texts end with the highest id after so many ids; what follows is padding. */
function withLengths(part: Part, lengths: readonly number[]): Part {
  const [, length] = part.text.shape as [number, number];
  const ids = lengths.flatMap((own, text) =>
    Array.from({ length }, (_, i) => (i === own - 1 ? 19 : i < own ? 1 + ((text + 5 * i) % 18) : 0)),
  );
  return { ...part, text: i64([lengths.length, length], ids), lengths };
}

test("texts without their padding give the same gradient, one program for all lengths", async () => {
  const some = [withLengths(parts[0]!, [3, 5, 2, 8]), withLengths(parts[1]!, [4, 4, 7, 1])];
  const padded = some.map((part) => ({ ...part, lengths: undefined }));
  assert.deepEqual(shapeOf(some[0]!), shapeOf(some[1]!));
  assert.notDeepEqual(shapeOf(some[0]!), shapeOf(padded[0]!));
  for (const recompute of [false, true]) {
    const packed = trainer({ recompute, accumulation: "exact" });
    const whole = trainer({ recompute, accumulation: "exact" });
    for (const batch of [[0], [1], [0, 1]]) {
      const [a, b] = [
        await packed.step(
          batch.map((i) => some[i]!),
          random(1),
        ),
        await whole.step(
          batch.map((i) => padded[i]!),
          random(1),
        ),
      ];
      assert.ok(Math.abs(a.loss - b.loss) < 1e-4);
      near(packed.gradients, whole.gradients);
    }
  }
});

test("training from a cut gives the gradient of the whole tower", async () => {
  const rules = ["visual.conv1*", "visual.class_embedding", "visual.positional_embedding", "visual.ln_pre*"];
  const frozen = [...rules, "visual.transformer.resblocks.0.*"].map((match) => ({ match, rate: 0 }));
  const whole = trainer({ optimiser: { ...optimiser, rules: frozen } });
  const cut = trainer({ optimiser: { ...optimiser, rules: frozen }, cuts: { image: "image.block.0" } });
  const weights = tinyWeights();
  const values = weightInputs({ spec, dtypeOf: () => "float32" });
  const [part] = parts;
  const at = frozenPart(
    (x, context) => encodeImage(tinyConfig, values, x, context),
    constant(part!.image),
    "image",
    "image.block.0",
  );
  const used = [...weights].filter(([name]) =>
    frozen.some(({ match }) => name.startsWith(match.replace("*", ""))),
  );
  const { at: rows } = await evaluate({ at }, Object.fromEntries(used));
  await whole.step([part!], random(1));
  await cut.step([{ ...part!, image: rows }], random(1));
  assert.ok(cut.trained.names.every((name) => !name.includes("resblocks.0") || !name.startsWith("visual")));
  near(cut.gradients, whole.gradients);
});

test("all terms together: labels and a teacher beside the pairs", async () => {
  const t = trainer({
    objective: {
      contrastive: "softmax",
      labels: { weight: 0.5, smoothing: 0.1 },
      distillation: { weight: 2 },
    },
  });
  const part: Part = {
    ...tinyPart("c", 8),
    rows: { pairs: 5, labelled: 3, captions: 4, classes: 2, taught: 2 },
    pictureGroups: i64([5], [0, 1, 2, 3, 0]),
    textGroups: i64([4], [0, 1, 2, 3]),
    labels: i64([3], [0, 1, 1]),
    teacher: f32(
      [8, 2],
      Array.from({ length: 16 }, (_, i) => Math.sin(i)),
    ),
  };
  const first = await t.step([part], random(1));
  assert.deepEqual(Object.keys(first.terms), ["contrastive", "labels", "distillation"]);
  const sum = Object.values(first.terms).reduce((a, b) => a + b);
  assert.ok(Math.abs(first.loss - sum) < 1e-5);
  assert.ok(t.trained.names.includes("label_logit_scale"));
  assert.ok(!t.weights().has("label_logit_scale"));
  for (let i = 0; i < 30; i++) await t.step([part], random(1));
  const last = await t.step([part], random(1));
  for (const name of Object.keys(last.terms)) assert.ok(last.terms[name]! < first.terms[name]!, name);
});

test("a restored state goes on bit by bit", async () => {
  const options = { optimiser: { ...optimiser, ema: 0.9, gradClipNorm: 1 } };
  const one = trainer(options);
  const losses: number[] = [];
  let saved: Map<string, Tensor> | undefined;
  for (let i = 0; i < 6; i++) {
    if (i === 3)
      saved = new Map([...one.state()].map(([name, t]) => [name, { ...t, data: t.data.slice() } as Tensor]));
    losses.push((await one.step([parts[i % 2]!], random(i))).loss);
  }
  const two = trainer({ ...options, weights: tinyWeights("other") });
  two.restore(saved!, 3);
  for (let i = 3; i < 6; i++) assert.equal((await two.step([parts[i % 2]!], random(i))).loss, losses[i]);
  for (const [name, { data }] of two.state()) assert.deepEqual(data, one.state().get(name)!.data, name);
  assert.throws(() => two.restore(new Map(), 0), /does not fit the run: .* is missing/);
});

test("a loss that is no number ends the run with advice", async () => {
  const t = trainer();
  const broken = { ...parts[0]!, image: f32([4, 3, 16, 16], new Float32Array(3072).fill(NaN)) };
  await assert.rejects(t.step([broken], random(1)), /Step 0: the loss is NaN.*Lower the learning rate/);
});

test("names of rules are checked", () => {
  assert.throws(
    () => trainer({ optimiser: { ...optimiser, rules: [{ match: "vision.*", rate: 0 }] } }),
    /No weight's name matches "vision\.\*"/,
  );
  assert.throws(
    () => trainer({ optimiser: { ...optimiser, rules: [{ match: "*", rate: 0 }] } }),
    /Every weight is frozen/,
  );
});

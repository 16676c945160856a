import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { clipSpec, isSpec, parseOpenClip } from "../../model/index.js";
import { packageRoot } from "../../package-root.js";
import { flatten } from "../../tensor/index.js";
import { lockRules } from "../locks.js";
import { layOutParameters } from "../optimiser/parameters.js";
import { zeros } from "../../tensor/index.js";
import { parameterGroups } from "./parameter-order.js";

interface Recorded {
  readonly model_cfg: unknown;
  readonly runs: readonly {
    readonly lock: { readonly image?: number; readonly text?: number };
    readonly groups: readonly [string[], string[]];
  }[];
}

// Listed by open_clip 3.3.0 itself: named_parameters of the model, in the two groups of open_clip_train.main.
const recorded = JSON.parse(
  readFileSync(join(packageRoot, "test/fixtures/open-clip/parameters.json"), "utf8"),
) as Record<string, Recorded>;

for (const [name, { model_cfg: cfg, runs }] of Object.entries(recorded))
  for (const { lock, groups } of runs)
    test(`${name}, locked ${JSON.stringify(lock)}: the optimizer's parameters are open_clip's`, () => {
      const config = parseOpenClip(cfg);
      const specs = [...flatten(clipSpec(config), isSpec)].filter(([, { buffer }]) => buffer !== true);
      const weights = new Map(specs.map(([key, { shape }]) => [key, zeros("float32", shape)]));
      const locked = (unlockedGroups?: number) =>
        unlockedGroups === undefined ? undefined : { unlockedGroups };
      const rules = lockRules([...weights.keys()], { image: locked(lock.image), text: locked(lock.text) });
      const { names } = layOutParameters(weights, { decay: 0.2, rules });
      const { plain, decayed } = parameterGroups(config, names);
      assert.deepEqual([plain, decayed], groups);
    });

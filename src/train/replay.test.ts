import assert from "node:assert/strict";
import { test } from "node:test";
import { needsShared, sharedPath } from "../../test/shared.js";
import { replay } from "./replay.js";

for (const [kind, runs] of [
  ["clip", ["plain", "accum", "bigbatch"]],
  ["siglip", ["plain"]],
  ["resnet", ["plain"]],
] as const)
  test(`a run of open_clip is repeated: ${kind}`, needsShared("reference", `replay-${kind}`), async () => {
    const result = await replay(sharedPath("reference", `replay-${kind}`)!);
    assert.deepEqual(
      result.runs.map(({ run }) => run),
      runs,
    );
    assert.deepEqual(
      result.runs.flatMap(({ failures }) => failures),
      [],
    );
    assert.ok(result.ok);
  });

test("a folder without a recording says what is missing", async () => {
  await assert.rejects(replay("nowhere"), /nowhere.config\.json does not exist/);
});

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { drawnPicture, writeTar } from "../../test/made-data.js";
import { writeSmallModel } from "../../test/small-model.js";
import { doctorDtypes } from "./doctor-dtypes.js";
import { evaluateRetrieval } from "./evaluate-retrieval.js";
import { evaluateZeroshot } from "./evaluate-zeroshot.js";

describe("doctor dtypes", () => {
  const root = mkdtempSync(join(tmpdir(), "clipt-dtypes-test-"));
  const [model, data] = [join(root, "small"), join(root, "pairs.tar")];
  const classnames = join(root, "names.txt");
  before(async () => {
    await writeSmallModel(model);
    const files: Record<string, string | Uint8Array> = {};
    for (let n = 0; n < 9; n++)
      Object.assign(files, {
        [`${n}.png`]: await drawnPicture(28 * n),
        [`${n}.txt`]: `the ${"cat dog ran sat and".split(" ")[n % 5]} ${n}`,
        [`${n}.cls`]: `${n % 2}`,
      });
    await writeTar(data, files);
    writeFileSync(classnames, "cat\ndog\n");
  });
  after(() => rmSync(root, { recursive: true }));

  test("fp32 is exact, the others are near it and lighter, and the metrics are eval's", async () => {
    const report = await doctorDtypes({ model, data });
    assert.equal(report.task, "zeroshot_retrieval");
    assert.deepEqual([report.pictures, report.texts], [9, 9]);
    assert.deepEqual(report.default, { pictures: "fp32", texts: "fp32" });
    const { fp32, fp16, q8, q4 } = Object.fromEntries(report.dtypes.map((row) => [row.dtype, row]));
    assert.deepEqual(fp32?.metrics, (await evaluateRetrieval({ model, data })).metrics);
    for (const tower of ["pictures", "texts"] as const) {
      assert.ok(Math.abs(fp32![tower].cosine.worst - 1) < 1e-6);
      assert.ok(fp16![tower].cosine.worst > 0.9999 && fp16![tower].cosine.worst < 1);
      assert.ok(q8![tower].cosine.worst > 0.95 && q8![tower].cosine.mean > 0.99);
      assert.ok(q8![tower].cosine.worst < fp16![tower].cosine.worst);
      for (const row of [fp16, q8]) assert.ok(row![tower].bytes! < fp32![tower].bytes!);
      for (const row of [fp32, fp16, q8, q4]) assert.ok(row![tower].cpuMs > 0);
    }
  });

  test("with class names it classifies, as many samples as are asked for", async () => {
    const report = await doctorDtypes({ model, data, classnames, limit: 4 });
    assert.equal(report.task, "zeroshot_classification");
    assert.equal(report.pictures, 4);
    const all = await doctorDtypes({ model, data, classnames });
    const { metrics } = await evaluateZeroshot({ model, data, classnames });
    assert.deepEqual(all.dtypes[0]?.metrics, metrics);
  });
});

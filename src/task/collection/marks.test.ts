import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { packageRoot } from "../../package-root.js";
import { memoryStore } from "../../store/index.js";
import { openCalibration } from "../calibration/open-calibration.js";
import { decoding } from "../decoding.js";
import { encodePictures } from "../encode-pictures.js";
import { findPictures, sampleOf } from "../find-pictures.js";
import { openServices } from "../services.js";
import type { Context } from "../task.js";
import type { Collection } from "./collection.js";
import { markResults } from "./marks.js";
import { ask } from "./query.js";

const calibrated = join(packageRoot, "models", "clipt-small", "calibration.json");
const skip = !existsSync(calibrated) && "the bundled model is not in this copy";

describe("marks", { skip }, () => {
  const services = openServices();
  const context: Context = { services, signal: new AbortController().signal, emit: () => {} };
  let collection: Collection;
  const picture = (name: string): string => join(packageRoot, "examples", "pictures", name);
  const probabilities = async (text: string): Promise<Map<string, number>> => {
    const { results } = await ask(collection, { parts: [{ text, weight: 1 }], k: 99 }, context);
    return new Map(results.map(({ id, probability }) => [id, probability!]));
  };
  const mark = (query: string, yes: string[], no: string[]) =>
    markResults(collection, { query, yes: yes.map(picture), no: no.map(picture) }, context);

  before(async () => {
    const encoder = await services.encoder({});
    const { identity } = encoder.model;
    const store = memoryStore();
    await store.addSet({ identity, dim: encoder.model.config.embedDim });
    const files = await findPictures([picture("")], context);
    const decode = decoding(encoder.model.preprocess, false);
    for await (const { item, vector } of encodePictures(files, sampleOf, encoder, decode, context))
      await store.upsert([{ id: join(item.path), fields: {}, vectors: { [identity]: vector } }]);
    collection = { store, encoder, identity, close: () => store.close() };
  });
  after(async () => {
    await collection.close();
    await services.close();
  });

  test("what is marked wrong gets less likely, what is marked right likelier, for the same query and the next", async () => {
    const [before, otherBefore] = [await probabilities("a horse"), await probabilities("a cup of coffee")];
    const wrong = ["brick-wall.jpg", "temple.jpg", "clock.jpg", "moon.jpg", "page.jpg"];
    assert.equal(await mark("a horse", [], wrong), 5);
    const fewer = await probabilities("a horse");
    for (const name of wrong) assert.ok(fewer.get(picture(name))! <= before.get(picture(name))!, name);
    assert.equal(await mark("a horse", ["horse.jpg"], []), 6);
    assert.equal(await mark("a cat", ["cat.jpg"], []), 7);
    assert.equal(await mark("a flower", ["flower.jpg"], []), 8);
    const [after, other] = [await probabilities("a horse"), await probabilities("a cup of coffee")];
    assert.ok(after.get(picture("horse.jpg"))! > fewer.get(picture("horse.jpg"))!);
    assert.ok(other.get(picture("coffee.jpg"))! > otherBefore.get(picture("coffee.jpg"))!);
    // The order of results is the search's: marks change only what is said of them.
    assert.deepEqual([...after.keys()], [...before.keys()]);
  });

  test("marks that are taken back by others move it back", async () => {
    const before = await probabilities("a cat");
    await mark("a cat", [], ["cat.jpg"]);
    assert.ok((await probabilities("a cat")).get(picture("cat.jpg"))! < before.get(picture("cat.jpg"))!);
    await mark("a cat", ["cat.jpg"], []);
    const again = await probabilities("a cat");
    for (const [id, p] of again) assert.ok(Math.abs(p - before.get(id)!) < 1e-9);
  });

  test("another model's probabilities stay as they are", async () => {
    const { encoder, store } = collection;
    assert.ok((await openCalibration(encoder.model, store))?.adapted);
    assert.equal(await openCalibration({ ...encoder.model, identity: "other" }, store), undefined);
    assert.equal((await openCalibration(encoder.model, memoryStore()))?.adapted, undefined);
  });

  test("a picture that is not there, or is right and wrong, is refused, and nothing is remembered", async () => {
    const before = await probabilities("a cat");
    await assert.rejects(mark("a cat", ["nowhere.jpg"], []), /no picture .*nowhere/);
    await assert.rejects(mark("a cat", ["cat.jpg"], ["cat.jpg"]), /marked both ways/);
    await assert.rejects(mark("a cat", [], []), { code: "input" });
    assert.deepEqual(await probabilities("a cat"), before);
  });
});

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { packageRoot } from "../../package-root.js";
import { memoryStore } from "../../store/index.js";
import { decoding } from "../decoding.js";
import { encodePictures } from "../encode-pictures.js";
import { findPictures, sampleOf } from "../find-pictures.js";
import { openServices } from "../services.js";
import type { Context } from "../task.js";
import type { Collection } from "./collection.js";
import { ask } from "./query.js";
import { parting } from "./refinements.js";

test("a word parts pictures by as many bits as it is sure of", () => {
  assert.equal(parting([1, 1, 0, 0]), 1);
  assert.equal(parting([0.5, 0.5]), 0);
  assert.equal(parting([1, 1, 1]), 0);
  // Entropy of a quarter: 0.811278 bits.
  assert.ok(Math.abs(parting([1, 0, 0, 0]) - 0.811278) < 1e-6);
});

const calibrated = join(packageRoot, "models", "clipt-small", "calibration.json");
const skip = !existsSync(calibrated) && "the bundled model is not in this copy";

describe("suggestions", { skip }, () => {
  const services = openServices();
  const context: Context = { services, signal: new AbortController().signal, emit: () => {} };
  let collection: Collection;
  const suggested = async (text: string): Promise<readonly string[]> =>
    (await ask(collection, { parts: [{ text, weight: 1 }], k: 5, refine: true }, context)).refinements ?? [];

  // Thirty cats, thirty horses and sixty other things: copies of a few pictures.
  before(async () => {
    const encoder = await services.encoder({});
    const { identity } = encoder.model;
    const store = memoryStore();
    await store.addSet({ identity, dim: encoder.model.config.embedDim });
    const copies = { cat: 30, horse: 30, rocket: 20, page: 20, coffee: 20 };
    const paths = Object.keys(copies).map((name) => join(packageRoot, "examples", "pictures", `${name}.jpg`));
    const files = await findPictures(paths, context);
    const decode = decoding(encoder.model.preprocess, false);
    let name = 0;
    for await (const { vector } of encodePictures(files, sampleOf, encoder, decode, context)) {
      const [what = "", count = 0] = Object.entries(copies)[name++] ?? [];
      for (let i = 0; i < count; i++)
        await store.upsert([{ id: `${what} ${i}`, fields: {}, vectors: { [identity]: vector } }]);
    }
    collection = { store, encoder, identity, close: () => store.close() };
  });
  after(async () => {
    await collection.close();
    await services.close();
  });

  test("are what is in a part of the results, in the query's language", async () => {
    const english = await suggested("an animal");
    assert.ok(
      english.some((word) => /cat|kitten|horse/.test(word)),
      String(english),
    );
    for (const other of ["coffee", "text", "pizza", "animal"]) assert.ok(!english.includes(other), other);
    const russian = await suggested("животное");
    assert.ok(
      russian.every((word) => /\p{Script=Cyrillic}/u.test(word)),
      String(russian),
    );
  });

  test("never say what the query says", async () => {
    assert.ok(!(await suggested("a horse")).some((word) => /horse/.test(word)));
  });
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { memoryStore } from "../store/index.js";
import type { Collection } from "../task/collection/collection.js";
import { Jobs } from "./jobs.js";
import { OfCollection } from "./of-collection.js";

const identity = "a".repeat(64);
const picture = (id: string, indexed: number) => ({
  id,
  fields: { indexed },
  vectors: { [identity]: Float32Array.of(1, 0) },
});

async function collectionOfOne(): Promise<Collection> {
  const store = memoryStore();
  await store.addSet({ identity, dim: 2 });
  await store.upsert([picture("first", 1)]);
  return { store, identity } as Collection;
}

test("what was found is kept until the collection changes", async () => {
  const collection = await collectionOfOne();
  const jobs = new Jobs(() => {});
  let looked = 0;
  const found = new OfCollection("count", jobs, collection, async () => {
    looked++;
    return collection.store.count();
  });
  assert.deepEqual(await found.ask(), { value: 1 });
  assert.deepEqual(await found.ask(), { value: 1 });
  await collection.store.writeDocument("marks", 1);
  assert.deepEqual(await found.ask(), { value: 1 });
  assert.equal(looked, 1);
  await collection.store.upsert([picture("second", 2)]);
  assert.deepEqual(await found.ask(), { value: 2 });
  await jobs.close();
});

test("what takes long is a job with progress; what was found before is given meanwhile", async () => {
  const collection = await collectionOfOne();
  const jobs = new Jobs(() => {});
  let finish = (): void => {};
  const found = new OfCollection<string>("slow", jobs, collection, async ({ emit }) => {
    emit({ kind: "progress", stage: "comparing", done: 1, total: 4 });
    await new Promise<void>((resolve) => (finish = resolve));
    return "done";
  });
  const { value, job } = await found.ask();
  assert.deepEqual([value, job?.state, job?.progress?.done], [undefined, "running", 1]);
  assert.equal((await found.ask()).job?.id, job?.id);
  finish();
  assert.deepEqual(await found.ask(), { value: "done" });
  await collection.store.upsert([picture("second", 2)]);
  const again = await found.ask();
  assert.deepEqual([again.value, again.job?.state], ["done", "running"]);
  finish();
  await jobs.close();
});

test("a job that failed is not begun again at once, and beside others none waits", async () => {
  const collection = await collectionOfOne();
  const jobs = new Jobs(() => {});
  let finish = (): void => {};
  jobs.start("index", () => new Promise<void>((resolve) => (finish = resolve)));
  let tried = 0;
  const found = new OfCollection("broken", jobs, collection, async () => {
    tried++;
    throw new Error("no");
  });
  assert.equal((await found.ask()).job?.state, "failed");
  await assert.rejects(found.ask(), { code: "failed" });
  assert.equal(tried, 1);
  finish();
  await jobs.close();
});

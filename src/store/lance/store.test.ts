import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { needsObjectStorage, testBucket } from "../../../test/test-bucket.js";
import { testStore } from "../store-suite.js";
import { lanceStore } from "./store.js";

const folder = await mkdtemp(join(tmpdir(), "clipt-lance-"));
after(() => rm(folder, { recursive: true, force: true }));
let places = 0;

testStore("LanceDB", {
  create: () => lanceStore(join(folder, `${places++}`)),
  reopen: (closed) => lanceStore(closed.url),
  indexes: true,
});

let bucket: Promise<string> | undefined;

testStore(
  "LanceDB (object storage)",
  {
    create: async () => lanceStore(`${await (bucket ??= testBucket())}/${places++}`),
    reopen: (closed) => lanceStore(closed.url),
  },
  needsObjectStorage,
);

test("says in words why an object storage cannot be used", needsObjectStorage, async () => {
  await testBucket();
  await assert.rejects(lanceStore("s3://no-such-bucket/index"), {
    code: "io",
    message: "The index at s3://no-such-bucket/index cannot be used: there is no such bucket",
  });
});

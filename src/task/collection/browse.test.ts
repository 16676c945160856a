import assert from "node:assert/strict";
import { test } from "node:test";
import { openStore, type Fields } from "../../store/index.js";
import { browse, readFacets } from "./browse.js";

const day = 86_400_000;

async function filled() {
  const store = await openStore("memory:");
  const items: readonly Fields[] = [
    { path: "/a/1.jpg", format: "jpeg", camera: "X100", taken: 3 * day, modified: 9 * day },
    { path: "/a/2.jpg", format: "jpeg", camera: "D90", taken: 5 * day, modified: 1 * day },
    { path: "/a/b/3.png", format: "png", modified: 8 * day },
    { path: "/a/b/4.jpg", format: "jpeg", camera: "X100", modified: 2 * day },
  ];
  await store.declare({ taken: "date", modified: "date", path: "text", format: "text", camera: "text" });
  await store.upsert(items.map((fields) => ({ id: String(fields["path"]), fields })));
  return store;
}

test("pictures by date: taken first, then by the file's date; pages join without a gap", async () => {
  const store = await filled();
  const names = async (options: Partial<Parameters<typeof browse>[1]>) => {
    const { results, total } = await browse({ store }, { k: 9, offset: 0, sort: "newest", ...options });
    return [results.map(({ id }) => id.slice(-5, -4)).join(""), total];
  };
  assert.deepEqual(await names({}), ["2134", 4]);
  assert.deepEqual(await names({ sort: "oldest" }), ["1243", 4]);
  assert.deepEqual(await names({ k: 2, offset: 1 }), ["13", 4]);
  assert.deepEqual(await names({ k: 2, offset: 3 }), ["4", 4]);
  assert.deepEqual(await names({ where: "format = jpeg" }), ["214", 3]);
  await store.close();
});

test("values to filter by, the most frequent first", async () => {
  const store = await filled();
  assert.deepEqual(await readFacets({ store }), {
    camera: [
      { value: "X100", count: 2 },
      { value: "D90", count: 1 },
    ],
    format: [
      { value: "jpeg", count: 3 },
      { value: "png", count: 1 },
    ],
    folder: [
      { value: "/a/", count: 2 },
      { value: "/a/b/", count: 2 },
    ],
  });
  await store.close();
});

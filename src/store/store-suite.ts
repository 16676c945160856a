import assert from "node:assert/strict";
import { test } from "node:test";
import { random } from "../tensor/index.js";
import type { Filter } from "./filter.js";
import { matches } from "./filter.js";
import type { Item, Store } from "./store.js";

/** How the suite makes and reopens stores of one engine. */
export interface StoreOpener {
  /** An empty store, at a place of its own. */
  create(): Promise<Store>;
  /** The same place again after `close`; absent for engines that keep nothing. */
  readonly reopen?: (closed: Store) => Promise<Store>;
  /** Whether it makes indexes of vectors, and is quick enough to test that. */
  readonly indexes?: boolean;
}

const model = "a".repeat(64);
const other = "b".repeat(64);

/** What every store must do; a skip says why. */
export function testStore(name: string, opener: StoreOpener, options: { skip?: string | false } = {}): void {
  const each = (what: string, body: (store: Store) => Promise<void>): void =>
    void test(`${name}: ${what}`, { skip: options.skip ?? false }, async () => {
      const store = await opener.create();
      try {
        await body(store);
      } finally {
        await store.close();
      }
    });

  each("finds the nearest first, by cosine, with fields", async (store) => {
    await fill(store);
    const hits = await store.query({ identity: model, vector: vec(2, 0.1), k: 2 });
    assert.deepEqual(
      hits.map(({ id, fields }) => [id, fields["path"]]),
      [
        ["east", "a/east.jpg"],
        ["north", "b/north.jpg"],
      ],
    );
    assert.ok(Math.abs(hits[0]!.score - 2 / Math.hypot(2, 0.1)) < 1e-5);
  });

  each("answers many vectors as it answers each alone", async (store) => {
    await fill(store);
    const vectors = [vec(2, 0.1), vec(0, 1), vec(-1, 0.5)];
    for (const query of [
      { identity: model, k: 2 },
      { identity: model, k: 1, offset: 1, exact: true },
      { identity: model, k: 9, where: { kind: "starts", field: "path", text: "a/" } as const },
    ])
      assert.deepEqual(
        await store.queryMany(vectors, query),
        await Promise.all(vectors.map((vector) => store.query({ ...query, vector }))),
      );
    assert.deepEqual(await store.queryMany([], { identity: model, k: 2 }), []);
    await assert.rejects(
      store.queryMany([vec(1, 0), Float32Array.of(1)], { identity: model, k: 1 }),
      refuses(),
    );
  });

  each("gives the vectors of hits when they are asked for", async (store) => {
    await fill(store);
    await store.upsert([{ id: "long", fields: {}, vectors: { [model]: vec(3, 4) } }]);
    const query = { identity: model, vector: vec(3, 4), k: 2 };
    const [first, second] = await store.query({ ...query, vectors: true });
    assert.ok(first!.vector!.every((value, i) => Math.abs(value - [0.6, 0.8][i]!) < 1e-6));
    assert.deepEqual([...second!.vector!], [0, 1]);
    assert.ok((await store.query(query)).every((hit) => !("vector" in hit)));
  });

  each("has another version after each write, and none after reading", async (store) => {
    const changes = async (body: () => Promise<unknown>): Promise<boolean> => {
      const before = await store.version();
      await body();
      return (await store.version()) !== before;
    };
    await fill(store);
    const writes = [
      () => store.upsert([{ id: "new", fields: {} }]),
      () => store.declare({ camera2: "text" }),
      () => store.addSet({ identity: other, dim: 3 }),
      () => store.delete(["new"]),
      () => store.writeDocument("d", 1),
      () => store.dropSet(other),
    ];
    for (const [i, body] of writes.entries()) assert.ok(await changes(body), `write ${i}`);
    const reads = async (): Promise<void> => {
      await store.query({ identity: model, vector: vec(1, 0), k: 2 });
      await Promise.all([store.list({ limit: 2 }), store.sets(), store.fields(), store.readDocument("d")]);
    };
    assert.ok(!(await changes(reads)));
  });

  each("pages through equal scores by id", async (store) => {
    await store.addSet({ identity: model, dim: 2 });
    await store.upsert(["c", "a", "b"].map((id) => ({ id, fields: {}, vectors: { [model]: vec(1, 0) } })));
    const page = async (offset: number) =>
      (await store.query({ identity: model, vector: vec(1, 0), k: 2, offset })).map(({ id }) => id);
    assert.deepEqual([await page(0), await page(2), await page(3)], [["a", "b"], ["c"], []]);
  });

  each("an empty store answers, and no items do nothing", async (store) => {
    await store.addSet({ identity: model, dim: 2 });
    await store.upsert([]);
    await store.delete(["nobody"]);
    assert.deepEqual(await store.query({ identity: model, vector: vec(1, 0), k: 3 }), []);
    assert.deepEqual(await store.list({ limit: 10 }), []);
    assert.equal(await store.count(), 0);
    assert.deepEqual(await store.get(["nobody"]), [undefined]);
    await store.compact();
  });

  each("replaces an item: fields entirely, vectors set by set", async (store) => {
    await fill(store);
    await store.addSet({ identity: other, dim: 3 });
    const vectors = { [other]: Float32Array.of(0, 0, 1) };
    await store.upsert([{ id: "east", fields: { path: "moved.jpg" }, vectors }]);
    const [item] = await store.get(["east"], model);
    assert.deepEqual(item?.fields, { path: "moved.jpg" });
    assert.deepEqual([...(item?.vectors?.[model] ?? [])], [1, 0]);
    const [hit] = await store.query({ identity: other, vector: Float32Array.of(0, 0, 2), k: 9 });
    assert.equal(hit?.id, "east");
    assert.equal(await store.count(), 3);
  });

  each("of equal ids in one call, the last counts", async (store) => {
    await store.upsert([
      { id: "x", fields: { n: 1 } },
      { id: "x", fields: { n: 2 } },
    ]);
    assert.deepEqual(await store.list({ limit: 9 }), [{ id: "x", fields: { n: 2 } }]);
  });

  each("gives items in the order of the ids", async (store) => {
    await fill(store);
    const items = await store.get(["north", "nobody", "east", "north"]);
    assert.deepEqual(
      items.map((item) => item?.id),
      ["north", undefined, "east", "north"],
    );
  });

  each("vectors of different models don't mix", async (store) => {
    await fill(store);
    await assert.rejects(store.query({ identity: other, vector: vec(1, 0), k: 1 }), refuses(/no vectors of/));
    const wrong = { id: "w", fields: {}, vectors: { [other]: vec(1, 0) } };
    await assert.rejects(store.upsert([wrong]), refuses(/no vectors of/));
    await assert.rejects(store.addSet({ identity: model, dim: 3 }), refuses(/2 numbers, not 3/));
  });

  each("refuses broken vectors, and then nothing of the call is stored", async (store) => {
    await fill(store);
    const good: Item = { id: "good", fields: {}, vectors: { [model]: vec(1, 1) } };
    for (const vector of [vec(0, 0), vec(NaN, 1), vec(Infinity, 1), Float32Array.of(1)])
      await assert.rejects(
        store.upsert([good, { id: "bad", fields: {}, vectors: { [model]: vector } }]),
        refuses(),
      );
    assert.deepEqual(await store.get(["good", "bad"]), [undefined, undefined]);
    await assert.rejects(store.query({ identity: model, vector: Float32Array.of(1, 2, 3), k: 1 }), refuses());
  });

  each("fields have one type each", async (store) => {
    await store.declare({ taken: "date" });
    await store.upsert([{ id: "x", fields: { taken: Date.UTC(2020, 1), note: "1" } }]);
    assert.deepEqual(await store.fields(), { taken: "date", note: "text" });
    await assert.rejects(store.upsert([{ id: "y", fields: { note: 1 } }]), refuses(/"note" is a text/));
    await assert.rejects(store.declare({ taken: "text" }), refuses(/"taken" is a date/));
    await assert.rejects(store.upsert([{ id: "y", fields: { "a b": 1 } }]), refuses(/"a b"/));
    await store.declare({ taken: "date" });
  });

  each("filters agree with their definition", async (store) => {
    await fill(store);
    for (const filter of filters) {
      const expected = items.filter(({ fields }) => matches(filter, fields)).map(({ id }) => id);
      const listed = await store.list({ where: filter, limit: 10 });
      const queried = await store.query({ identity: model, vector: vec(1, 1), k: 10, where: filter });
      const said = JSON.stringify(filter);
      assert.deepEqual(
        listed.map(({ id }) => id),
        expected,
        said,
      );
      assert.deepEqual(queried.map(({ id }) => id).sort(), expected, said);
      assert.equal(await store.count(filter), expected.length, said);
    }
    const unknown: Filter = { kind: "exists", field: "nowhere" };
    await assert.rejects(store.count(unknown), refuses(/no field "nowhere"/));
  });

  each("lists by a field, items without it last", async (store) => {
    await fill(store);
    const ids = async (descending: boolean, offset = 0) =>
      (await store.list({ order: { field: "width", descending }, limit: 2, offset })).map(({ id }) => id);
    assert.deepEqual(await ids(false), ["south", "east"]);
    assert.deepEqual(await ids(true), ["east", "south"]);
    assert.deepEqual(await ids(true, 2), ["north"]);
    const [first] = await store.list({ limit: 1, identity: model });
    assert.deepEqual([...(first?.vectors?.[model] ?? [])], [1, 0]);
  });

  each("scans all that is meant", async (store) => {
    await fill(store);
    await store.upsert([{ id: "new", fields: { path: "b/new.jpg" } }]);
    const scan = async (options?: Parameters<Store["scan"]>[0]): Promise<Item[]> => {
      const found: Item[] = [];
      for await (const part of store.scan(options)) found.push(...part);
      return found.sort((a, b) => (a.id < b.id ? -1 : 1));
    };
    assert.deepEqual(await scan(), await store.list({ limit: 9 }));
    assert.deepEqual(await scan({ identity: model }), await store.list({ limit: 9, identity: model }));
    assert.deepEqual(await scan({ lacking: model, fields: [] }), [{ id: "new", fields: {} }]);
    const where: Filter = { kind: "starts", field: "path", text: "a/" };
    assert.deepEqual(await scan({ where, fields: ["width", "camera"] }), [
      { id: "east", fields: { width: 640 } },
    ]);
    await assert.rejects(scan({ fields: ["nowhere"] }), refuses(/no field "nowhere"/));
    await assert.rejects(scan({ identity: other }), refuses());
  });

  each("lists what a set lacks", async (store) => {
    await fill(store);
    await store.upsert([{ id: "new", fields: { path: "b/new.jpg" } }]);
    const lacking = await store.list({ lacking: model, limit: 9 });
    assert.deepEqual(
      lacking.map(({ id }) => id),
      ["new"],
    );
    const where: Filter = { kind: "starts", field: "path", text: "a/" };
    assert.deepEqual(await store.list({ lacking: model, where, limit: 9 }), []);
    await assert.rejects(store.list({ lacking: other, limit: 9 }), refuses());
  });

  each("deletes items with all their vectors", async (store) => {
    await fill(store);
    await store.delete(["east", "nobody"]);
    assert.equal(await store.count(), 2);
    const hits = await store.query({ identity: model, vector: vec(1, 0), k: 9 });
    assert.ok(!hits.some(({ id }) => id === "east"));
    const [set] = await store.sets();
    assert.equal(set?.count, 2);
  });

  each("a dropped set takes its vectors along and leaves the items", async (store) => {
    await fill(store);
    await store.dropSet(model);
    await store.dropSet(model);
    assert.deepEqual(await store.sets(), []);
    assert.equal(await store.count(), 3);
    await store.addSet({ identity: model, dim: 5 });
    assert.equal((await store.sets())[0]?.count, 0);
  });

  each("keeps documents", async (store) => {
    assert.equal(await store.readDocument("collection"), undefined);
    await store.writeDocument("collection", { folders: ["фото"], n: 1 });
    await store.writeDocument("collection", { folders: ["фото"], n: 2 });
    assert.deepEqual(await store.readDocument("collection"), { folders: ["фото"], n: 2 });
    await store.writeDocument("collection", undefined);
    assert.equal(await store.readDocument("collection"), undefined);
  });

  each("texts of any kind are kept as they are", async (store) => {
    await store.addSet({ identity: model, dim: 2 });
    for (const text of [
      "it's",
      'say "hi"',
      "50 % _ \\",
      "Фото/день 1.jpg",
      "🐕",
      "; drop table items",
      "a\nb",
    ]) {
      await store.upsert([{ id: text, fields: { text }, vectors: { [model]: vec(1, 0) } }]);
      const where: Filter = { kind: "compare", field: "text", by: "=", value: text };
      assert.deepEqual(
        (await store.list({ where, limit: 2 })).map(({ id }) => id),
        [text],
      );
      for (const kind of ["starts", "contains"] as const)
        assert.ok((await store.count({ kind, field: "text", text })) >= 1, text);
      assert.deepEqual((await store.get([text]))[0]?.fields, { text });
      await store.delete([text]);
      assert.equal(await store.count(), 0);
    }
  });

  each("writes that overlap are all kept", async (store) => {
    await store.addSet({ identity: model, dim: 2 });
    await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        store.upsert([{ id: `item ${i}`, fields: { i }, vectors: { [model]: vec(1, i) } }]),
      ),
    );
    assert.equal(await store.count(), 20);
  });

  each("what compact makes is searched as well as before", async (store) => {
    const dim = 16;
    const rng = random(7);
    const row = () => Float32Array.from({ length: dim }, () => rng.normal());
    await store.addSet({ identity: model, dim });
    const rows = Array.from({ length: 600 }, (_, i) => ({ id: `i${i}`, vector: row() }));
    await store.upsert(
      rows.map(({ id, vector }, i) => ({ id, fields: { i }, vectors: { [model]: vector } })),
    );
    await store.compact();
    const vector = row();
    const exact = await store.query({ identity: model, vector, k: 10, exact: true });
    const found = await store.query({ identity: model, vector, k: 10 });
    const ids = new Set(exact.map(({ id }) => id));
    assert.ok(found.filter(({ id }) => ids.has(id)).length >= 9);
    const others = [row(), vector, row()];
    const many = await store.queryMany(others, { identity: model, k: 10 });
    assert.deepEqual(many[1], found);
    const late = { id: "late", fields: { i: 999 }, vectors: { [model]: vector } };
    await store.upsert([late]);
    assert.equal((await store.query({ identity: model, vector, k: 1 }))[0]?.id, "late");
  });

  if (opener.indexes === true)
    each(
      "finds through an index what comparing everything finds; what comes and goes later counts",
      async (store) => {
        const [dim, count] = [16, 12_000];
        const rng = random(8);
        const row = () => Float32Array.from({ length: dim }, () => rng.normal());
        await store.addSet({ identity: model, dim });
        for (let from = 0; from < count; from += 4000)
          await store.upsert(
            Array.from({ length: 4000 }, (_, i) => ({
              id: `i${from + i}`,
              fields: { group: (from + i) % 100 },
              vectors: { [model]: row() },
            })),
          );
        await store.compact();
        const index = (await store.sets())[0]?.index;
        assert.ok(index !== undefined && index.recall > 0.95 && index.outside === 0, JSON.stringify(index));
        const where: Filter = { kind: "compare", field: "group", by: "=", value: 7 };
        let [all, filtered] = [0, 0];
        for (let i = 0; i < 20; i++) {
          const query = { identity: model, vector: row(), k: 10 };
          for (const options of [{}, { where }]) {
            const truth = await store.query({ ...query, ...options, exact: true });
            const found = await store.query({ ...query, ...options });
            assert.equal(found.length, 10);
            const scores = new Map(truth.map(({ id, score }) => [id, score]));
            const hits = found.filter(({ id }) => scores.has(id)).length;
            for (const { id, score } of found)
              if (scores.has(id)) assert.ok(Math.abs(score - scores.get(id)!) < 1e-5, `${score}`);
            if ("where" in options) {
              filtered += hits;
              assert.ok(found.every(({ fields }) => fields["group"] === 7));
            } else all += hits;
          }
        }
        assert.ok(all >= 190 && filtered >= 190, `${all} and ${filtered} of 200`);
        const vector = row();
        await store.upsert([{ id: "late", fields: { group: 0 }, vectors: { [model]: vector } }]);
        assert.equal((await store.query({ identity: model, vector, k: 1 }))[0]?.id, "late");
        await store.delete(["late"]);
        assert.notEqual((await store.query({ identity: model, vector, k: 1 }))[0]?.id, "late");

        const compacting = store.compact();
        const more = Array.from({ length: 300 }, (_, i) => ({
          id: `more ${i}`,
          fields: { group: 7 },
          vectors: { [model]: row() },
        }));
        await store.upsert(more);
        await compacting;
        await store.compact();
        const grown = (await store.sets())[0];
        assert.equal(grown?.count, count + more.length);
        assert.ok(grown?.index !== undefined && grown.index.recall > 0.95, JSON.stringify(grown));
        assert.equal(grown.index.outside, 0);
        for (const { id, vectors } of more.slice(0, 20)) {
          const query = { identity: model, vector: vectors[model]!, k: 1 };
          assert.equal((await store.query(query))[0]?.id, id);
          assert.equal((await store.query({ ...query, where }))[0]?.id, id);
        }
      },
    );

  each("says that it is closed", async (store) => {
    await store.close();
    await assert.rejects(store.count(), { code: "usage" });
    await store.close();
  });

  const { reopen } = opener;
  if (reopen !== undefined)
    each("vectors that another handle dropped are not there", async (store) => {
      await fill(store);
      const second = await reopen(store);
      try {
        await second.dropSet(model);
        const gone = { code: "input", message: /no vectors of the model/ };
        await assert.rejects(store.query({ identity: model, vector: vec(1, 0), k: 1 }), gone);
        await assert.rejects(store.get(["east"], model), gone);
        await assert.rejects(store.list({ limit: 1, lacking: model }), gone);
        await assert.rejects(store.scan({ identity: model })[Symbol.asyncIterator]().next(), gone);
        assert.equal((await store.get(["east"]))[0]?.id, "east");
      } finally {
        await second.close();
      }
    });
  if (reopen !== undefined)
    each("what two handles write at the same time is all kept", async (store) => {
      await store.addSet({ identity: model, dim: 2 });
      const second = await reopen(store);
      try {
        const before = await store.version();
        await second.upsert([{ id: "shared 0", fields: {} }]);
        assert.notEqual(await store.version(), before);
        const shared = Array.from({ length: 10 }, (_, i) => `shared ${i}`);
        const write = (handle: Store, from: string, ids: readonly string[]): Promise<void> =>
          handle.upsert(ids.map((id) => ({ id, fields: { from }, vectors: { [model]: vec(1, 1) } })));
        await Promise.all(
          Array.from({ length: 8 }, (_, i) => [
            write(store, "first", [...shared, `first ${i}`]),
            write(second, "second", [`second ${i}`, ...shared.toReversed()]),
          ]).flat(),
        );
        assert.equal(await store.count(), 26);
        assert.equal(await second.count(), 26);
        assert.equal((await second.sets())[0]?.count, 26);
      } finally {
        await second.close();
      }
    });
  if (reopen !== undefined)
    each("opened again, everything is there", async (store) => {
      await fill(store);
      await store.writeDocument("d", [1]);
      await store.close();
      const again = await reopen(store);
      try {
        assert.equal(await again.count(), 3);
        assert.deepEqual(
          (await again.sets()).map(({ identity, dim, count }) => [identity, dim, count]),
          [[model, 2, 3]],
        );
        assert.equal((await again.query({ identity: model, vector: vec(1, 0), k: 1 }))[0]?.id, "east");
        assert.equal((await again.fields())["taken"], "date");
        assert.deepEqual(await again.readDocument("d"), [1]);
      } finally {
        await again.close();
      }
    });
}

const vec = (x: number, y: number): Float32Array => Float32Array.of(x, y);

/** By id. */
const items: readonly Item[] = [
  {
    id: "east",
    fields: { path: "a/east.jpg", width: 640, shared: true, taken: Date.UTC(2020, 5, 1, 12) },
    vectors: { [model]: vec(1, 0) },
  },
  { id: "north", fields: { path: "b/north.jpg", camera: "X100's" }, vectors: { [model]: vec(0, 1) } },
  {
    id: "south",
    fields: { path: "b/south.jpg", width: 320.5, shared: false },
    vectors: { [model]: vec(0, -1) },
  },
];

async function fill(store: Store): Promise<void> {
  await store.addSet({ identity: model, dim: 2 });
  await store.declare({ taken: "date" });
  await store.upsert(items);
}

const refuses = (message = /./) => ({ name: "CliptError", code: "input", message });

const filters: readonly Filter[] = [
  { kind: "compare", field: "width", by: ">", value: 320.5 },
  { kind: "compare", field: "width", by: "!=", value: 640 },
  { kind: "compare", field: "taken", by: "<=", value: Date.UTC(2020, 5, 1, 12) },
  { kind: "compare", field: "shared", by: "=", value: false },
  { kind: "compare", field: "path", by: "<", value: "b" },
  { kind: "compare", field: "camera", by: "=", value: "X100's" },
  { kind: "in", field: "path", values: ["a/east.jpg", "b/south.jpg", "nowhere"] },
  { kind: "in", field: "path", values: [] },
  { kind: "starts", field: "path", text: "b/" },
  { kind: "contains", field: "path", text: "out" },
  { kind: "exists", field: "camera" },
  { kind: "not", of: { kind: "compare", field: "width", by: ">", value: 500 } },
  { kind: "not", of: { kind: "exists", field: "width" } },
  { kind: "and", of: [] },
  { kind: "or", of: [] },
  {
    kind: "and",
    of: [
      { kind: "starts", field: "path", text: "b/" },
      {
        kind: "or",
        of: [
          { kind: "exists", field: "camera" },
          { kind: "compare", field: "width", by: "<", value: 100 },
        ],
      },
    ],
  },
];

import assert from "node:assert/strict";
import {
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  mkdirSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { sha256, startHub, type HubServer } from "../../../test/hub-server.js";
import { CliptError, random } from "../../tensor/index.js";
import { cachedRepositories, removeCached } from "./cache.js";
import { findPulled } from "./find-pulled.js";
import { pull, type PullOptions } from "./pull.js";
import type { HubSettings } from "./settings.js";

const repository = { name: "owner/tiny", revision: "main" };
const rng = random("weights");
const weights = Uint8Array.from({ length: 200_000 }, () => rng.int(256));
const weightsSha = sha256(weights);
const files = new Map<string, Uint8Array>([
  ["README.md", new TextEncoder().encode("# Not needed")],
  ["config.json", new TextEncoder().encode('{"model_type":"clip"}')],
  ["tokenizer.json", new TextEncoder().encode("{}")],
  ["model.safetensors", weights],
  ["pytorch_model.bin", new Uint8Array(300_000)],
]);
const needed = ["config.json", "tokenizer.json", "model.safetensors"];

interface Setting {
  readonly hub: HubServer;
  readonly settings: HubSettings;
  readonly blob: string;
  readonly pull: (options?: Partial<PullOptions>) => ReturnType<typeof pull>;
}

async function begin(t: TestContext): Promise<Setting> {
  const cache = mkdtempSync(join(tmpdir(), "clipt-hub-"));
  const hub = await startHub(repository.name, files);
  t.after(async () => {
    await hub.close();
    rmSync(cache, { recursive: true });
  });
  const settings = { endpoint: hub.url, cache, token: undefined, offline: false };
  const blob = join(cache, "models--owner--tiny", "blobs", weightsSha);
  return { hub, settings, blob, pull: (options = {}) => pull(repository, { settings, ...options }) };
}

const refused = (code: string, message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof CliptError, String(error));
  assert.equal(error.code, code, error.message);
  assert.match(error.message, message);
  return true;
};

test("the needed files land in the layout that all clients of the hub share", async (t) => {
  const { hub, settings, pull } = await begin(t);
  const told: number[] = [];
  const pulled = await pull({ onProgress: ({ done }) => told.push(done) });
  const base = join(settings.cache, "models--owner--tiny");
  assert.equal(pulled.folder, join(base, "snapshots", hub.commit));
  assert.deepEqual([...pulled.files].sort(), [...needed].sort());
  assert.deepEqual(readdirSync(pulled.folder).sort(), [...needed].sort());
  for (const name of needed) {
    assert.ok(lstatSync(join(pulled.folder, name)).isSymbolicLink());
    assert.deepEqual(new Uint8Array(readFileSync(join(pulled.folder, name))), files.get(name));
  }
  assert.equal(readFileSync(join(base, "refs", "main"), "utf8"), hub.commit);
  // Blobs go by SHA-256 in large-file storage, and by git's SHA-1 elsewhere.
  const blobs = readdirSync(join(base, "blobs"));
  assert.equal(blobs.length, 3);
  assert.ok(blobs.includes(weightsSha));
  assert.ok(blobs.filter((name) => /^[0-9a-f]{40}$/.test(name)).length === 2);
  assert.equal(told.at(-1), pulled.bytes);
  assert.deepEqual(
    hub.stored().map(({ path }) => path),
    ["/model.safetensors"],
  );
  assert.deepEqual((await findPulled(repository, settings))?.folder, pulled.folder);
  const again = hub.stored().length;
  await pull();
  assert.equal(hub.stored().length, again, "nothing is downloaded twice");
  assert.deepEqual(
    (await cachedRepositories(settings.cache)).map(({ name }) => name),
    ["owner/tiny"],
  );
  await removeCached(settings.cache, "owner/tiny");
  assert.equal(await findPulled(repository, settings), undefined);
  await assert.rejects(removeCached(settings.cache, "owner/tiny"), refused("missing", /not in the cache/));
});

test("what an earlier run left is continued by a range", async (t) => {
  const { hub, blob, pull } = await begin(t);
  mkdirSync(join(blob, ".."), { recursive: true });
  writeFileSync(`${blob}.incomplete`, weights.subarray(0, 80_000));
  const { folder } = await pull();
  assert.deepEqual(
    hub.stored().map(({ range }) => range),
    ["bytes=80000-199999"],
  );
  assert.equal(sha256(readFileSync(join(folder, "model.safetensors"))), weightsSha);
  assert.ok(!existsSync(`${blob}.incomplete`));
});

test("a connection that breaks is taken up where it broke", async (t) => {
  const { hub, pull } = await begin(t);
  Object.assign(hub.behaviour, { breakAt: 90_000, breaks: 1 });
  const pulling = pull();
  const timer = setInterval(() => {
    if (hub.stored().length > 0) hub.behaviour.breaks = 0;
  }, 5);
  const { folder } = await pulling.finally(() => clearInterval(timer));
  assert.equal(sha256(readFileSync(join(folder, "model.safetensors"))), weightsSha);
  const [first, second] = hub.stored().map(({ range }) => range);
  assert.equal(first, undefined);
  assert.match(second ?? "", /^bytes=\d+-199999$/);
});

test("a server without ranges is read from the start again", async (t) => {
  const { hub, blob, pull } = await begin(t);
  hub.behaviour.noRanges = true;
  mkdirSync(join(blob, ".."), { recursive: true });
  writeFileSync(`${blob}.incomplete`, weights.subarray(0, 80_000));
  const { folder } = await pull();
  assert.equal(sha256(readFileSync(join(folder, "model.safetensors"))), weightsSha);
});

test("a wrong checksum or size is refused and removed, and the name never appears", async (t) => {
  const { hub, blob, settings, pull } = await begin(t);
  hub.behaviour.corrupt = true;
  await assert.rejects(
    pull(),
    refused("format", /model\.safetensors: its sha256 is [0-9a-f]{64}, [0-9a-f]{64} was announced.*removed/),
  );
  assert.deepEqual([existsSync(blob), existsSync(`${blob}.incomplete`)], [false, false]);
  assert.equal(await findPulled(repository, settings), undefined);
  hub.behaviour.corrupt = false;
  await pull();
  assert.ok(existsSync(blob));
});

test("a file of another size than announced is refused and removed", async (t) => {
  const { hub, blob, pull } = await begin(t);
  hub.behaviour.short = 1_000;
  await assert.rejects(pull(), refused("format", /199000 bytes arrived, 200000 were announced.*removed/));
  assert.deepEqual([existsSync(blob), existsSync(`${blob}.incomplete`)], [false, false]);
  hub.behaviour.short = -1_000;
  await assert.rejects(pull(), refused("format", /more than the announced 200000 bytes/));
  assert.deepEqual([existsSync(blob), existsSync(`${blob}.incomplete`)], [false, false]);
});

test("a damaged remainder of an earlier run is thrown away once", async (t) => {
  const { hub, blob, pull } = await begin(t);
  mkdirSync(join(blob, ".."), { recursive: true });
  writeFileSync(`${blob}.incomplete`, new Uint8Array(80_000));
  const { folder } = await pull();
  assert.equal(sha256(readFileSync(join(folder, "model.safetensors"))), weightsSha);
  assert.deepEqual(
    hub.stored().map(({ range }) => range),
    ["bytes=80000-199999", undefined],
  );
});

test("offline the cache is used, and what it lacks is named", async (t) => {
  const { hub, settings, pull } = await begin(t);
  const offline = { ...settings, offline: true };
  await assert.rejects(
    pull({ settings: offline }),
    refused("missing", /not in the cache.*HF_HUB_OFFLINE.*models pull owner\/tiny/),
  );
  const { folder } = await pull();
  await hub.close();
  assert.equal((await findPulled(repository, offline))?.folder, folder);
  await assert.rejects(
    pull(),
    refused("io", /cannot be reached \(ECONNREFUSED\).*HF_ENDPOINT.*HF_HUB_OFFLINE=1/),
  );
});

test("401 and 403 say what to set, and the token goes to the hub alone", async (t) => {
  const { hub, settings, pull } = await begin(t);
  hub.behaviour.token = "a token";
  await assert.rejects(pull(), refused("io", /private, gated or not there.*set HF_TOKEN/));
  const wrong = { ...settings, token: "another" };
  await assert.rejects(
    pull({ settings: wrong }),
    refused("io", /may not be read with this token.*Set HF_TOKEN/),
  );
  await pull({ settings: { ...settings, token: "a token" } });
  assert.deepEqual(
    hub.stored().map(({ authorization }) => authorization),
    [undefined],
  );
  hub.behaviour.gated = true;
  await assert.rejects(
    pull(),
    refused("io", /gated: accept its terms on http.*owner\/tiny, then set HF_TOKEN/),
  );
});

test("404 names what is near, and a revision that is not there", async (t) => {
  const { settings } = await begin(t);
  await assert.rejects(
    pull({ name: "laion/CLIP-ViT-B-32-laion2B-s34B-b79k2", revision: "main" }, { settings }),
    refused("missing", /no repository laion.*did you mean laion\/CLIP-ViT-B-32-laion2B-s34B-b79K/),
  );
  await assert.rejects(
    pull({ ...repository, revision: "v9" }, { settings }),
    refused("missing", /no revision "v9"/),
  );
  const { folder } = await pull({ ...repository, revision: "v1" }, { settings });
  assert.equal((await findPulled({ ...repository, revision: "v1" }, settings))?.folder, folder);
});

test("mirrors without a list of files tell size and checksum with each file", async (t) => {
  const { hub, blob, pull } = await begin(t);
  Object.assign(hub.behaviour, { noTree: true, busy: 2 });
  const { folder } = await pull();
  assert.equal(sha256(readFileSync(join(folder, "model.safetensors"))), weightsSha);
  assert.ok(existsSync(blob));
});

test("a download is stopped by its signal and keeps what arrived", async (t) => {
  const { hub, blob, pull } = await begin(t);
  hub.behaviour.holdAt = 100_000;
  const controller = new AbortController();
  const timer = setInterval(() => {
    if (existsSync(`${blob}.incomplete`) && lstatSync(`${blob}.incomplete`).size === 100_000)
      controller.abort(new Error("enough"));
  }, 10);
  const pulling = pull({ signal: controller.signal }).finally(() => clearInterval(timer));
  await assert.rejects(pulling, /enough/);
  assert.ok(lstatSync(`${blob}.incomplete`).size === 100_000);
  assert.deepEqual(readdirSync(join(blob, "..", "..", "..", ".locks", "models--owner--tiny")), []);
});

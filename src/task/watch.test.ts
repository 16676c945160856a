import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import fs, { mkdirSync, mkdtempSync, renameSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { realpath } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { after, before, describe, test } from "node:test";
import { drawnPicture } from "../../test/made-data.js";
import { writeSmallModel } from "../../test/small-model.js";
import { openStore } from "../store/index.js";
import { openServices, type Services } from "./services.js";
import { watch } from "./watch.js";

describe("clipt watch", () => {
  let root = "";
  let services: Services;
  const at = (...parts: string[]): string => join(root, ...parts);
  const names = async (db = "db"): Promise<string[]> => {
    const store = await openStore(at(db));
    const items = await store.list({ limit: 100 });
    await store.close();
    return items.map(({ id }) => basename(id)).sort();
  };
  /** Waits for what the watcher will have done soon. */
  const soon = async (expected: readonly string[], db = "db"): Promise<void> => {
    for (let tries = 0; tries < 120; tries++) {
      if (JSON.stringify(await names(db)) === JSON.stringify(expected)) return;
      await wait(250);
    }
    assert.deepEqual(await names(db), expected);
  };

  before(async () => {
    root = await realpath(mkdtempSync(join(tmpdir(), "clipt-watch-")));
    await writeSmallModel(at("model"));
    mkdirSync(at("photos", "trip"), { recursive: true });
    for (const i of [1, 2, 3]) writeFileSync(at("photos", "trip", `${i}.png`), await drawnPicture(i));
    writeFileSync(at("photos", ".cliptignore"), "private/\n");
    services = openServices({ decodeWorkers: 1 });
  });
  after(async () => {
    await services.close();
    rmSync(root, { recursive: true, force: true });
  });

  /** Starts it; what it says can be waited for. */
  const start = (options: Partial<Parameters<typeof watch>[0]> = {}) => {
    const stop = new AbortController();
    const said: string[] = [];
    const ended = watch(
      { folders: [at("photos")], db: at("db"), model: at("model"), ...options },
      {
        services,
        signal: stop.signal,
        emit: (event) => {
          if (event.kind === "note" || event.kind === "warning") said.push(event.message);
        },
      },
    );
    const says = async (text: RegExp): Promise<void> => {
      for (let tries = 0; tries < 120 && !said.some((line) => text.test(line)); tries++) await wait(250);
      assert.match(said.join("\n"), text);
    };
    return { says, end: async () => (stop.abort(), ended) };
  };

  test("follows new, changed, renamed and deleted files, and a folder that goes away and comes back", async () => {
    const { says, end } = start();
    await says(/Watching/);
    await soon(["1.png", "2.png", "3.png"]);

    writeFileSync(at("photos", "new.png"), await drawnPicture(4));
    mkdirSync(at("photos", "private"));
    writeFileSync(at("photos", "private", "secret.png"), await drawnPicture(5));
    unlinkSync(at("photos", "trip", "3.png"));
    await soon(["1.png", "2.png", "new.png"]);

    renameSync(at("photos", "trip"), at("photos", "journey"));
    await says(/2 moved or copied/);
    await says(/2 deleted/);
    await soon(["1.png", "2.png", "new.png"]);

    renameSync(at("photos"), at("unplugged"));
    await says(/photos is away/);
    await wait(2500);
    assert.deepEqual(await names(), ["1.png", "2.png", "new.png"]);
    unlinkSync(at("unplugged", "new.png"));
    renameSync(at("unplugged"), at("photos"));
    await says(/photos is back/);
    await soon(["1.png", "2.png"]);
    writeFileSync(at("photos", "late.png"), await drawnPicture(6));
    await soon(["1.png", "2.png", "late.png"]);

    const { added, pictures } = await end();
    assert.deepEqual([added, pictures], [5, 3]);
  });

  describe("where the system tells nothing, as on network shares", () => {
    const told = fs.watch;
    before(() => {
      fs.watch = (() => Object.assign(new EventEmitter(), { close() {} })) as unknown as typeof fs.watch;
      syncBuiltinESMExports();
    });
    after(() => {
      fs.watch = told;
      syncBuiltinESMExports();
    });

    test("--poll looks for new, changed and deleted files itself", async () => {
      mkdirSync(at("share", "trip"), { recursive: true });
      writeFileSync(at("share", "trip", "old.png"), await drawnPicture(11));
      const { says, end } = start({ folders: [at("share")], db: at("share.db"), poll: true, pollSeconds: 1 });
      await says(/Watching/);
      await soon(["old.png"], "share.db");
      writeFileSync(at("share", "trip", "new.png"), await drawnPicture(12));
      await soon(["new.png", "old.png"], "share.db");
      writeFileSync(at("share", "trip", "old.png"), await drawnPicture(13));
      unlinkSync(at("share", "trip", "new.png"));
      await soon(["old.png"], "share.db");
      const { added, deleted } = await end();
      assert.deepEqual([added, deleted], [3, 1]);
    });

    test("what nobody has told is found when everything is looked through", async (t) => {
      mkdirSync(at("quiet"));
      writeFileSync(at("quiet", "old.png"), await drawnPicture(14));
      const { says, end } = start({ folders: [at("quiet")], db: at("quiet.db"), rescanMinutes: 1 });
      await says(/Watching/);
      writeFileSync(at("quiet", "new.png"), await drawnPicture(15));
      await wait(3000);
      assert.deepEqual(await names("quiet.db"), ["old.png"]);
      const now = Date.now.bind(Date);
      t.mock.method(Date, "now", () => now() + 61_000);
      await soon(["new.png", "old.png"], "quiet.db");
      await end();
    });
  });
});

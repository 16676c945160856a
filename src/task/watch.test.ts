import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, renameSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { realpath } from "node:fs/promises";
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
  const names = async (): Promise<string[]> => {
    const store = await openStore(at("db"));
    const items = await store.list({ limit: 100 });
    await store.close();
    return items.map(({ id }) => basename(id)).sort();
  };
  /** Waits for what the watcher will have done soon. */
  const soon = async (expected: readonly string[]): Promise<void> => {
    for (let tries = 0; tries < 120; tries++) {
      if (JSON.stringify(await names()) === JSON.stringify(expected)) return;
      await wait(250);
    }
    assert.deepEqual(await names(), expected);
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

  test("follows new, changed, renamed and deleted files, and a folder that goes away and comes back", async () => {
    const stop = new AbortController();
    const said: string[] = [];
    const ended = watch(
      { folders: [at("photos")], db: at("db"), model: at("model") },
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

    stop.abort();
    const { added, pictures } = await ended;
    assert.deepEqual([added, pictures], [5, 3]);
  });
});

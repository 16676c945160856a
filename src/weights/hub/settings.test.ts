import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { hubSettings } from "./settings.js";

test("folders, address, token and offline mode follow the hub's variables", (t) => {
  const home = mkdtempSync(join(tmpdir(), "clipt-hub-"));
  t.after(() => rmSync(home, { recursive: true }));
  const HOME = home;
  const standard = join(home, ".cache", "huggingface");
  assert.deepEqual(hubSettings({ HOME }), {
    endpoint: "https://huggingface.co",
    cache: join(standard, "hub"),
    token: undefined,
    offline: false,
  });
  assert.equal(hubSettings({ HOME, XDG_CACHE_HOME: "/x" }).cache, join("/x", "huggingface", "hub"));
  assert.equal(hubSettings({ HOME, HF_HOME: "~/hf" }).cache, join(home, "hf", "hub"));
  assert.equal(hubSettings({ HOME, HF_HOME: "/hf", HF_HUB_CACHE: "/cache" }).cache, "/cache");
  assert.equal(hubSettings({ HOME, HF_ENDPOINT: "http://mirror:8080/" }).endpoint, "http://mirror:8080");
  assert.equal(hubSettings({ HOME, HF_HUB_OFFLINE: "1" }).offline, true);
  assert.equal(hubSettings({ HOME, HF_HUB_OFFLINE: "0" }).offline, false);
  mkdirSync(standard, { recursive: true });
  writeFileSync(join(standard, "token"), "hf_file\n");
  assert.equal(hubSettings({ HOME }).token, "hf_file");
  assert.equal(hubSettings({ HOME, HF_TOKEN: "hf_variable" }).token, "hf_variable");
});

import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { testStore } from "../store-suite.js";
import { lanceStore } from "./store.js";

testStore("LanceDB", {
  create: async () => lanceStore(await mkdtemp(join(tmpdir(), "clipt-lance-"))),
  reopen: (closed) => lanceStore(closed.url),
  indexes: true,
});

import { homedir, platform } from "node:os";
import { join } from "node:path";
import type { Store } from "./store.js";

/** An engine by the beginning of its URLs. It is loaded when it is used. */
interface Engine {
  readonly owns: (url: string) => boolean;
  readonly open: (url: string) => Promise<Store>;
}

/** The first that owns a URL opens it; a path is a folder of LanceDB. */
const engines: readonly Engine[] = [
  { owns: (url) => url === "memory:", open: async () => (await import("./memory.js")).memoryStore() },
  {
    owns: (url) => /^postgres(ql)?:\/\//.test(url),
    open: async (url) => (await import("./postgres/store.js")).postgresStore(url),
  },
  { owns: () => true, open: async (url) => (await import("./lance/store.js")).lanceStore(url) },
];

/**
 * Opens the store at a URL, and makes it when there is none: a folder, `s3://…`, `postgres://…`, `memory:`.
 *
 * @throws `io` when the place cannot be used
 */
export async function openStore(url: string): Promise<Store> {
  return engines.find(({ owns }) => owns(url))!.open(url);
}

/** Where the index lies when nobody says: not in the cache folder, because it holds what people told it. */
export function defaultStore(env: NodeJS.ProcessEnv = process.env): string {
  if (env.XDG_DATA_HOME !== undefined && env.XDG_DATA_HOME !== "")
    return join(env.XDG_DATA_HOME, "clipt", "index");
  if (platform() === "darwin") return join(homedir(), "Library", "Application Support", "clipt", "index");
  if (platform() === "win32") return join(env.LOCALAPPDATA ?? homedir(), "clipt", "index");
  return join(homedir(), ".local", "share", "clipt", "index");
}

import { homedir, platform } from "node:os";
import { join } from "node:path";
import { CliptError } from "../tensor/index.js";
import { holdsStore } from "./lance/place.js";
import type { Store } from "./store.js";

/** An engine by the beginning of its URLs. It is loaded when it is used. */
interface Engine {
  readonly owns: (url: string) => boolean;
  readonly open: (url: string) => Promise<Store>;
  /** Whether there is something to open; an engine that cannot tell cheaply opens it. */
  readonly holds?: (url: string) => boolean;
}

/** The first that owns a URL opens it; a path is a folder of LanceDB. */
const engines: readonly Engine[] = [
  { owns: (url) => url === "memory:", open: async () => (await import("./memory.js")).memoryStore() },
  {
    owns: (url) => /^postgres(ql)?:\/\//.test(url),
    open: async (url) => (await import("./postgres/store.js")).postgresStore(url),
  },
  {
    owns: () => true,
    open: async (url) => (await import("./lance/store.js")).lanceStore(url),
    holds: holdsStore,
  },
];

/**
 * Opens the store at a URL, and makes it when there is none: a folder, `s3://…`, `postgres://…`, `memory:`.
 *
 * @param make false to open only what is there
 * @throws `io` when the place cannot be used, `missing` when nothing is there that is not to be made
 */
export async function openStore(url: string, { make = true } = {}): Promise<Store> {
  const { open, holds } = engines.find(({ owns }) => owns(url))!;
  if (!make && holds?.(url) === false)
    throw new CliptError("missing", `There is no index at ${url}. Make one with \`clipt index FOLDER\`.`);
  return open(url);
}

/** Where the index lies when nobody says: not in the cache folder, because it holds what people told it. */
export function defaultStore(env: NodeJS.ProcessEnv = process.env): string {
  if (env.XDG_DATA_HOME !== undefined && env.XDG_DATA_HOME !== "")
    return join(env.XDG_DATA_HOME, "clipt", "index");
  if (platform() === "darwin") return join(homedir(), "Library", "Application Support", "clipt", "index");
  if (platform() === "win32") return join(env.LOCALAPPDATA ?? homedir(), "clipt", "index");
  return join(homedir(), ".local", "share", "clipt", "index");
}

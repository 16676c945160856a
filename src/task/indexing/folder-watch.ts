import { basename } from "node:path";
import { watch as observe, type FSWatcher } from "chokidar";
import { messageOf } from "../../tensor/index.js";
import { isPicture } from "../../train/data/sample.js";
import { isBelow } from "./index-folders.js";
import { leaveOutBelow } from "./leave-out.js";

/** A file counts as written when it has not grown for this long. */
const settledMs = 1000;
/** What is gone may be there under another name, once that has settled: its vector has to be there then. */
const goneMs = 3 * settledMs;

/** Collects the paths below folders that the system says have changed, once they are written entirely. */
export class FolderWatch {
  private watcher: FSWatcher;
  private isReady: Promise<void>;
  /** When each path is told, milliseconds since 1970. */
  private readonly changed = new Map<string, number>();

  /** @param warn is told what keeps the system from telling changes */
  constructor(
    private readonly roots: readonly string[],
    private readonly options: {
      readonly ignore: readonly string[];
      readonly poll: boolean;
      readonly pollSeconds: number;
    },
    private readonly warn: (message: string) => void,
  ) {
    [this.watcher, this.isReady] = this.start();
  }

  /** Resolves once every change from now on is noticed. */
  ready(): Promise<void> {
    return this.isReady;
  }

  /** Begins anew: a folder that was away is another one for the system. */
  async again(): Promise<void> {
    await this.watcher.close();
    [this.watcher, this.isReady] = this.start();
    await this.isReady;
  }

  /** The paths since the last time. */
  take(): string[] {
    const now = Date.now();
    const paths = [...this.changed].flatMap(([path, due]) => (due <= now ? [path] : []));
    for (const path of paths) this.changed.delete(path);
    return paths;
  }

  rootOf(path: string): string {
    return this.roots.find((root) => isBelow(path, root)) ?? path;
  }

  close(): Promise<void> {
    return this.watcher.close();
  }

  private start(): [FSWatcher, Promise<void>] {
    const rules = new Map(this.roots.map((root) => [root, leaveOutBelow(root, this.options.ignore)]));
    const watcher = observe([...this.roots], {
      ignoreInitial: true,
      usePolling: this.options.poll,
      interval: 1000 * this.options.pollSeconds,
      binaryInterval: 1000 * this.options.pollSeconds,
      awaitWriteFinish: { stabilityThreshold: settledMs, pollInterval: 200 },
      ignored: (path, info) => {
        if (this.roots.includes(path)) return false;
        if (basename(path).startsWith(".")) return true;
        if (info?.isFile() === true && !isPicture(path)) return true;
        return rules.get(this.rootOf(path))?.leavesOut(path, info?.isDirectory() ?? false) ?? false;
      },
    });
    watcher.on("all", (event, path) => {
      if (event !== "addDir") this.changed.set(path, Date.now() + (event.startsWith("unlink") ? goneMs : 0));
    });
    let told = false;
    watcher.on("error", (error) => {
      if (!told)
        this.warn(`Some changes may be seen late (${messageOf(error)}); --poll looks for them itself.`);
      told = true;
    });
    return [watcher, new Promise((resolve) => watcher.once("ready", resolve))];
  }
}

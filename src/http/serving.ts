import type { Collection } from "../task/collection/collection.js";
import type { Jobs } from "./jobs.js";
import type { Limits } from "./limits.js";
import type { Metrics } from "./metrics.js";
import type { Queue } from "./queue.js";
import type { SharedServices } from "./shared-services.js";
import type { Thumbnails } from "./thumbnails.js";

/** What the routes share. */
export interface Serving {
  readonly version: string;
  readonly limits: Limits;
  /** The index that is served; whoever encodes asks the shared services for their part. */
  readonly collection: Collection;
  readonly shared: SharedServices;
  /** The fields of tasks that name the index and the model: the server's, whatever a client says. */
  readonly choice: Readonly<Record<string, unknown>>;
  /** Real paths of the folders that the server keeps indexed. */
  readonly folders: readonly string[];
  readonly jobs: Jobs;
  readonly queue: Queue;
  readonly metrics: Metrics;
  readonly thumbnails: Thumbnails;
  readonly token: string | undefined;
  /** Downloads a picture; absent where that is not allowed. */
  readonly fetchPicture?: (url: string, signal: AbortSignal) => Promise<Uint8Array<ArrayBuffer>>;
  /** Tells whoever runs the server what clients are not told. */
  readonly log: (error: unknown) => void;
}

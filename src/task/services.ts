import { availableParallelism } from "node:os";

export interface ServiceOptions {
  /** Where embeddings of folders are kept between calls; without it they are not kept. */
  readonly cacheFolder?: string | undefined;
  /** Threads that decode pictures. */
  readonly decodeWorkers?: number;
}

/** What tasks need of the machine. Opened by the edge, shared by all tasks that it runs. */
export interface Services {
  readonly cacheFolder: string | undefined;
  readonly decodeWorkers: number;
  /** Ends what was opened. */
  close(): Promise<void>;
}

export function openServices(options: ServiceOptions = {}): Services {
  return {
    cacheFolder: options.cacheFolder,
    decodeWorkers: options.decodeWorkers ?? availableParallelism(),
    close: async () => {},
  };
}

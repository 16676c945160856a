import type { Encoder } from "../model/index.js";
import type { Store } from "../store/index.js";
import type { Services } from "../task/services.js";
import type { PictureOptions, PictureRows } from "../train/data/index.js";
import type { Asker } from "./batches.js";
import { batchingEncoder, defaultBatches, type Batching } from "./batching.js";
import { sharedStore } from "./shared-store.js";

export interface SharedOptions {
  readonly store: Store;
  /** Of one picture. */
  readonly pixels: number;
  /** False lets every request run alone. */
  readonly batching: boolean;
}

/** What the requests of all connections share: models with batches, the index, and threads that decode. */
export interface SharedServices {
  /** The services as one of those who ask them; nothing that they give is closed by those who asked. */
  for(asker: Asker): Services;
  /** A model's encoder as one of those who ask it. */
  encoder(encoder: Encoder, asker: Asker): Encoder;
  /** The index; those who share it do not close it. */
  readonly store: Store;
  readonly waiting: { readonly texts: number; readonly pictures: number };
  close(): Promise<void>;
}

/** Batches of one. */
const single = { texts: 1, pictures: 1 };

export function shareServices(
  services: Services,
  { store, pixels, batching }: SharedOptions,
): SharedServices {
  const encoders = new Map<Encoder, Batching>();
  const encoderFor = (encoder: Encoder, asker: Asker): Encoder => {
    const batches = encoders.get(encoder) ?? batchingEncoder(encoder, batching ? defaultBatches : single);
    encoders.set(encoder, batches);
    return batches.for(asker);
  };
  const pools = new Map<string, Promise<PictureRows>>();
  const decoding = (options: PictureOptions): Promise<PictureRows> => {
    const limited = { ...options, decode: { ...options.decode, maxPixels: pixels } };
    const key = JSON.stringify(limited);
    // As for many: threads, so that no picture keeps the others from being answered.
    const pool = pools.get(key) ?? services.pictureRows(limited, Infinity);
    pools.set(key, pool);
    return pool.then((rows) => {
      // Threads end where a picture was more than they could take; the next picture gets new ones.
      const again = <R>(reading: Promise<R>): Promise<R> => {
        reading.catch(() => pools.get(key) === pool && pools.delete(key));
        return reading;
      };
      return {
        ...rows,
        read: (...given) => again(rows.read(...given)),
        decode: (...given) => again(rows.decode(...given)),
        close: async () => {},
      };
    });
  };
  const shared = sharedStore(store, batching);
  const sum = (what: "texts" | "pictures"): number =>
    [...encoders.values()].reduce((total, { waiting }) => total + waiting[what], 0);

  return {
    for: (asker) => ({
      ...services,
      encoder: async (choice) => encoderFor(await services.encoder(choice), asker),
      store: async () => shared,
      // What runs in the background decodes so much that it has threads of its own, as long as it runs.
      pictureRows: (options, expected) =>
        asker.background === true ? services.pictureRows(options, expected) : decoding(options),
      close: async () => {},
    }),
    encoder: encoderFor,
    store: shared,
    waiting: {
      get texts() {
        return sum("texts");
      },
      get pictures() {
        return sum("pictures");
      },
    },
    async close() {
      for (const pool of await Promise.allSettled(pools.values()))
        if (pool.status === "fulfilled") await pool.value.close();
    },
  };
}

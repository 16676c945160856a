import type { Encoder } from "../model/index.js";
import type { Store } from "../store/index.js";
import type { Services } from "../task/services.js";
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
  const shared = sharedStore(store, batching);
  const sum = (what: "texts" | "pictures"): number =>
    [...encoders.values()].reduce((total, { waiting }) => total + waiting[what], 0);

  return {
    for: (asker) => ({
      ...services,
      encoder: async (choice) => encoderFor(await services.encoder(choice), asker),
      store: async () => shared,
      // As for many: in threads, so that no picture keeps the others from being answered.
      pictureRows: (options, expected) =>
        asker.background === true
          ? services.pictureRows(options, expected)
          : services.pictureRows({ ...options, decode: { ...options.decode, maxPixels: pixels } }, Infinity),
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
  };
}

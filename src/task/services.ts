import { availableParallelism } from "node:os";
import type { Dtype } from "../graph/index.js";
import type { Encoder, OpenEncoderOptions } from "../model/index.js";
import type { Device, WorkerOptions } from "../runtime/index.js";
import { defaultStore, openStore, type Store } from "../store/index.js";
import type { PictureOptions, PictureRows } from "../train/data/index.js";
import { hubSettings, type HubSettings } from "../weights/hub/settings.js";
import type { PictureReader } from "./indexing/picture-reader.js";
import { locateModel, type LocateOptions, type ModelName } from "./locate-model.js";
import { sharedReaders } from "./shared-readers.js";

export interface ServiceOptions {
  /** Where embeddings of folders are kept between calls; without it they are not kept. */
  readonly cacheFolder?: string | undefined;
  /** Threads that decode pictures; one per core when absent. */
  readonly decodeWorkers?: number;
  /** Where models are downloaded from and kept; by the hub's variables of the environment when absent. */
  readonly hub?: HubSettings;
  /** Ends downloads. */
  readonly signal?: AbortSignal;
  /** Is told how far a download is. */
  readonly emit?: LocateOptions["emit"];
}

/** Which model, and where it runs. */
export interface ModelChoice extends ModelName {
  readonly device?: Device;
  /** How weights are held and computed with; absent: the fastest within the allowed loss. */
  readonly dtype?: Dtype | undefined;
  /** A side, or height and width, px; the model's own when absent. */
  readonly forceImageSize?: readonly number[] | undefined;
  /** Tokens of a text; the model's own when absent. */
  readonly forceContextLength?: number | undefined;
  readonly threads?: number | undefined;
  /** For many pictures: as many as possible in a minute, not each as soon as possible. */
  readonly inBulk?: boolean | undefined;
}

/** What tasks need of the machine. Opened by the edge, shared by all tasks that it runs. */
export interface Services {
  /** Opens a model; the same choice again gives the same encoder. */
  encoder(choice: ModelChoice): Promise<Encoder>;
  /** The folder or file of a model; names of the hub are downloaded. @throws as `locateModel` does */
  locate(name: ModelName): Promise<string>;
  /** Opens an index for whoever asks, who closes it; the user's own when no address is given. @throws as `openStore` does */
  store(url?: string, options?: { make?: boolean }): Promise<Store>;
  /**
   * Decodes pictures for whoever asks, who closes it. Threads are started once, and shared by all who ask for the same.
   *
   * @param expected how many there are: for a few, no threads are started
   */
  pictureRows(options: PictureOptions, expected: number): Promise<PictureRows>;
  /** Reads files for the index, and shares its threads as `pictureRows` does. */
  pictureReader(options: PictureOptions, expected: number): Promise<PictureReader>;
  readonly hub: HubSettings;
  readonly cacheFolder: string | undefined;
  readonly decodeWorkers: number;
  /** Closes every model, and ends all threads. */
  close(): Promise<void>;
}

export function openServices(options: ServiceOptions = {}): Services {
  const opened = new Map<string, Promise<Opened>>();
  const decodeWorkers = options.decodeWorkers ?? availableParallelism();
  // The decoder takes long to load, and a folder whose vectors are known does without it.
  const rows = sharedReaders<PictureRows>(
    async (...asked) => (await import("../train/data/decode-pool.js")).openPictureRows(...asked),
    decodeWorkers,
  );
  const indexing = sharedReaders<PictureReader>(
    async (...asked) => (await import("./indexing/picture-reader.js")).openPictureReader(...asked),
    decodeWorkers,
  );
  const hub = options.hub ?? hubSettings(process.env);
  const locate = (name: ModelName): Promise<string> => locateModel(name, { ...options, hub });
  return {
    hub,
    locate,
    cacheFolder: options.cacheFolder,
    decodeWorkers,
    store: (url = defaultStore(), options) => openStore(url, options),
    pictureRows: (pictures, expected) => rows.get(pictures, expected),
    pictureReader: (pictures, expected) => indexing.get(pictures, expected),
    async encoder(choice) {
      const { model: path, pretrained, device, dtype, forceImageSize, forceContextLength } = choice;
      const { threads, inBulk } = choice;
      const key = JSON.stringify([
        path,
        pretrained,
        device,
        dtype,
        forceImageSize,
        forceContextLength,
        threads,
        inBulk,
      ]);
      const model = opened.get(key) ?? openAlone(choice, { cacheFolder: options.cacheFolder, locate });
      opened.set(key, model);
      return (await model).encoder;
    },
    async close() {
      // Models that did not open have nothing to close.
      for (const model of await Promise.allSettled(opened.values()))
        if (model.status === "fulfilled") await model.value.close();
      opened.clear();
      await Promise.all([rows.close(), indexing.close()]);
    },
  };
}

/** A model, and what ends it. */
export interface Opened {
  readonly encoder: Encoder;
  close(): Promise<void>;
}

/** Opens a model that no other task shares. */
export const openAlone = async (
  choice: ModelChoice,
  { cacheFolder, locate }: Pick<Services, "cacheFolder" | "locate">,
): Promise<Opened> =>
  open(await locate(choice), choice, { cacheFolder, locate: (model) => locate({ model }) });

async function open(
  path: string,
  { device, dtype, forceImageSize, forceContextLength: contextLength, threads, inBulk = false }: ModelChoice,
  options: OpenEncoderOptions,
): Promise<Opened> {
  // Loaded when a model is wanted: a check of numbers needs neither towers nor ONNX Runtime.
  const [{ openEncoderAt }, { workerRuntime }] = await Promise.all([
    import("../model/open-encoder.js"),
    import("../runtime/workers.js"),
  ]);
  const runtime = workerRuntime(inBulk ? inHalves({ device, threads }) : { device, threads });
  try {
    const [height, width = height] = forceImageSize ?? [];
    const imageSize = height === undefined || width === undefined ? undefined : ([height, width] as const);
    const encoder = await openEncoderAt(path, runtime, {
      ...options,
      dtype: dtype ?? "auto",
      imageSize,
      contextLength,
    });
    return {
      encoder,
      async close() {
        await encoder.close();
        await runtime.close();
      },
    };
  } catch (error) {
    await runtime.close();
    throw error;
  }
}

/**
 * Two programs with half of the cores each: while the threads of one wait for each other, or for a core that decodes a picture,
 * the other computes. A single batch takes longer.
 */
function inHalves({ device = "cpu", threads = availableParallelism() }: WorkerOptions): WorkerOptions {
  return device === "cpu" && threads > 1
    ? { device, workers: 2, threads: Math.ceil(threads / 2) }
    : { device, threads };
}

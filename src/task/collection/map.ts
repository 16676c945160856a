import { Worker } from "node:worker_threads";
import type { Item } from "../../store/index.js";
import { CliptError, messageOf } from "../../tensor/index.js";
import type { Context } from "../task.js";
import type { Collection } from "./collection.js";
import type { LayoutAnswer, LayoutJob } from "./map-worker.js";
import { stampOf } from "./stamp.js";

/** A collection on a plane: pictures that are alike lie near each other. */
export interface CollectionMap {
  readonly ids: readonly string[];
  /** [ids, 2], 0…1 */
  readonly points: Float32Array;
  /** Pictures of the collection: a large one is shown by a sample. */
  readonly total: number;
}

/** A map of more pictures takes minutes, and shows no more than a page can. */
const maxPictures = 10_000;
const pageSize = 2_000;

/** As the store keeps it. */
interface MapDocument {
  /** Of the collection that it was made from. */
  readonly stamp: string;
  readonly ids: readonly string[];
  /** Little-endian float32, base64. */
  readonly points: string;
  readonly total: number;
}

/** The collection's map, when one was made since the collection last changed. */
export async function readMap(collection: Collection): Promise<CollectionMap | undefined> {
  const kept = (await collection.store.readDocument(nameOf(collection))) as MapDocument | undefined;
  if (kept === undefined || kept.stamp !== (await stampOf(collection))) return undefined;
  const bytes = Uint8Array.from(Buffer.from(kept.points, "base64"));
  return { ids: kept.ids, points: new Float32Array(bytes.buffer), total: kept.total };
}

/**
 * Lays the collection out (UMAP, in a thread of its own) and keeps the map in the store. The same pictures give the same map.
 *
 * @throws `cancelled` after the context's signal
 */
export async function makeMap(
  collection: Collection,
  { signal, emit }: Pick<Context, "signal" | "emit">,
): Promise<CollectionMap> {
  const stamp = await stampOf(collection);
  const { ids, vectors, total } = await readVectors(collection);
  const points = await layOut({ vectors, count: ids.length }, signal, (done) =>
    emit({ kind: "progress", stage: "map", done: Math.round(100 * done), total: 100 }),
  );
  const document: MapDocument = { stamp, ids, points: Buffer.from(points.buffer).toString("base64"), total };
  await collection.store.writeDocument(nameOf(collection), document);
  return { ids, points, total };
}

const nameOf = ({ identity }: Collection): string => `map:${identity}`;

/** Vectors of all pictures, or of every n-th one by id. */
async function readVectors({
  store,
  identity,
}: Collection): Promise<{ ids: string[]; vectors: Float32Array; total: number }> {
  const total = await store.count();
  const every = Math.max(1, Math.ceil(total / maxPictures));
  const ids: string[] = [];
  const rows: Float32Array[] = [];
  for (let offset = 0; ; offset += pageSize) {
    const page = await store.list({ limit: pageSize, offset, ...(every === 1 && { identity }) });
    const chosen = page.filter((_, i) => (offset + i) % every === 0);
    const items = every === 1 ? chosen : await store.get(idsOf(chosen), identity);
    for (const item of items) {
      const vector = item?.vectors?.[identity];
      if (item === undefined || vector === undefined) continue;
      ids.push(item.id);
      rows.push(vector);
    }
    if (page.length < pageSize) break;
  }
  const dim = rows[0]?.length ?? 0;
  const vectors = new Float32Array(rows.length * dim);
  for (const [i, row] of rows.entries()) vectors.set(row, i * dim);
  return { ids, vectors, total };
}

const idsOf = (items: readonly Item[]): string[] => items.map(({ id }) => id);

function layOut(
  job: LayoutJob,
  signal: AbortSignal,
  progress: (done: number) => void,
): Promise<Float32Array> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./map-worker.js", import.meta.url), {
      workerData: job,
      transferList: [job.vectors.buffer as ArrayBuffer],
      execArgv: [],
    });
    const stop = (): void => end(() => reject(new CliptError("cancelled", "The map was not finished.")));
    const end = (settle: () => void): void => {
      signal.removeEventListener("abort", stop);
      settle();
      void worker.terminate();
    };
    if (signal.aborted) return stop();
    signal.addEventListener("abort", stop);
    worker.on("message", (answer: LayoutAnswer) => {
      if ("done" in answer) progress(answer.done);
      else end(() => resolve(answer.points));
    });
    worker.on("error", (cause) =>
      end(() =>
        reject(new CliptError("failed", `The map could not be made: ${messageOf(cause)}`, { cause })),
      ),
    );
  });
}

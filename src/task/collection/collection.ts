import type { Encoder } from "../../model/index.js";
import type { Store } from "../../store/index.js";
import { CliptError } from "../../tensor/index.js";
import { words } from "../fields.js";
import type { ModelChoice, Services } from "../services.js";

/** Field by which tasks choose the index. */
export const dbField = words(
  "Where the index is: a folder, postgres://…, s3://…; the user's own index when it is left out",
).optional();

/** An index together with the model that reads it. */
export interface Collection {
  readonly store: Store;
  readonly encoder: Encoder;
  /** Of the set of vectors that is searched. */
  readonly identity: string;
  close(): Promise<void>;
}

type Opening = { db?: string | undefined } & ModelChoice;

/** Opens an index for writing: the model's set of vectors is made when it is not there. */
export const openCollection = (opening: Opening, services: Services): Promise<Collection> =>
  opened(opening, services, true, ({ store, encoder: { model }, identity }) =>
    store.addSet({ identity, dim: model.config.embedDim }),
  );

/**
 * Opens an index for reading.
 *
 * @throws `missing` when there is none, or it holds nothing of the model
 */
export const openIndexed = (opening: Opening, services: Services): Promise<Collection> =>
  opened(opening, services, false, requireIndexed);

async function opened(
  { db, ...choice }: Opening,
  services: Services,
  make: boolean,
  prepare: (collection: Collection) => Promise<void>,
): Promise<Collection> {
  const [encoder, store] = await Promise.all([services.encoder(choice), services.store(db, { make })]);
  const collection = { store, encoder, identity: encoder.model.identity, close: () => store.close() };
  try {
    await prepare(collection);
    return collection;
  } catch (error) {
    await store.close();
    throw error;
  }
}

/**
 * Refuses an index that holds nothing of the model.
 *
 * @throws `missing`
 */
export async function requireIndexed({ store, identity }: Collection): Promise<void> {
  const sets = await store.sets();
  if ((sets.find((set) => set.identity === identity)?.count ?? 0) > 0) return;
  const others = sets.some(({ count }) => count > 0);
  throw new CliptError(
    "missing",
    others
      ? `The index ${store.url} has no vectors of this model. Run \`clipt index\` with it: the vectors of the other model stay.`
      : `The index ${store.url} is empty. Fill it with \`clipt index FOLDER\`.`,
  );
}

import { existsSync } from "node:fs";
import { join } from "node:path";

/** The table of items; LanceDB keeps each table in a folder of its name. */
export const itemsTable = "items";

/** A URL as LanceDB takes it. */
export const placeOf = (url: string): string => url.replace(/^lance:(\/\/)?/, "");

/** The folder that a URL means, or undefined for object storage. */
export function localPlace(url: string): string | undefined {
  const place = placeOf(url);
  return /^[a-z0-9]+:\/\//i.test(place) ? undefined : place;
}

/** Whether a store was made there; of object storage it is taken for granted. */
export function holdsStore(url: string): boolean {
  const folder = localPlace(url);
  return folder === undefined || existsSync(join(folder, `${itemsTable}.lance`));
}

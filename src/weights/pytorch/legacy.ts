import { CliptError } from "../../tensor/index.js";
import { head } from "../bytes.js";
import { readPart, type Source } from "../source.js";
import type { Storage, Stored } from "../stored.js";
import { broken, unpickle } from "./pickle.js";
import { mapPlain, type Plain } from "./plain.js";
import { type PlaceStorage, torchWorld } from "./world.js";

/** The pickles at the start of a file from before PyTorch 1.6; large models have some 100 KB. */
const legacyHeadLimit = 64 * 2 ** 20;
/** A pickle of the number 0x1950a86a20f9469cfc6c. */
const legacyMagic = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";

/** Whether this is a file from before PyTorch 1.6: pickles and raw storages one after the other. */
export function isLegacy(source: Source): boolean {
  const start = source.read(0, Math.min(source.size, legacyMagic.length));
  return String.fromCharCode(...start) === legacyMagic;
}

/**
 * A file from before PyTorch 1.6: magic number, version, system, object and storage keys as five pickles, then
 * each storage behind its count of numbers. Where a storage lies shows only after the object has been read,
 * so the object is read twice.
 */
export function openLegacy(source: Source): Plain<Stored> {
  const bytes = source.read(0, Math.min(source.size, legacyHeadLimit));
  const next = (start: number, place: PlaceStorage) => unpickle(bytes, torchWorld(place), start);
  const none: PlaceStorage = () => {
    throw broken("it has a storage where none belongs");
  };
  const version = next(legacyMagic.length, none);
  const system = next(version.end, none);
  if (version.value !== 1001 || !(system.value instanceof Map) || system.value.get("little_endian") !== true)
    throw new CliptError(
      "unsupported",
      "Only version 1001 of the old PyTorch format, little-endian, is read.",
    );
  const expected = new Map<string, { count: number; width: number }>();
  const object = next(system.end, (key, count, width) => {
    expected.set(key, { count, width });
    return { begin: 0, bytes: count * width };
  });
  const keys = next(object.end, none);
  if (!Array.isArray(keys.value)) throw broken("its list of storages is none");
  const storages = new Map<string, Storage>();
  let position = keys.end;
  for (const key of keys.value as unknown[]) {
    const storage = typeof key === "string" ? expected.get(key) : undefined;
    if (typeof key !== "string" || storage === undefined || storages.has(key))
      throw broken(
        `its list of storages holds ${typeof key === "string" ? head(key) : "something"} for no tensor or twice`,
      );
    const what = `The storage ${head(key)}`;
    const start = readPart(source, position, position + 8, what);
    const count = new DataView(start.buffer, start.byteOffset).getBigInt64(0, true);
    if (count !== BigInt(storage.count))
      throw broken(`its storage ${head(key)} has ${count} numbers, not ${storage.count}`);
    const begin = position + 8;
    position = begin + storage.count * storage.width;
    if (position > source.size)
      throw broken(`its storage ${head(key)} reaches beyond its end: it is cut off`);
    storages.set(key, { begin, bytes: position - begin });
  }
  const place: PlaceStorage = (key, count, width) => {
    const storage = storages.get(key);
    if (storage?.bytes !== count * width) throw broken(`its storage ${head(key)} is missing`);
    return storage;
  };
  return mapPlain(next(system.end, place).value, (stored: Stored) => stored);
}

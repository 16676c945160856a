import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { EncoderModel } from "../../model/index.js";
import { isCurrent, parseCalibration, type Calibration } from "../../score/index.js";
import type { Store } from "../../store/index.js";
import { CliptError, readError } from "../../tensor/index.js";

export const calibrationFile = "calibration.json";

/** The document of a store that holds the calibration of one collection. */
export const calibrationDocument = (identity: string): string => `calibration:${identity}`;

/**
 * The calibration of a model: the collection's own, or what lies in the model's folder. Undefined where there is none for this
 * very model: other precisions or sizes of it have other scores.
 *
 * @throws `format` for one that cannot be read
 */
export async function openCalibration(model: EncoderModel, store?: Store): Promise<Calibration | undefined> {
  const name = calibrationDocument(model.identity);
  const own = await store?.readDocument(name);
  // Marks of an earlier version changed other probabilities than today's.
  if (isCurrent(own)) return parseCalibration(own, `The index's document ${name}`);
  const path = join(model.path, calibrationFile);
  const found = files.get(path) ?? readFrom(path);
  files.set(path, found);
  found.catch(() => files.delete(path));
  const calibration = await found;
  return calibration?.identity === model.identity ? calibration : undefined;
}

const files = new Map<string, Promise<Calibration | undefined>>();

async function readFrom(path: string): Promise<Calibration | undefined> {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    const told = readError(path, error);
    if (told.code === "missing") return undefined;
    throw told;
  });
  return text === undefined ? undefined : parseCalibration(parse(text, path), path);
}

function parse(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CliptError("format", `${path} is not JSON.`, { cause });
  }
}

import { z } from "zod";
import { CliptError } from "../../tensor/index.js";
import { head } from "../../weights/index.js";

/**
 * Reads an object of a published configuration.
 *
 * @param where what it is called in messages: "open_clip_config.json, vision_cfg"
 * @throws      `format` when a field has a type that it cannot have
 */
export function readFields<S extends z.ZodType>(schema: S, json: unknown, where: string): z.output<S> {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const at = issue!.path.length > 0 ? `, ${issue!.path.join(".")}` : "";
  throw new CliptError("format", `${where}${head(at)}: ${head(issue!.message, 200)}.`, {
    cause: result.error,
  });
}

/**
 * Refuses fields that nobody here reads and that are switched on: without their effect the numbers would be wrong.
 *
 * @param idle fields that change nothing when a model is used
 * @throws     `unsupported` with the field's name
 */
export function refuseOthers(
  json: object,
  schema: z.ZodObject,
  idle: readonly string[],
  where: string,
): void {
  for (const [key, value] of Object.entries(json)) {
    if (key in schema.shape || idle.includes(key) || value === null || value === false) continue;
    throw new CliptError("unsupported", `${where}: ${head(key)} = ${shown(value)} is not supported yet.`);
  }
}

/** A value in a message. Nested ones are not spelled out: a hostile file may nest them without end. */
const shown = (value: unknown): string =>
  head(typeof value === "object" && value !== null ? "{…}" : JSON.stringify(value));

// Bounds far beyond any model: a hostile file could ask for more than a machine has.
const most = { count: 2 ** 31 - 1, blocks: 1000, ids: 2 ** 17, pixels: 4096 };

/** A width, a number of tokens or heads. */
export const count = z.int().positive().max(most.count);
export const countOrZero = z.int().nonnegative().max(most.count);
/** Blocks one after another. */
export const blockCount = z.int().positive().max(most.blocks);
export const blockCountOrZero = z.int().nonnegative().max(most.blocks);
/** The most ids of a text. */
export const idCount = z.int().positive().max(most.ids);
/** px */
export const side = z.int().positive().max(most.pixels);
/** A side in px, or [height, width]. */
export const sides = z.union([side, z.tuple([side, side])]);
export const heightWidth = (size: number | readonly [number, number]): readonly [number, number] =>
  typeof size === "number" ? [size, size] : size;

import { z } from "zod";
import { CliptError } from "../../tensor/index.js";

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
  throw new CliptError("format", `${where}${at}: ${issue!.message}.`, { cause: result.error });
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
    throw new CliptError("unsupported", `${where}: ${key} = ${JSON.stringify(value)} is not supported yet.`);
  }
}

export const count = z.int().positive();
export const countOrZero = z.int().nonnegative();
/** A side in px, or [height, width]. */
export const sides = z.union([count, z.tuple([count, count])]);
export const heightWidth = (size: number | readonly [number, number]): readonly [number, number] =>
  typeof size === "number" ? [size, size] : size;

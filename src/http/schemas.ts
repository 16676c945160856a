import { z } from "zod";

/** What an index knows of a picture. */
export const fieldsSchema = z
  .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
  .describe("What the index knows of the picture");

/** Field that takes one picture. */
export const pictureField = (description: string) =>
  z
    .string()
    .min(1, "must not be empty")
    .describe(
      `${description}: base64, a data: URL, an http(s) address where the server allows it, or a file of a form`,
    );

export const idField = z.string().min(1, "must not be empty").describe("A picture of the index, by its id");

import type { IncomingHttpHeaders } from "node:http";
import type { z } from "zod";
import type { Collection } from "../task/collection/collection.js";
import type { Context } from "../task/task.js";
import type { Upload } from "./body.js";

/** What surrounds one request. */
export interface Call {
  /** Aborted when the client goes away, the time is up or the server stops. */
  readonly signal: AbortSignal;
  readonly headers: IncomingHttpHeaders;
  /** For the tasks that the request needs. */
  readonly context: Context;
  /** The index, with an encoder that works for this request. */
  readonly collection: Collection;
  /**
   * The picture that a request names: an upload ("upload:NAME"), base64, a data URL, or the address of one elsewhere.
   *
   * @throws `usage` for what is none of these
   */
  readonly picture: (reference: string) => Promise<Upload>;
}

export interface RouteOf<I extends z.ZodObject> {
  readonly method: "get" | "post";
  /** As OpenAPI writes it: /api/jobs/{id}. */
  readonly path: string;
  readonly summary: string;
  /** More than the summary can say. */
  readonly description?: string;
  /** The chapter of the documents that it belongs to. */
  readonly chapter: string;
  /** Of GET, the query and the path's places; of POST, the body's fields: JSON or a form. */
  readonly input: I;
  /** Fields that take pictures; a form may send files in them. The first one also takes a body that is a picture. */
  readonly pictures?: readonly (keyof z.output<I> & string)[];
  /** Of the answer's JSON; a route that answers with something else names its media type. */
  readonly output: z.ZodType | string;
  /** It takes a place in the queue, and is refused when there is none. */
  readonly works?: boolean;
  /** Places that it takes, where one request may bring the work of many; at least 1. */
  readonly cost?: (input: z.output<I>) => number;
  readonly run: (input: z.output<I>, call: Call) => unknown;
}

/** Any route, for code that treats all of them alike. */
export type Route = Omit<RouteOf<z.ZodObject>, "run" | "pictures" | "cost"> & {
  readonly pictures?: readonly string[];
  readonly cost?: (input: never) => number;
  readonly run: (input: never, call: Call) => unknown;
};

/** One declaration: what comes in, what goes out and what is done. Serving and the OpenAPI document derive from it. */
export const defineRoute = <I extends z.ZodObject>(route: RouteOf<I>): Route => route as unknown as Route;

import type { HttpBindings } from "@hono/node-server";
import type { Hono } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { z } from "zod";
import { InputError, sayIssue } from "../task/task.js";
import { answerError } from "./answer-error.js";
import { bodyReader, type Body } from "./body.js";
import { openDeadline } from "./deadline.js";
import { fromText, withoutDefaults } from "./from-text.js";
import { resolvePicture, uploadPrefix } from "./picture-reference.js";
import type { Call, Route } from "./route.js";
import type { Serving } from "./serving.js";

type App = Hono<{ Bindings: HttpBindings }>;

const noBody: Body = { fields: {}, isText: true, uploads: new Map() };

/** Makes routes answer: reads and checks what comes in, keeps to the limits, and turns errors into answers. */
export function mount(app: App, routes: readonly Route[], serving: Serving): void {
  const bodies = bodyReader(serving.limits);
  for (const route of routes)
    app.on(route.method, route.path.replaceAll(/\{(\w+)\}/g, ":$1"), async (c) => {
      const { incoming } = c.env;
      const { limits, metrics } = serving;
      const began = performance.now();
      const counted = (response: Response): Response => {
        metrics.count(route.path, route.method, response.status, (performance.now() - began) / 1000);
        return response;
      };
      let deadline: ReturnType<typeof openDeadline> | undefined;
      let release = (): void => {};
      try {
        let body = noBody;
        if (route.method === "post") ({ body, release } = await bodies.read(incoming));
        const { over, signal, end } = (deadline = openDeadline(c.req.raw.signal, limits.timeMs));
        const { shared, collection } = serving;
        const call: Call = {
          signal,
          headers: incoming.headers,
          context: { services: shared.for({ signal }), signal, emit: () => {} },
          collection: { ...collection, encoder: shared.encoder(collection.encoder, { signal }) },
          picture: (reference) => resolvePicture(reference, body.uploads, serving, signal),
        };
        const given =
          route.method === "get"
            ? { ...listed(c.req.queries()), ...c.req.param() }
            : withUploads(route, body, () => listed(c.req.queries()));
        const input = inputOf(route, given, body.isText) as never;
        const leave =
          route.works === true ? serving.queue.enter(Math.max(1, route.cost?.(input) ?? 1)) : () => {};
        const working = (async () => route.run(input, call))();
        // What goes on after the time is up still takes its place and its room.
        const free = release;
        release = () => {};
        const left = (): void => {
          leave();
          free();
          end();
        };
        working.then(left, left);
        const result = await Promise.race([working, over]);
        return counted(result instanceof Response ? result : c.json(result as object));
      } catch (error) {
        release();
        deadline?.end();
        const { status, headers, body } = answerError(error, serving.log);
        return counted(c.json(body, status as ContentfulStatusCode, headers));
      }
    });
}

function inputOf({ input }: Route, given: Record<string, unknown>, isText: boolean): unknown {
  const parsed = input.safeParse(isText ? fromText(input, given) : given, { error: sayIssue });
  if (!parsed.success) throw new InputError(parsed.error.issues);
  return parsed.data;
}

/** A name that occurs once has a value, one that occurs again a list. */
const listed = (queries: Record<string, string[]>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(queries).map(([name, values]) => [name, values.length === 1 ? values[0] : values]),
  );

/**
 * The fields with the names of the files that were sent in their place. A body that is a picture has no room for fields:
 * they come with the address.
 */
function withUploads(
  { pictures = [], input: known }: Route,
  { fields, uploads }: Body,
  inAddress: () => Record<string, unknown>,
): Record<string, unknown> {
  const input: Record<string, unknown> = uploads.has("body") ? inAddress() : { ...fields };
  for (const name of pictures) {
    const files = uploads.get(name) ?? (name === pictures[0] ? uploads.get("body") : undefined);
    if (files === undefined) continue;
    const from = uploads.has(name) ? name : "body";
    const references = files.map((_, i) => `${uploadPrefix}${from}#${i}`);
    const isList = withoutDefaults((known.shape as Record<string, z.ZodType>)[name]!) instanceof z.ZodArray;
    input[name] = isList ? references : references[0];
  }
  return input;
}

import { z } from "zod";
import { catalog } from "../../task/catalog.js";
import type { AnyTask, TaskEvent } from "../../task/task.js";
import { CliptError } from "../../tensor/index.js";
import { withoutDefaults } from "../from-text.js";
import { offeredTasks, type Offer } from "../offered-tasks.js";
import { defineRoute, type Call, type Route } from "../route.js";
import { pictureField } from "../schemas.js";
import type { Serving } from "../serving.js";
import { writePictures } from "../temporary-pictures.js";

/** Skipped items that an answer's header names. */
const named = 20;

/** Routes that derive from the tasks' own descriptions. */
export async function taskRoutes(serving: Serving): Promise<Route[]> {
  return Promise.all(
    offeredTasks.map(async (offer) => {
      const entry = catalog.find(({ name }) => name === offer.name)!;
      return taskRoute(offer, entry.summary, await entry.load(), serving);
    }),
  );
}

function taskRoute(
  { name, fields, required, pictures }: Offer,
  summary: string,
  task: AnyTask,
  serving: Serving,
): Route {
  const { limits, choice } = serving;
  const { description } = task;
  const known = description.input.shape as Record<string, z.ZodType>;
  const shape: Record<string, z.ZodType> = Object.fromEntries(
    fields.map((field) => {
      const schema = required.includes(field) ? withoutDefaults(known[field]!) : known[field]!;
      return [field, withLimits(schema, limits)];
    }),
  );
  for (const field of pictures)
    shape[field] = z.array(pictureField("A picture")).min(1, "needs at least one").max(limits.items);
  return defineRoute({
    method: "post",
    path: `/v1/tasks/${name.replaceAll(" ", "-")}`,
    chapter: "Tasks",
    summary,
    ...(description.details !== undefined && { description: description.details }),
    input: z.object(shape),
    pictures,
    output: description.output,
    works: true,
    cost: (input) =>
      pictures.reduce((sum, field) => sum + ((input[field] as unknown[] | undefined)?.length ?? 0), 0),
    run: (input, call) => runTask(task, { ...input, ...choice }, pictures, call),
  });
}

async function runTask(
  task: AnyTask,
  input: Record<string, unknown>,
  pictures: readonly string[],
  { context, picture }: Call,
): Promise<unknown> {
  const references = pictures.flatMap((field) => (input[field] ?? []) as string[]);
  const files = await writePictures(await Promise.all(references.map(picture)));
  try {
    let next = 0;
    const given = { ...input };
    for (const field of pictures) {
      const count = (input[field] as unknown[] | undefined)?.length ?? 0;
      given[field] = files.paths.slice(next, (next += count));
    }
    const skipped: TaskEvent[] = [];
    const emit = (event: TaskEvent): void => void (event.kind === "skipped" && skipped.push(event));
    const output = files.named(await task(given as never, { ...context, emit }));
    if (skipped.length === 0) return output;
    const told = files.named(skipped.slice(0, named).map((event) => ({ ...event, kind: undefined })));
    return Response.json(output, {
      headers: { "X-Clipt-Skipped": encodeURIComponent(JSON.stringify(told)) },
    });
  } catch (error) {
    if (!(error instanceof CliptError)) throw error;
    throw new CliptError(error.code, files.named(error.message), { cause: error });
  } finally {
    await files.remove();
  }
}

/** The field as the task describes it, within what the server takes. */
function withLimits(schema: z.ZodType, { labels, textLength }: Serving["limits"]): z.ZodType {
  const limited = schema.refine(
    (value) =>
      !Array.isArray(value) ||
      (value.length <= labels &&
        value.every((item) => typeof item !== "string" || item.length <= textLength)),
    `must be at most ${labels} texts of at most ${textLength} characters`,
  );
  const { description } = schema;
  return description === undefined ? limited : limited.describe(description);
}

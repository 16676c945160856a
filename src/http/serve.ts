import { readFile, realpath } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { packageVersion } from "../package-root.js";
import { residentStore } from "../store/index.js";
import { dbField, openCollection } from "../task/collection/collection.js";
import { count, file, flag, list, modelFields, words } from "../task/fields.js";
import { defineTask, type Context } from "../task/task.js";
import { CliptError, messageOf, readError } from "../tensor/index.js";
import { createApp } from "./app.js";
import { pictureFetcher } from "./fetch-picture.js";
import { openGate } from "./gate.js";
import { Jobs } from "./jobs.js";
import { defaultLimits, type Limits } from "./limits.js";
import { openMetrics } from "./metrics.js";
import { Queue } from "./queue.js";
import { startIndexing } from "./routes/jobs.js";
import { securityHeaders } from "./security-headers.js";
import { listen } from "./server.js";
import type { Serving } from "./serving.js";
import { shareServices } from "./shared-services.js";
import { Thumbnails } from "./thumbnails.js";

/** How long requests may go on after the server was asked to stop. */
const graceMs = 10_000;

export const serve = defineTask({
  name: "serve",
  details:
    "Opens the page and the HTTP interface over an index, and brings the index in line with the folders meanwhile. Only this machine is answered unless --host says otherwise; docs/server.md tells what is answered and how it is kept safe.",
  input: z.object({
    folders: list("FOLDER", "Folders to keep indexed; the index as it is when they are left out").optional(),
    db: dbField,
    host: words("Address to listen at; 0.0.0.0 for every network").default("127.0.0.1"),
    port: z
      .int()
      .min(0)
      .max(65_535)
      .default(7700)
      .meta({ description: "Port to listen at; 0 for any that is free", placeholder: "N" }),
    token: words("Text that clients have to send: Authorization: Bearer TEXT").optional(),
    tokenFile: file("File with the token, so that no list of processes shows it").optional(),
    allowHost: list(
      "NAME",
      "Names under which the server may be asked, besides localhost and addresses",
    ).default([]),
    fetchUrls: flag(
      "Download pictures that clients name by their addresses, from the public internet",
    ).default(false),
    index: flag("Leave the index as it is at the start").default(true),
    batching: flag("Run every request alone, to see what batches bring").default(true),
    maxBytes: count("The largest request, bytes").default(defaultLimits.bodyBytes),
    maxPixels: count("The most pixels of a picture").default(defaultLimits.pixels),
    maxLabels: count("The most labels of a request").default(defaultLimits.labels),
    queue: count("Requests that are worked on or wait for it; more are refused").default(defaultLimits.queue),
    timeout: count("Seconds that a request may take").default(defaultLimits.timeMs / 1000),
    receiveTimeout: count("Seconds in which a client must have sent its request").default(
      defaultLimits.receiveMs / 1000,
    ),
    ...modelFields,
  }),
  output: z.object({ url: z.string() }),
  positional: ["folders"],
  examples: [
    { title: "A page over the photos of a folder", input: { folders: ["photos"] } },
    {
      title: "For the local network, with a token",
      input: { folders: ["photos"], host: "0.0.0.0", tokenFile: "token.txt" },
    },
  ],
  async run(input, context) {
    const token = await readToken(input);
    const limits: Limits = {
      ...defaultLimits,
      bodyBytes: input.maxBytes,
      bodiesBytes: Math.max(defaultLimits.bodiesBytes, input.maxBytes),
      pixels: input.maxPixels,
      labels: input.maxLabels,
      queue: input.queue,
      timeMs: input.timeout * 1000,
      receiveMs: input.receiveTimeout * 1000,
    };
    const log = (error: unknown): void =>
      context.emit({
        kind: "note",
        message: `error: ${error instanceof CliptError ? error.message : error instanceof Error ? (error.stack ?? error.message) : messageOf(error)}`,
      });
    const folders = await Promise.all((input.folders ?? []).map(realFolder));
    const { services } = context;
    const opened = await openCollection(input, services);
    const shared = shareServices(services, {
      store: residentStore(opened.store),
      pixels: limits.pixels,
      batching: input.batching,
    });
    const collection = { ...opened, store: shared.store };
    const jobs = new Jobs(log);
    const queue = new Queue(limits.queue);
    const { cacheFolder } = services;
    const serving: Serving = {
      version: packageVersion(),
      limits,
      collection,
      shared,
      choice: Object.fromEntries(
        ["db", ...Object.keys(modelFields)].map((name) => [name, input[name as keyof typeof input]]),
      ),
      ...(input.fetchUrls && { fetchPicture: pictureFetcher({ maxBytes: limits.bodyBytes }) }),
      folders,
      jobs,
      queue,
      metrics: openMetrics(queue, shared),
      token,
      thumbnails: new Thumbnails(cacheFolder && join(cacheFolder, "thumbnails"), limits.pixels),
      log,
    };
    try {
      const listening = await listen(await createApp(serving), {
        host: input.host,
        port: input.port,
        limits,
        gate: openGate({ token, hosts: [hostname(), ...input.allowHost] }),
        headers: securityHeaders,
        log,
      });
      announce(listening.url, input, token, context);
      if (input.index && folders.length > 0) startIndexing(serving);
      await until(context.signal);
      context.emit({ kind: "note", message: "Stopping; requests under way are answered first." });
      const idle = queue.close();
      const closed = listening.close();
      await jobs.close();
      await Promise.race([Promise.all([idle, closed]), wait(graceMs)]);
      listening.destroy();
      return { url: listening.url };
    } finally {
      await jobs.close();
      await opened.close();
    }
  },
});

function announce(
  url: string,
  { host }: { host: string },
  token: string | undefined,
  { emit }: Pick<Context, "emit">,
): void {
  const local = /^(127\.|localhost$|::1$)/.test(host);
  if (!local && token === undefined)
    emit({
      kind: "warning",
      message: `everybody who reaches ${host} can search and see the indexed pictures; --token-file asks for a token`,
    });
  emit({ kind: "note", message: `clipt is at ${url} (Ctrl-C ends it)` });
}

async function readToken({
  token,
  tokenFile,
}: {
  token?: string | undefined;
  tokenFile?: string | undefined;
}): Promise<string | undefined> {
  if (tokenFile === undefined) return token;
  if (token !== undefined) throw new CliptError("usage", "Give either --token or --token-file.");
  const text = await readFile(tokenFile, "utf8").catch((cause: unknown) => {
    throw readError(tokenFile, cause);
  });
  if (text.trim() === "") throw new CliptError("input", `${tokenFile} is empty.`);
  return text.trim();
}

async function realFolder(folder: string): Promise<string> {
  try {
    return await realpath(folder);
  } catch (cause) {
    throw readError(folder, cause);
  }
}

const until = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });

const wait = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms).unref());

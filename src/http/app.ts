import type { HttpBindings } from "@hono/node-server";
import { Hono } from "hono";
import { join } from "node:path";
import { packageRoot } from "../package-root.js";
import { answerError } from "./answer-error.js";
import { mount } from "./mount.js";
import { Refusal } from "./refusal.js";
import { collectionRoutes } from "./routes/collection.js";
import { clipRetrievalRoutes } from "./routes/clip-retrieval.js";
import { mountDocuments } from "./routes/documents.js";
import { duplicateRoutes } from "./routes/duplicates.js";
import { embeddingRoutes } from "./routes/embeddings.js";
import { healthRoutes } from "./routes/health.js";
import { infoRoutes } from "./routes/info.js";
import { jobRoutes } from "./routes/jobs.js";
import { loginRoutes } from "./routes/login.js";
import { mapRoutes } from "./routes/map.js";
import { markRoutes } from "./routes/marks.js";
import { pictureRoutes } from "./routes/pictures.js";
import { searchRoutes } from "./routes/search.js";
import { taskRoutes } from "./routes/tasks.js";
import type { Route } from "./route.js";
import type { Serving } from "./serving.js";
import { openStaticFiles } from "./static-files.js";

/** Everything that the server answers, in the order of its documents. */
const chapters = [
  searchRoutes,
  markRoutes,
  pictureRoutes,
  collectionRoutes,
  duplicateRoutes,
  mapRoutes,
  embeddingRoutes,
  clipRetrievalRoutes,
  jobRoutes,
  infoRoutes,
  loginRoutes,
  healthRoutes,
];

export async function createApp(serving: Serving): Promise<Hono<{ Bindings: HttpBindings }>> {
  const app = new Hono<{ Bindings: HttpBindings }>();
  const routes = [...chapters.flatMap((of) => of(serving)), ...(await taskRoutes(serving))];
  mount(app, routes, serving);
  mountDocuments(app, routes, serving);

  const page = openStaticFiles(join(packageRoot, "dist", "web"));
  app.get("*", (c) => {
    const path = c.req.path.slice(1);
    const file = page.answer(path === "" ? "index.html" : path, c.req.raw.headers);
    if (file !== undefined) return file;
    if (path === "") return c.text("clipt answers here; its page was not built. /docs has the documents.\n");
    return answer(nothingAt(routes, c.req.path));
  });
  app.all("*", (c) => answer(nothingAt(routes, c.req.path)));
  return app;

  function answer(refusal: Refusal): Response {
    const { status, headers, body } = answerError(refusal, serving.log);
    return Response.json(body, { status, headers });
  }
}

/** What an address gets that none of the routes took: those of another method are named. */
function nothingAt(routes: readonly Route[], path: string): Refusal {
  const there = routes.filter((route) =>
    new RegExp(`^${route.path.replaceAll(/\{\w+\}/g, "[^/]+")}$`).test(path),
  );
  if (there.length === 0) return new Refusal("unknown", `There is nothing at ${path}.`);
  const methods = there.map(({ method }) => method.toUpperCase()).join(", ");
  return new Refusal("method", `${path} takes ${methods}.`, { Allow: methods });
}

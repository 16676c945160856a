import { join } from "node:path";
import type { Hono } from "hono";
import type { HttpBindings } from "@hono/node-server";
import { packageRoot } from "../../package-root.js";
import { openApi } from "../openapi.js";
import type { Route } from "../route.js";
import { pagePolicy } from "../security-headers.js";
import type { Serving } from "../serving.js";
import { openStaticFiles } from "../static-files.js";

const page = `<!doctype html>
<html lang="en">
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width">
  <title>clipt: HTTP interface</title>
  <link rel="stylesheet" href="docs/swagger-ui.css">
  <div id="documents"></div>
  <script src="docs/swagger-ui-bundle.js"></script>
  <script src="docs/start.js"></script>
</html>
`;

const start = `SwaggerUIBundle({ url: "openapi.json", dom_id: "#documents", deepLinking: true, validatorUrl: null, tryItOutEnabled: true });
`;

/** The OpenAPI document, and a page that shows it and tries it out; all of it comes from this server. */
export function mountDocuments(
  app: Hono<{ Bindings: HttpBindings }>,
  routes: readonly Route[],
  { version, token }: Serving,
): void {
  const document = JSON.stringify(openApi(routes, version, token !== undefined));
  const files = openStaticFiles(join(packageRoot, "dist", "swagger-ui"));
  app.get("/openapi.json", () => text(document, "application/json"));
  app.get("/docs", () =>
    text(page, "text/html; charset=utf-8", { "Content-Security-Policy": pagePolicy([]) }),
  );
  app.get("/docs/start.js", () => text(start, "text/javascript; charset=utf-8"));
  app.get("/docs/:file", async (c, next) => files.answer(c.req.param("file"), c.req.raw.headers) ?? next());
}

const text = (body: string, type: string, headers: Record<string, string> = {}): Response =>
  new Response(body, { headers: { "Content-Type": type, ...headers } });

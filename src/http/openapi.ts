import { z } from "zod";
import type { Route } from "./route.js";

type Json = Readonly<Record<string, unknown>>;

/** Statuses that any request may get. */
const errors = ["400", "401", "403", "404", "405", "408", "413", "415", "422", "429", "431", "500", "503"];

/** The OpenAPI 3.1 document of routes: their own declarations, in its words. */
export function openApi(routes: readonly Route[], version: string, hasToken: boolean): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const route of routes) (paths[route.path] ??= {})[route.method] = operation(route);
  return {
    openapi: "3.1.0",
    info: {
      title: "clipt",
      version,
      description: "Pictures and words in one space: search, classify, embed.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    tags: [...new Set(routes.map(({ chapter }) => chapter))].map((name) => ({ name })),
    paths,
    components: {
      schemas: {
        Error: schemaOf(z.object({ error: z.object({ code: z.string(), message: z.string() }) }), "output"),
      },
      responses: {
        Error: {
          description: "What is wrong",
          content: { "application/json": { schema: { $ref: "#/components/schemas/Error" } } },
        },
      },
      ...(hasToken && { securitySchemes: { token: { type: "http", scheme: "bearer" } } }),
    },
    ...(hasToken && { security: [{ token: [] }] }),
  };
}

function operation({
  method,
  path,
  summary,
  description,
  chapter,
  input,
  pictures = [],
  output,
}: Route): Json {
  const inputSchema = schemaOf(input, "input");
  const media =
    typeof output === "string"
      ? { [output]: { schema: output === "text/event-stream" ? { type: "string" } : {} } }
      : { "application/json": { schema: schemaOf(output, "output") } };
  return {
    operationId: `${method}${path.replaceAll(/[^A-Za-z]+(\w?)/g, (_, next: string) => next.toUpperCase())}`,
    tags: [chapter],
    summary,
    ...(description !== undefined && { description }),
    ...(method === "get"
      ? { parameters: parameters(inputSchema, path) }
      : { requestBody: body(inputSchema, pictures) }),
    responses: {
      "200": { description: "Done", content: media },
      ...Object.fromEntries(errors.map((status) => [status, { $ref: "#/components/responses/Error" }])),
    },
  };
}

function parameters({ properties = {}, required = [] }: Json, path: string): Json[] {
  return Object.entries(properties as Record<string, Json>).map(([name, { description, ...schema }]) => {
    const inPath = path.includes(`{${name}}`);
    return {
      name,
      in: inPath ? "path" : "query",
      required: inPath || (required as string[]).includes(name),
      ...(description !== undefined && { description }),
      schema,
    };
  });
}

function body(schema: Json, pictures: readonly string[]): Json {
  const { properties = {} } = schema as { properties?: Record<string, Json> };
  const file = { type: "string", contentMediaType: "application/octet-stream" };
  const withFiles = Object.fromEntries(
    Object.entries(properties).map(([name, field]) => [
      name,
      !pictures.includes(name) ? field : field["type"] === "array" ? { ...field, items: file } : file,
    ]),
  );
  const form = { "multipart/form-data": { schema: { ...schema, properties: withFiles } } };
  return {
    required: ((schema["required"] as string[] | undefined) ?? []).length > 0,
    content: {
      "application/json": { schema },
      ...(pictures.length > 0 && { ...form, "image/*": { schema: file } }),
    },
  };
}

/** JSON Schema as OpenAPI 3.1 takes it. */
function schemaOf(schema: z.ZodType, io: "input" | "output"): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: "any" }) as Record<
    string,
    unknown
  >;
  return rest;
}

import { getRequestListener, type HttpBindings } from "@hono/node-server";
import { createServer, STATUS_CODES, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import type { Hono } from "hono";
import { CliptError, messageOf } from "../tensor/index.js";
import { answerError } from "./answer-error.js";
import type { Knock } from "./gate.js";
import type { Limits } from "./limits.js";
import { Refusal } from "./refusal.js";

export interface Listening {
  readonly url: string;
  /** Takes no new connections, and resolves when the last one has ended; those that idle are ended at once. */
  close(): Promise<void>;
  /** Ends every connection. */
  destroy(): void;
}

export interface ListenOptions {
  readonly host: string;
  /** 0 for any that is free. */
  readonly port: number;
  readonly limits: Limits;
  /** Throws for those who may not come in. */
  readonly gate: (knock: Knock) => void;
  readonly headers: Readonly<Record<string, string>>;
  readonly log: (error: unknown) => void;
}

/** @throws `io` when the address cannot be used */
export async function listen(
  app: Hono<{ Bindings: HttpBindings }>,
  { host, port, limits, gate, headers, log }: ListenOptions,
): Promise<Listening> {
  const answer = getRequestListener((request, env) => app.fetch(request, env as HttpBindings));
  const fixed = Object.entries(headers);
  const server = createServer(
    {
      maxHeaderSize: limits.headerBytes,
      headersTimeout: Math.min(10_000, limits.receiveMs),
      requestTimeout: limits.receiveMs,
      connectionsCheckingInterval: 1000,
      keepAliveTimeout: 10_000,
    },
    (incoming, outgoing) => {
      for (const [name, value] of fixed) outgoing.setHeader(name, value);
      try {
        gate({ method: incoming.method ?? "", url: incoming.url ?? "", headers: incoming.headers });
      } catch (error) {
        return refuse(outgoing, error, log);
      }
      void answer(incoming, outgoing);
    },
  );
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Duplex) => turnAway(error, socket, log));
  server.maxConnections = limits.connections;
  server.maxHeadersCount = 100;
  // A client that takes nothing of its answer for so long is gone.
  server.setTimeout(2 * limits.receiveMs);
  await start(server, host, port);
  const address = server.address() as AddressInfo;
  return {
    url: `http://${address.family === "IPv6" ? `[${address.address}]` : address.address}:${address.port}`,
    close: () =>
      new Promise((resolve) => {
        // A connection is idle again after each answer.
        const sweep = setInterval(() => server.closeIdleConnections(), 50);
        server.close(() => {
          clearInterval(sweep);
          resolve();
        });
      }),
    destroy: () => server.closeAllConnections(),
  };
}

function start(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const reason =
        cause.code === "EADDRINUSE" ? "another program uses it; choose another --port" : messageOf(cause);
      reject(new CliptError("io", `Cannot listen at ${host}, port ${port}: ${reason}.`, { cause }));
    });
    server.listen(port, host, resolve);
  });
}

/** Answers what is no request: Node itself would answer, but with an empty body. */
function turnAway({ code = "" }: NodeJS.ErrnoException, socket: Duplex, log: (error: unknown) => void): void {
  if (code === "ECONNRESET" || !socket.writable) return void socket.destroy();
  const { status, body } = answerError(
    broken[code] ?? new CliptError("usage", "This is no HTTP request."),
    log,
  );
  const text = JSON.stringify(body);
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n\r\n${text}`,
  );
}

/** What Node's parser says of requests that HTTP has a word for. */
const broken: Readonly<Record<string, Refusal>> = {
  HPE_HEADER_OVERFLOW: new Refusal("headers", "The request's address and headers are too long."),
  ERR_HTTP_REQUEST_TIMEOUT: new Refusal("timeout", "The request took too long to arrive."),
};

function refuse(outgoing: ServerResponse, error: unknown, log: (error: unknown) => void): void {
  const { status, headers, body } = answerError(error, log);
  outgoing.writeHead(status, { "Content-Type": "application/json", ...headers, Connection: "close" });
  outgoing.end(JSON.stringify(body));
}

import { catalog, type Entry } from "../task/catalog.js";

/** What the command line offers, in the order of its help: every task, and the server of them. */
export const commands: readonly Entry[] = [
  ...catalog,
  {
    name: "serve",
    summary: "Open a page and an HTTP interface over an index",
    load: async () => (await import("../http/serve.js")).serve,
  },
];

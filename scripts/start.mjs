// npm start -- FOLDER…: builds what is stale, indexes the folders and opens the page; flags are those of `clipt serve`. Alone, it
// shows the example pictures, from an index that is forgotten at the end.
import "../bin/steady-memory.js";
import { fileURLToPath } from "node:url";
import { build } from "./build.mjs";

const given = process.argv.slice(2);
const examples = fileURLToPath(new URL("../examples/pictures", import.meta.url));
build(() => console.error("Compiling clipt, once after each change …"));
if (given.length === 0) console.error("These are example pictures. For your own: npm start -- FOLDER");
const { main } = await import("../dist/src/cli/main.js");
process.exitCode = await main(["serve", ...(given.length > 0 ? given : [examples, "--db", "memory:"])]);

import { main } from "../src/cli/main.js";

process.exitCode = await main(["serve", ...process.argv.slice(2)]);

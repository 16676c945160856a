/** Commands and recipes that the documents show are ones that clipt takes. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { Command } from "commander";
import { globSync } from "tinyglobby";
import { describeCommand, inputOf } from "../src/cli/command.js";
import { packageRoot } from "../src/package-root.js";
import { commands as known } from "../src/cli/commands.js";
import { settleRecipe } from "../src/train/index.js";

/** Everything in fences of a language. */
const fenced = (text: string, language: string): string[] =>
  Array.from(
    text.matchAll(new RegExp(`^ *\`\`\`${language}\n([^]*?)^ *\`\`\``, "gm")),
    ([, code = ""]) => code,
  );

/** Commands as words; lines end in a backslash where a command goes on. */
function commands(text: string): string[][] {
  const lines = fenced(text, "sh").flatMap((code) => code.replace(/\\\n/g, " ").split("\n"));
  return lines
    .map((line) =>
      Array.from(line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g), ([, a, b, c]) => a ?? b ?? c ?? ""),
    )
    .map((words) => (words[0] === "npx" ? words.slice(1) : words))
    .filter(([program, first]) => program === "clipt" && first?.startsWith("-") === false)
    .map(([, ...words]) => words.slice(0, words.includes("#") ? words.indexOf("#") : undefined));
}

/** @throws when a word is no flag, a value has the wrong form, or the task's schema refuses the whole */
async function check(words: readonly string[]): Promise<void> {
  const entry = known.find(({ name }) => name.split(" ").every((word, i) => words[i] === word));
  assert.ok(entry, `no such command: ${words.join(" ")}`);
  const { description } = await entry.load();
  const command = new Command().exitOverride().configureOutput({ writeErr: () => {} });
  describeCommand(command, description);
  command.parse(words.slice(entry.name.split(" ").length), { from: "user" });
  const result = description.input.safeParse(inputOf(description, command.processedArgs, command.opts()));
  assert.ok(result.success, `${words.join(" ")}: ${result.error?.message}`);
}

const pages = globSync(["*.md", "docs/*.md", "recipes/*/README.md"], { cwd: packageRoot });
const read = (page: string): string => readFileSync(join(packageRoot, page), "utf8");

for (const page of pages.sort())
  describe(page, () => {
    for (const words of commands(read(page))) test(`clipt ${words.join(" ")}`, () => check(words));
  });

for (const json of fenced(read("docs/training.md"), "json"))
  test(`docs/training.md: ${json.slice(0, 60).replace(/\s+/g, " ")} … is a recipe`, async () => {
    await settleRecipe(JSON.parse(json));
  });

for (const file of globSync("recipes/*/recipe.json", { cwd: packageRoot }))
  test(`${file} is a recipe whose own files are there`, async () => {
    await settleRecipe(JSON.parse(read(file)));
    for (const [path] of read(file).matchAll(/recipes\/[\w./-]+/g))
      assert.ok(existsSync(join(packageRoot, path)), path);
  });

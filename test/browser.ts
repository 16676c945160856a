import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";

const path = process.env.CLIPT_CHROMIUM ?? "/usr/bin/chromium";

/** Why pages cannot be tested here; false where they can. */
export const noBrowser = existsSync(path)
  ? false
  : `There is no Chromium at ${path}; CLIPT_CHROMIUM names another.`;

export const openBrowser = (): Promise<Browser> =>
  chromium.launch({ executablePath: path, args: ["--no-sandbox"] });

export interface OpenPage {
  readonly page: Page;
  /** What the browser complained about: errors of scripts, what the policy refused. */
  readonly complaints: string[];
}

/** A page of a visitor who was never here. */
export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<OpenPage> {
  const context = await browser.newContext({
    viewport: { width: 1200, height: 800 },
    locale: "en-GB",
    ...options,
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error.stack)));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  await page.goto(url);
  return { page, complaints };
}

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** What axe finds serious or critical, a line each. */
export async function seriousFindings(page: Page): Promise<string[]> {
  await page.evaluate(axeSource);
  const { violations } = await page.evaluate<{
    violations: { id: string; impact: string; nodes: { html: string }[] }[];
  }>("axe.run()");
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`));
}

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import type { Browser, BrowserContextOptions, Locator, Page } from "playwright-core";
import { packageRoot } from "../src/package-root.js";
import { noBrowser, openBrowser, openPage, seriousFindings } from "./browser.js";
import { startServer, type TestServer } from "./http-server.js";

const pictures = join(packageRoot, "examples", "pictures");
const port = 7791;

describe("the page", { skip: noBrowser }, () => {
  let db = "";
  let server: TestServer;
  let browser: Browser;
  const start = () => startServer({ folders: [pictures], db, port });

  before(async () => {
    db = mkdtempSync(join(tmpdir(), "clipt-page-"));
    [server, browser] = await Promise.all([start(), openBrowser()]);
    await server.settled();
  });
  after(async () => {
    await browser.close();
    await server.close();
    rmSync(db, { recursive: true, force: true });
  });

  /** Visits the page; at the end the browser must not have complained. */
  async function visit(
    address: string,
    look: (page: Page) => Promise<void>,
    options: BrowserContextOptions = {},
  ): Promise<void> {
    const { page, complaints } = await openPage(browser, `${server.url}/${address}`, options);
    try {
      await look(page);
      assert.deepEqual(complaints, []);
    } finally {
      await page.context().close();
    }
  }
  const searchBox = (page: Page): Locator => page.getByRole("searchbox");
  const tiles = (page: Page): Locator => page.locator(".grid .tile-picture");
  /** Waits until this file is the first result. */
  const firstIs = (page: Page, name: string): Promise<void> =>
    page.locator(`.cell[data-place="0"] [data-id$="/${name}"]`).waitFor();
  /** Holds the next answer from there back, until what it resolves to is called. */
  const held = (page: Page, from: string): Promise<() => void> =>
    new Promise((resolve, reject) => {
      page
        .route(from, (route) => new Promise<void>((go) => resolve(go)).then(() => route.continue()), {
          times: 1,
        })
        .catch(reject);
    });
  const address = (page: Page): string => new URL(page.url()).search;

  test("typing finds pictures, and going back undoes it", () =>
    visit("", async (page) => {
      await tiles(page).first().waitFor();
      assert.equal(await tiles(page).count(), 19);
      await searchBox(page).pressSequentially("a cup of coffee");
      await page.waitForURL(({ search }) => search === "?q=a+cup+of+coffee");
      await firstIs(page, "coffee.jpg");
      await page.goBack();
      await page.getByText("19 pictures").waitFor();
      assert.equal(await searchBox(page).inputValue(), "");
      await page.goForward();
      await firstIs(page, "coffee.jpg");
      assert.equal(await searchBox(page).inputValue(), "a cup of coffee");
    }));

  test("an address opens what it was copied from", () =>
    visit(`?q=a+rocket&open=${encodeURIComponent(join(pictures, "rocket.jpg"))}`, async (page) => {
      await page.getByRole("dialog", { name: "rocket.jpg" }).waitFor();
      await page.getByText("Why it is here").waitFor();
      await page.getByRole("button", { name: "Close" }).click();
      await firstIs(page, "rocket.jpg");
    }));

  test("an upload finds the same picture", () =>
    visit("", async (page) => {
      await page.locator('input[type="file"]').setInputFiles(join(pictures, "horse.jpg"));
      await firstIs(page, "horse.jpg");
      await page.getByRole("button", { name: "Leave this picture out" }).click();
      await page.getByText("19 pictures").waitFor();
    }));

  /** An expression: a transfer that carries a picture, as a clipboard or a mouse does. */
  const carrying = (name: string): string =>
    `(() => {
      const bytes = Uint8Array.from(atob("${readFileSync(join(pictures, name)).toString("base64")}"), (c) => c.charCodeAt(0));
      const transfer = new DataTransfer();
      transfer.items.add(new File([bytes], "${name}", { type: "image/jpeg" }));
      return transfer;
    })()`;

  test("a pasted picture is searched by, and so is a dropped one", () =>
    visit("", async (page) => {
      await tiles(page).first().waitFor();
      await page.evaluate(
        `dispatchEvent(new ClipboardEvent("paste", { clipboardData: ${carrying("moon.jpg")} }))`,
      );
      await firstIs(page, "moon.jpg");
      const transfer = carrying("flower.jpg");
      await page.evaluate(
        `dispatchEvent(new DragEvent("dragover", { dataTransfer: ${transfer}, cancelable: true }))`,
      );
      await page.getByText("Drop it").waitFor();
      await page.evaluate(
        `dispatchEvent(new DragEvent("drop", { dataTransfer: ${transfer}, cancelable: true }))`,
      );
      await firstIs(page, "flower.jpg");
      assert.equal(await page.getByText("Drop it").count(), 0);
    }));

  test("similar pictures: all the others, and words can be added", () =>
    visit("", async (page) => {
      await page.locator('[data-id$="/gravel.jpg"]').hover();
      await page
        .locator(".tile", { has: page.locator('[data-id$="/gravel.jpg"]') })
        .getByTitle("Find similar")
        .click();
      await page.locator(".query-picture").waitFor();
      await page.locator('[data-id$="/gravel.jpg"]').waitFor({ state: "detached" });
      assert.equal(await tiles(page).count(), 18);
      await searchBox(page).pressSequentially("a horse");
      await firstIs(page, "horse.jpg");
      assert.match(address(page), /picture=.*gravel\.jpg/);
    }));

  test("the keyboard is enough", () =>
    visit("", async (page) => {
      await tiles(page).first().waitFor();
      const focused = (): Promise<string> =>
        page.evaluate("document.activeElement.dataset.id ?? document.activeElement.id");
      await page.keyboard.press("/");
      await page.keyboard.type("a cat");
      await firstIs(page, "cat.jpg");
      await page.keyboard.press("ArrowDown");
      assert.equal(await focused(), join(pictures, "cat.jpg"));
      await page.keyboard.press("Enter");
      await page.getByRole("dialog", { name: "cat.jpg" }).waitFor();
      await page.keyboard.press("Escape");
      await page.getByRole("dialog").waitFor({ state: "detached" });
      assert.equal(await focused(), join(pictures, "cat.jpg"));
      // Keys that come faster than the page is drawn all count.
      await page.evaluate(`for (const key of ["ArrowRight", "ArrowRight", "ArrowLeft"])
        document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }))`);
      await page.locator('[data-place="1"]:focus, [data-place="1"] :focus').waitFor();
      const second = await focused();
      await page.keyboard.press("y");
      await page.getByText("Marked: 1 yes, 0 no").waitFor();
      await page.keyboard.press("y");
      await page.getByText("Marked:").waitFor({ state: "detached" });
      await page.keyboard.press("s");
      await page.locator(`[data-id="${second}"]`).waitFor({ state: "detached" });
      await page.keyboard.press("ArrowDown");
      await page.keyboard.press("Escape");
      await firstIs(page, "cat.jpg");
      await page.locator(`[data-id="${second}"][tabindex="0"]`).focus();
      await page.keyboard.press("Escape");
      assert.equal(await focused(), "search");
    }));

  test("filters narrow, and say so when nothing passes", () =>
    visit("?q=a+cat", async (page) => {
      const facets = held(page, "**/api/facets*");
      await page.getByRole("button", { name: "Filters" }).click();
      const condition = page.getByLabel("Condition");
      await condition.fill("name starts m");
      (await facets)();
      await page.getByLabel("Format").locator("option").nth(1).waitFor({ state: "attached" });
      assert.equal(await condition.inputValue(), "name starts m", "what is typed stays");
      await condition.press("Enter");
      await page.locator(".grid .tile-picture").nth(2).waitFor({ state: "detached" });
      await page.locator(".grid .tile-picture").nth(1).waitFor();
      await page.getByLabel("To", { exact: true }).fill("1980-01-01");
      await page.getByText("No picture passes these filters.").waitFor();
      await page.getByRole("button", { name: "Clear filters" }).click();
      await firstIs(page, "cat.jpg");
    }));

  test("a condition that cannot be read is explained", async () => {
    const { page } = await openPage(browser, `${server.url}/?where=nonsense`);
    await page.getByRole("alert").getByText("nonsense").waitFor();
    await page.context().close();
  });

  test("Russian by the browser's language, English by choice", () =>
    visit(
      "",
      async (page) => {
        await page.getByPlaceholder("Опишите снимок").waitFor();
        assert.equal(await page.locator("html").getAttribute("lang"), "ru");
        await page.getByText("19 снимков").waitFor();
        await searchBox(page).pressSequentially("лошадь");
        await firstIs(page, "horse.jpg");
        await page.getByRole("button", { name: "Настройки" }).click();
        await page.getByRole("radio", { name: "English" }).check();
        await page.getByPlaceholder("Describe a picture").waitFor();
        await page.reload();
        await page.getByPlaceholder("Describe a picture").waitFor();
      },
      { locale: "ru-RU" },
    ));

  test("what is not here is said not to be here, and the nearest are marked", () =>
    visit("?q=a+helicopter", async (page) => {
      await page.getByRole("status").getByText("Nothing here seems to match").waitFor();
      assert.equal(await page.locator('.tile[data-doubt="strong"]').count(), 19);
    }));

  test("labels of one's own are compared with a picture", () =>
    visit(`?view=labels&picture=${encodeURIComponent(join(pictures, "horse.jpg"))}`, async (page) => {
      await page.getByLabel("Labels, one a line").fill("a rocket\na horse\na cup");
      const best = page.locator(".bar").first();
      await best.getByText("a horse").waitFor();
      const bar = best.getByRole("meter");
      assert.ok(Number(await bar.getAttribute("aria-valuenow")) > 0);
      await page.locator(".bar").last().getByText("none of these").waitFor();
      assert.match(address(page), /labels=a\+rocket%2Ca\+horse%2Ca\+cup/);
    }));

  test("parts of a query have signs", () =>
    visit("?q=a+cat", async (page) => {
      await firstIs(page, "cat.jpg");
      await searchBox(page).fill('"an animal" - "a cat" - "a pet"');
      await page.locator('.cell[data-place="0"] [data-id$="/cat.jpg"]').waitFor({ state: "detached" });
    }));

  test("copies: none among the examples, and lookalikes have a place of their own", () =>
    visit("?view=duplicates", async (page) => {
      await page.getByText("No two files are equal.").waitFor();
      await page.getByRole("button", { name: "The same picture" }).click();
      await page.getByText("No picture is there twice.").waitFor();
      const answers = [{ state: "computing", done: 0.25 }];
      await page.route("**/api/duplicates?kind=lookalike", async (route) => {
        const json = answers.shift();
        await (json === undefined ? route.continue() : route.fulfill({ json }));
      });
      await page.getByRole("button", { name: "Lookalikes" }).click();
      await page.getByText(/Comparing pictures … 25\s?%/).waitFor();
      await page.getByText(/^(No lookalikes\.|\d+ groups?)$/).waitFor();
    }));

  test("the map can be wandered by keys, and its pictures opened", () =>
    visit("?view=map", async (page) => {
      const map = page.getByRole("application", { name: "Map of the pictures" });
      await map.waitFor();
      const listed = () => page.locator(".map-list button").first().getAttribute("aria-label");
      await map.focus();
      const before = await listed();
      for (let i = 0; i < 12; i++) await page.keyboard.press(i < 4 ? "+" : "ArrowRight");
      assert.notEqual(await listed(), before);
      await page.locator(".map-list button").first().click();
      await page.getByRole("dialog").waitFor();
    }));

  test("a hundred thousand pictures scroll: only those in view exist", async () => {
    const { page } = await openPage(browser, "about:blank");
    const total = 100_000;
    // The server's part is tested with the server; here it answers for a collection that no test could index.
    await page.route("**/api/pictures?*", async (route) => {
      const offset = Number(new URL(route.request().url()).searchParams.get("offset"));
      const results = Array.from({ length: Math.min(60, total - offset) }, (_, i) => ({
        id: `/many/${offset + i}.jpg`,
        fields: { name: `${offset + i}.jpg` },
      }));
      await route.fulfill({ json: { results, total } });
    });
    await page.route("**/api/thumbnail?*", (route) => route.abort());
    await page.goto(server.url);
    await tiles(page).first().focus();
    await page.keyboard.press("End");
    await page.locator('[data-id="/many/99999.jpg"]').waitFor();
    assert.ok((await tiles(page).count()) < 150);
    await page.evaluate("scrollTo(0, document.documentElement.scrollHeight / 2)");
    await page.locator('[data-id="/many/50000.jpg"]').waitFor();
    await page.context().close();
  });

  test("a server that comes back is found again", async () => {
    const { page } = await openPage(browser, server.url);
    await tiles(page).first().waitFor();
    await server.close();
    await page.getByText("The server does not answer").waitFor();
    server = await start();
    await page.getByText("The server does not answer").waitFor({ state: "detached" });
    await searchBox(page).pressSequentially("a rocket");
    await firstIs(page, "rocket.jpg");
    await page.context().close();
  });

  for (const colorScheme of ["light", "dark"] as const)
    test(`axe has no serious findings (${colorScheme})`, () =>
      visit(
        "",
        async (page) => {
          await tiles(page).first().waitFor();
          const look = async (part: string): Promise<void> =>
            assert.deepEqual(await seriousFindings(page), [], part);
          await page.getByRole("button", { name: "Filters" }).click();
          await look("pictures and filters");
          await searchBox(page).pressSequentially("a cat");
          await firstIs(page, "cat.jpg");
          await look("results");
          await tiles(page).first().click();
          await page.getByText("Why it is here").waitFor();
          await look("details");
          await page.keyboard.press("Escape");
          await page.getByRole("button", { name: "Settings" }).click();
          await look("settings");
          await page.keyboard.press("Escape");
          for (const view of ["Map", "Copies", "Labels"]) {
            await page.getByRole("link", { name: view }).click();
            await page.locator(".map canvas, .duplicates, .labels").first().waitFor();
            await look(view);
          }
        },
        { colorScheme },
      ));

  test("it is small, and the first result is there at once", async (t) => {
    const { page } = await openPage(browser, "about:blank");
    const sizes: number[] = [];
    page.on("response", (response) => {
      if (!new URL(response.url()).pathname.startsWith("/api/"))
        void response.body().then((body) => sizes.push(gzipSync(body).length));
    });
    const start = performance.now();
    await page.goto(`${server.url}/?q=a+cat`);
    await page.locator(".tile-picture img.loaded").first().waitFor();
    const ms = performance.now() - start;
    await page.waitForLoadState("networkidle");
    const size = sizes.reduce((a, b) => a + b, 0);
    t.diagnostic(
      `${(size / 1000).toFixed(1)} kB in ${sizes.length} files; first result after ${ms.toFixed(0)} ms`,
    );
    assert.ok(size < 150_000, `${size} bytes`);
    await page.context().close();
  });
});

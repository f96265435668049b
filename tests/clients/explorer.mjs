// Opens the explorer of RAPPORT_URL in Chromium, runs its first example and looks at the rows.
// Fails if there are none, if the page logs an error, or if it asks any other host for anything.
// RAPPORT_TOKEN is typed in unless the page comes with a token; RAPPORT_SCREENSHOT names a PNG to write.
import assert from "node:assert/strict";
import { chromium } from "playwright-core";

const base = new URL(process.env.RAPPORT_URL ?? "http://127.0.0.1:8080");
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

try {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  const strangers = [];
  const complaints = [];
  page.on("request", (request) => {
    const address = new URL(request.url());
    if (address.protocol !== "data:" && address.host !== base.host) strangers.push(request.url());
    if (process.env.RAPPORT_TOKEN) assert(!request.url().includes(process.env.RAPPORT_TOKEN), "a token stands in an address");
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));

  await page.goto(base.href);
  const token = page.locator("#token");
  if (!(await token.inputValue())) {
    assert(process.env.RAPPORT_TOKEN, "the page has no token: set RAPPORT_TOKEN");
    await token.fill(process.env.RAPPORT_TOKEN);
  }
  const tabs = page.locator(".graphiql-tab");
  await tabs.first().waitFor();
  assert.equal(await tabs.count(), 7, "each example is a tab");

  await page.locator(".graphiql-execute-button").click();
  const shown = () => document.querySelector(".result-window .CodeMirror")?.CodeMirror.getValue();
  await page.waitForFunction(() => document.querySelector(".result-window .CodeMirror")?.CodeMirror.getValue().trim());
  if (process.env.RAPPORT_SCREENSHOT) await page.screenshot({ path: process.env.RAPPORT_SCREENSHOT });
  const answer = JSON.parse(await page.evaluate(shown));
  assert.equal(answer.errors, undefined, JSON.stringify(answer.errors));
  const rows = answer.data.feedbackRecordGroups.nodes;
  assert(rows.length > 0, "the first example shows no rows");
  assert.deepEqual(strangers, [], "the page asked another host");
  assert.deepEqual(complaints, [], "the page complained");
  console.log(`explorer: ${rows.length} rows, no other host`);
} finally {
  await browser.close();
}

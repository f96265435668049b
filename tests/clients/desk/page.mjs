// What the checks of the desk share: the API beside the page, axe-core, and how a page is read and used.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

export const base = process.env.RAPPORT_URL ?? "http://127.0.0.1:8080";
export const token = process.env.RAPPORT_TOKEN;
assert(token && process.env.RAPPORT_READER_TOKEN, "set RAPPORT_TOKEN and RAPPORT_READER_TOKEN");
export const url = `${base}/graphql`;
const axe = readFileSync(new URL("../node_modules/axe-core/axe.min.js", import.meta.url), "utf8");

/** Asks the API beside the page. */
export async function ask(query, variables = {}) {
  const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
  const response = await fetch(url, { method: "POST", headers, body: JSON.stringify({ query, variables }) });
  const { data, errors } = await response.json();
  assert.equal(errors, undefined, JSON.stringify(errors));
  return data;
}

export const found = { strangers: [], complaints: [], pages: 0 };

/** Looks at the page as axe does, wide and narrow, light and dark; it must fit into the window. */
export async function look(page, name, { isWhole = true } = {}) {
  for (const colorScheme of ["dark", "light"]) {
    for (const width of [360, 1280]) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 900 });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      assert(wide <= width, `${name} needs ${wide} pixels of ${width}`);
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => window.axe.run());
      const said = violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join(" ")}`);
      assert.deepEqual(said, [], `${name}, ${colorScheme}, ${width} pixels`);
      if (process.env.RAPPORT_SCREENSHOTS) {
        await page.screenshot({ path: `${process.env.RAPPORT_SCREENSHOTS}/${name}-${colorScheme}-${width}.png`, fullPage: isWhole });
      }
    }
  }
  found.pages += 1;
}

/** Goes with the Tab key to the control of this label. */
export async function tabTo(page, label) {
  const wanted = await page.getByLabel(label, { exact: true }).elementHandle();
  for (let step = 0; step < 40; step += 1) {
    await page.keyboard.press("Tab");
    if (await wanted.evaluate((element) => element === document.activeElement)) return;
  }
  assert.fail(`the Tab key does not reach ${label}`);
}

export const title = (page, text) => page.getByRole("heading", { level: 1, name: text, exact: true }).waitFor();
export const said = (page, text) => page.locator(".said", { hasText: text }).waitFor();

/** The text of the mistake that a control is described by, and whether the control has the focus. */
export async function mistakeAt(page, label) {
  const control = page.getByLabel(label, { exact: true }).and(page.locator("[aria-invalid=true]"));
  await control.waitFor();
  // The first field with a mistake is given the focus a moment later.
  await page.locator("[aria-invalid=true]:focus, fieldset:has(> .mistake) input:focus").waitFor();
  return control.evaluate((element) => ({
    text: element.getAttribute("aria-describedby").split(" ").map((id) => document.getElementById(id).textContent).join(" "),
    hasFocus: element === document.activeElement,
  }));
}

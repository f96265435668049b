// The diagrams in tests/it/golden before their real readers: Graphviz, Mermaid and Chromium.
// Fails if one refuses them, or if texts as Chromium sets them lie on one another, leave the picture or their box.
// RAPPORT_SCREENSHOTS names a folder for PNGs.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { chromium } from "playwright-core";

const folder = new URL("../it/golden/", import.meta.url);
const files = (ending) => readdirSync(folder).filter((name) => name.endsWith(ending)).map((name) => [name, readFileSync(new URL(name, folder), "utf8")]);

for (const [name, text] of files(".dot")) {
  const drawn = spawnSync("dot", ["-Tsvg"], { input: text, encoding: "utf8" });
  assert.equal(drawn.status, 0, `${name}: ${drawn.error ?? drawn.stderr}`);
  // Without its fonts it says that it takes others.
  const complaints = drawn.stderr.split("\n").filter((line) => line && !/font|pango/i.test(line));
  assert.deepEqual(complaints, [], name);
  assert(drawn.stdout.includes("</svg>"), name);
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
try {
  const page = await browser.newPage();
  const strangers = [];
  const complaints = [];
  page.on("request", (request) => /^https?:/.test(request.url()) && strangers.push(request.url()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("dialog", (dialog) => (complaints.push(dialog.message()), dialog.dismiss()));

  for (const [name, text] of files(".svg")) {
    await page.setContent(`<body style="margin:0">${text}</body>`);
    const found = await page.evaluate(() => {
      const area = (node) => {
        const { x, y, width, height } = node.getBBox();
        return { text: node.textContent, left: x, top: y, right: x + width, bottom: y + height };
      };
      const texts = [...document.querySelectorAll("text")].map(area);
      const names = [...document.querySelectorAll("g[role=group]")].map((group) => [area(group.querySelector(".name")), area(group.querySelector(".box"))]);
      return { texts, names, whole: document.querySelector("svg").viewBox.baseVal.width, height: document.querySelector("svg").viewBox.baseVal.height };
    });
    const { texts, names, whole, height } = found;
    // Letters of some fonts reach a little above and below their line.
    const slack = 3;
    const inside = (one, other) => one.left >= other.left && one.right <= other.right && one.top >= other.top - slack && one.bottom <= other.bottom + slack;
    for (const [place, text] of texts.entries()) {
      assert(inside(text, { left: 0, top: 0, right: whole, bottom: height }), `${name}: "${text.text}" leaves the picture`);
      const other = texts.slice(place + 1).find((other) => text.left < other.right && other.left < text.right && text.top + slack < other.bottom - slack && other.top + slack < text.bottom - slack);
      assert(!other, `${name}: "${text.text}" lies on "${other?.text}"`);
    }
    for (const [text, box] of names) assert(inside(text, box), `${name}: "${text.text}" leaves its box`);
    if (process.env.RAPPORT_SCREENSHOTS) {
      await page.setViewportSize({ width: Math.ceil(whole), height: Math.ceil(height) });
      await page.screenshot({ path: `${process.env.RAPPORT_SCREENSHOTS}/${name}.png` });
    }
  }

  await page.setContent("<body></body>");
  await page.addScriptTag({ path: new URL("node_modules/mermaid/dist/mermaid.min.js", import.meta.url).pathname });
  for (const [name, text] of files(".mmd")) {
    const drawn = await page.evaluate(async (text) => {
      mermaid.initialize({ startOnLoad: false });
      const parsed = await mermaid.parse(text);
      const { svg } = await mermaid.render("drawn", text);
      document.body.innerHTML = svg;
      return { kind: parsed.diagramType, shown: document.body.textContent, scripts: document.querySelectorAll("script:not([src])").length };
    }, text);
    assert.match(drawn.kind, /^flowchart/, name);
    for (const [, word] of text.matchAll(/^step\d+\["([A-Za-z ]+)/gm)) assert(drawn.shown.includes(word), `${name} does not show ${word}`);
  }
  assert.deepEqual(strangers, [], "a diagram asked for something");
  assert.deepEqual(complaints, [], "a diagram complained");
} finally {
  await browser.close();
}
console.log(`diagrams: ${[".svg", ".dot", ".mmd"].map((ending) => `${files(ending).length} ${ending}`).join(", ")}`);

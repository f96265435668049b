// Plays a day at the desk of examples/desk in Chromium, and compares what it shows with what the API has stored: a complaint
// is recorded, routed, becomes a case, and is handled until the customer was told. axe-core looks at every page, in wide and
// narrow windows, light and dark. RAPPORT_URL is a demo that nobody has changed, whose --cors-origin allows
// http://127.0.0.1:DESK_PORT; RAPPORT_TOKEN is one of its subject "demo", RAPPORT_READER_TOKEN one that may only read. RAPPORT_SCREENSHOTS names a folder for PNGs.
import assert from "node:assert/strict";
import { chromium } from "playwright-core";
import { endings, makePlaybook, makeWork, mayNotEnd, myWork } from "./desk/follow-ups.mjs";
import { ask, base, found, look, mistakeAt, said, tabTo, title, token, url } from "./desk/page.mjs";
import { serve } from "./static.mjs";

const port = Number(process.env.DESK_PORT ?? 4173);
const point = "Mortgage / Loan modification,collection,foreclosure";

async function signIn(page, origin) {
  await page.goto(`${origin}/`);
  await title(page, "Go to your desk");
  await look(page, "sign-in");
  await page.getByLabel("Address of the API").fill(url);
  await page.getByLabel("Token").fill("no token");
  await page.getByRole("button", { name: "Begin" }).click();
  await page.getByRole("alert").waitFor();
  await page.getByLabel("Token").fill(token);
  await page.getByRole("button", { name: "Begin" }).click();
  await title(page, "Record a complaint");
  await page.getByRole("button", { name: "Leave" }).click();
  await title(page, "Go to your desk");
}

async function record(page, origin) {
  await page.goto(`${origin}/#url=${encodeURIComponent(url)}&token=${token}`);
  await title(page, "Record a complaint");
  assert(!page.url().includes(token), "the token stays in the address");
  await look(page, "record");
  // With the keyboard alone.
  await tabTo(page, "Customer");
  await page.keyboard.type("Joan Reed");
  await tabTo(page, "Where did it happen?");
  await page.keyboard.type("Mortgage: Loan mod");
  await tabTo(page, "How did it reach us?");
  await page.keyboard.type("Phone");
  await tabTo(page, "What did the customer say?");
  await page.keyboard.type("They want to sell our house\nalthough the new plan was agreed in May.");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await title(page, "A complaint and its way");
  assert.equal(await page.evaluate(() => document.activeElement.tagName), "H1", "a new page begins at its title");
  const id = page.url().split("/").at(-1);
  const { feedbackRecord } = await ask(
    "query Q($id: ID!) { feedbackRecord(by: { id: $id }) { body kind customer { name } point { externalIds { id } } medium { name } routings { nodes { reason department { name } } } cases { nodes { id } } } }",
    { id },
  );
  const { routings, cases, ...stored } = feedbackRecord;
  assert.deepEqual(stored, {
    body: "They want to sell our house\nalthough the new plan was agreed in May.", kind: "COMPLAINT",
    customer: { name: "Joan Reed" }, point: { externalIds: [{ id: point }] }, medium: { name: "Phone" },
  });
  assert.equal(await page.locator("#department").textContent(), routings.nodes[0].department.name);
  assert.equal(routings.nodes[0].department.name, "Mortgages");
  assert.equal(await page.locator("#reason").textContent(), routings.nodes[0].reason);
  await look(page, "routed");
  await page.getByRole("link", { name: "They want to sell our house" }).click();
  await title(page, "They want to sell our house");
  return cases.nodes[0].id;
}

const STORED = `query Stored($id: ID!) { case(by: { id: $id }) {
  stage version severity disposition listeningNote resolution toldWhat toldAt toldMedium { name }
  attempts { nodes { tried rootCause hasWorked } } history { nodes { transition } } trace { kind }
} }`;
const stored = async (id) => (await ask(STORED, { id })).case;

async function handle(page, id) {
  await look(page, "case");
  await page.getByRole("button", { name: "It is acknowledged" }).click();
  await said(page, "The case is acknowledged.");
  assert.equal((await stored(id)).stage, "ACKNOWLEDGED");

  await page.getByLabel("How bad is it for the customer?").selectOption("MAJOR");
  await page.getByLabel("A problem to be solved").check();
  await page.locator("details[open]").getByLabel("What did you hear?").fill("Three letters, and nobody who answers.");
  await page.getByRole("button", { name: "It is assessed" }).click();
  await said(page, "The case is assessed.");
  const { stage, severity, disposition, listeningNote } = await stored(id);
  assert.deepEqual({ stage, severity, disposition, listeningNote }, { stage: "ASSESSED", severity: "MAJOR", disposition: "REAL_PROBLEM", listeningNote: "Three letters, and nobody who answers." });

  // Somebody else is faster: nothing is lost, and the second try is upon what is there.
  await ask("mutation M($id: ID!) { caseUpdate(input: { by: { id: $id }, summary: \"The plan lies in the file.\" }) { outcome } }", { id });
  await page.getByRole("button", { name: "Begin the investigation" }).click();
  await page.getByRole("alert").filter({ hasText: "Somebody else changed this case" }).waitFor();
  assert.equal((await stored(id)).stage, "ASSESSED");
  await look(page, "conflict");
  await page.getByRole("button", { name: "Begin the investigation" }).click();
  await said(page, "The investigation has begun.");
  await page.getByRole("alert").waitFor({ state: "detached" });

  // Too early: nobody has told the customer, and nothing has worked.
  await page.locator("summary", { hasText: "Close" }).click();
  await page.getByRole("button", { name: "Close the case" }).click();
  const early = await mistakeAt(page, "What was the customer told?");
  const { case: { version } } = await ask("query Q($id: ID!) { case(by: { id: $id }) { version } }", { id });
  const { caseClose } = await ask("mutation M($input: CaseCloseInput!) { caseClose(input: $input) { errors { message path } } }", { input: { by: { id }, resolution: "SOLVED", expectedVersion: version } });
  const expected = caseClose.errors.find(({ path }) => path[0] === "toldWhat").message;
  assert(early.text.toLowerCase().includes(expected.toLowerCase()), `${early.text} is not ${expected}`);
  assert((await mistakeAt(page, "How did it end?")).hasFocus, "the first field with a mistake has no focus");
  assert.equal((await stored(id)).stage, "INVESTIGATED");
  await look(page, "mistake", { isWhole: false });
  await page.locator("summary", { hasText: "Close" }).click();

  await page.locator("summary", { hasText: "Write down an attempt" }).click();
  await page.getByRole("button", { name: "Save the attempt" }).click();
  assert((await mistakeAt(page, "What did you try?")).hasFocus);
  await page.getByLabel("What was wrong?").fill("The agreement was filed under another loan.");
  await page.getByLabel("What did you try?").fill("Moved it, and stopped the sale.");
  await page.getByLabel("Yes", { exact: true }).check();
  await page.getByRole("button", { name: "Save the attempt" }).click();
  await said(page, "The attempt is saved.");
  assert.deepEqual((await stored(id)).attempts.nodes, [{ tried: "Moved it, and stopped the sale.", rootCause: "The agreement was filed under another loan.", hasWorked: true }]);

  await page.getByRole("button", { name: "It is decided" }).click();
  await said(page, "The decision is recorded.");
  const tell = page.locator("details[open]");
  await tell.getByLabel("What was the customer told?").fill("The sale is off, and the plan of May holds.");
  await page.getByRole("button", { name: "The customer was told" }).click();
  assert((await mistakeAt(page, "By which medium?")).hasFocus);
  await tell.getByLabel("By which medium?").selectOption({ label: "Phone" });
  await page.getByRole("button", { name: "The customer was told" }).click();
  await said(page, "The customer was told.");
  await page.getByLabel("How did it end?").selectOption("SOLVED");
  await page.getByRole("button", { name: "Close the case" }).click();
  await said(page, "The case is closed.");
  await look(page, "closed");

  const { version: _, toldAt, history, trace, ...end } = await stored(id);
  assert.deepEqual(end, {
    stage: "CLOSED", severity: "MAJOR", disposition: "REAL_PROBLEM", listeningNote: "Three letters, and nobody who answers.", resolution: "SOLVED",
    toldWhat: "The sale is off, and the plan of May holds.", toldMedium: { name: "Phone" },
    attempts: { nodes: [{ tried: "Moved it, and stopped the sale.", rootCause: "The agreement was filed under another loan.", hasWorked: true }] },
  });
  assert(toldAt);
  assert.deepEqual(history.nodes.map(({ transition }) => transition), ["ACKNOWLEDGE", "ASSESS", "INVESTIGATE", "RESPOND", "COMMUNICATE", "CLOSE"]);
  assert.equal(await page.locator(".trace li").count(), trace.length);
  assert.equal(await page.locator(".stages [aria-current=step]").textContent().then((text) => text.startsWith("Closed")), true);
}

/** Gives the case on the page to the member who is the caller. */
async function take(page) {
  await page.locator("summary", { hasText: "Hand it to somebody" }).click();
  await page.getByLabel("Owner", { exact: true }).selectOption({ label: "Robin Vale" });
  await page.getByRole("button", { name: "Hand it over" }).click();
  await said(page, "The case has another owner.");
}

/** Another complaint, of a customer who is known, that no rule makes a case of. */
async function openByHand(page) {
  await page.getByRole("link", { name: "Record a complaint" }).click();
  await title(page, "Record a complaint");
  await page.getByLabel("Customer", { exact: true }).fill("joan");
  await page.getByLabel("Joan Reed").check();
  await page.getByLabel("What did the customer say?").fill("And the letters are rude.");
  await page.getByRole("button", { name: "Record", exact: true }).click();
  await title(page, "A complaint and its way");
  await page.getByLabel("The problem in a few words").fill("");
  await page.getByRole("button", { name: "Open a case" }).click();
  assert((await mistakeAt(page, "The problem in a few words")).hasFocus);
  await look(page, "open");
  await page.getByLabel("The problem in a few words").fill("Rude letters");
  await page.getByLabel("What does the customer want?").fill("An apology");
  await page.getByRole("button", { name: "Open a case" }).click();
  await title(page, "Rude letters");
  await take(page);
  const id = page.url().split("/").at(-1);
  const { case: one, customers } = await ask(
    "query Q($id: ID!) { case(by: { id: $id }) { remedySought customer { name } assignee { subject } feedbackRecords { nodes { body } } } customers(filter: { name: { eq: \"Joan Reed\" } }) { totalCount } }",
    { id },
  );
  assert.deepEqual(one, { remedySought: "An apology", customer: { name: "Joan Reed" }, assignee: { subject: "demo" }, feedbackRecords: { nodes: [{ body: "And the letters are rude." }] } });
  assert.equal(customers.totalCount, 1, "a known customer was made anew");
  return id;
}

async function journey(page) {
  await page.getByRole("link", { name: "Journey", exact: true }).click();
  await title(page, "A journey and its open cases");
  await page.locator(".picture svg").waitFor();
  const { journeys } = await ask("{ journeys(first: 1, orderBy: [{ field: TITLE }]) { nodes { steps(first: 50, orderBy: [{ field: POSITION }]) { nodes { label point { id name cases(filter: { stage: { neq: CLOSED } }) { totalCount } } } } } } }");
  const steps = journeys.nodes[0].steps.nodes;
  const busy = steps.map(({ label, point }, index) => ({ place: index + 1, name: label || point.name, id: point.id, count: point.cases.totalCount })).filter(({ count }) => count > 0);
  assert(busy.length > 0);
  assert.equal(await page.locator(".badge").count(), busy.length);
  for (const { place, name, id, count } of busy) {
    const badge = page.getByRole("link", { name: `${name}: ${count} open` });
    assert.equal(await badge.getAttribute("href"), `#/work?point=${id}`);
    const [box, mark] = [await page.locator(`.picture g[role=group][aria-label="${place}"] > .box`).boundingBox(), await badge.boundingBox()];
    assert(mark.x < box.x + box.width && mark.x + mark.width > box.x && mark.y < box.y + box.height && mark.y + mark.height > box.y, `the number of ${name} does not lie on its box`);
    // The box is that of the step: its name stands in it, broken into lines.
    const shown = await page.locator(`.picture g[role=group][aria-label="${place}"] > .name`).evaluate((text) => text.textContent);
    assert.equal(shown.replace(/\s/g, ""), name.replace(/\s/g, ""));
  }
  await page.locator(".badge").last().scrollIntoViewIfNeeded();
  await look(page, "journey", { isWhole: false });
  const last = busy.at(-1);
  await page.getByRole("link", { name: `${last.name}: ${last.count} open` }).focus();
  await page.keyboard.press("Enter");
  await page.locator("[aria-live]", { hasText: `One point: ${last.count} open` }).waitFor();
}

/** Somebody who may read some of it: the rest is shown, and what is refused says why. */
async function mayNot(page, origin) {
  await page.goto(`${origin}/#url=${encodeURIComponent(url)}&token=${process.env.RAPPORT_READER_TOKEN}`);
  await page.getByRole("link", { name: "Record a complaint" }).click();
  await title(page, "Record a complaint");
  const count = async () => (await ask("{ feedbackRecords { totalCount } }")).feedbackRecords.totalCount;
  const before = await count();
  await page.getByLabel("What did the customer say?").fill("Nobody may write this down");
  await page.getByRole("button", { name: "Record", exact: true }).click();
  await page.getByRole("alert").filter({ hasText: "record:write" }).waitFor();
  assert.equal(await page.getByLabel("What did the customer say?").inputValue(), "Nobody may write this down", "what was typed is lost");
  assert.equal(await count(), before);
}

const desk = await serve(new URL("../../examples/desk/dist/", import.meta.url), port);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
try {
  const page = await browser.newPage({ locale: "en-GB", timezoneId: "America/New_York" });
  page.setDefaultTimeout(10_000);
  page.on("request", (request) => {
    if (!request.url().startsWith("data:") && ![new URL(base).origin, desk.origin].includes(new URL(request.url()).origin)) found.strangers.push(request.url());
  });
  page.on("pageerror", (error) => found.complaints.push(String(error)));
  // A token that is refused is answered 401, which Chromium writes into the console.
  page.on("console", (message) => message.type() === "error" && !message.text().includes("401") && found.complaints.push(message.text()));
  await signIn(page, desk.origin);
  await makePlaybook();
  const id = await record(page, desk.origin);
  await handle(page, id);
  const followUp = await makeWork(await openByHand(page));
  await myWork(page, id);
  await endings(page, followUp);
  await journey(page);
  await mayNot(page, desk.origin);
  await mayNotEnd(page, followUp);
  assert.deepEqual(found.strangers, [], "the page asked another host");
  assert.deepEqual(found.complaints, [], "the page complained");
  console.log(`desk: from the complaint to the customer who was told; ${found.pages} pages without a violation`);
} finally {
  await browser.close();
  desk.close();
}

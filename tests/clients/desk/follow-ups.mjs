// What is mine at the desk, cases and follow-ups in one list, and how a follow-up is put off, done, skipped and opened again.
import assert from "node:assert/strict";
import { ask, look, mistakeAt, said, title } from "./page.mjs";

const THANKS = "Thank for the complaint";
const CALL = "Tell Joan Reed who wrote the letters";

/** Sends a mutation that must be taken, and returns its payload. */
async function change(name, type, input, selection) {
  const { payload } = await ask(`mutation M($input: ${type}!) { payload: ${name}(input: $input) { ${selection} errors { code message path } } }`, { input });
  assert.deepEqual(payload.errors, [], name);
  return payload;
}

/** The message of the API for what it refuses at a field. */
async function refused(name, type, input) {
  const { payload } = await ask(`mutation M($input: ${type}!) { payload: ${name}(input: $input) { errors { message path } } }`, { input });
  return payload.errors[0].message;
}

async function me() {
  return (await ask('{ members(filter: { subject: { eq: "demo" } }) { nodes { id } } }')).members.nodes[0];
}

/** From now on, the caller is to thank for each complaint that is recorded. */
export async function makePlaybook() {
  const input = {
    name: "Thank who complains", trigger: "FEEDBACK_RECEIVED", feedbackRecordFilter: { kind: { eq: "COMPLAINT" } }, kind: "THANK", title: THANKS,
    offsetMinutes: 1440, ownerRef: await me(),
  };
  await change("playbookCreate", "PlaybookCreateInput", input, "node { id }");
}

/** Gives the caller a follow-up about a case, and more work than fits on a page. Returns the id of the former. */
export async function makeWork(caseId) {
  const [owner, { case: one, mediums }] = [
    await me(),
    await ask("query Q($id: ID!) { case(by: { id: $id }) { department { id } customer { id } } mediums(first: 1) { nodes { id } } }", { id: caseId }),
  ];
  const mine = { ownerRef: owner, departmentRef: one.department };
  const inDays = (days) => new Date(Date.now() + days * 86_400_000).toISOString();
  const call = {
    ...mine, title: CALL, kind: "TELL_OUTCOME", note: "After six o'clock", dueAt: inDays(-1), caseRef: { id: caseId }, customerRef: one.customer, mediumRef: mediums.nodes[0],
  };
  const { node } = await change("followUpCreate", "FollowUpCreateInput", call, "node { id }");
  // Some at the same time: they have an order, too.
  const rows = Array.from({ length: 30 }, (_, place) => ({
    ...mine, externalId: { system: "desk", id: `share-${place}` }, title: `Share the leaflet (${place})`, kind: "SHARE", dueAt: inDays(3 + (place % 4)),
  }));
  const { results } = await change("followUpsBulkUpsert", "FollowUpsBulkUpsertInput", { rows }, "results { errors { message } }");
  assert(results.every(({ errors }) => errors.length === 0));
  return node.id;
}

const MY_WORK = `query MyWork($department: DepartmentRef) { myWork(first: 1000, department: $department) { edges { kind dueAt isOverdue node {
  ... on Case { id title customer { name } }
  ... on FollowUp { id title customer { name } }
} } } }`;

/** What the API has, as the page shows it. */
async function expected(department) {
  const { myWork } = await ask(MY_WORK, { department });
  return myWork.edges.map(({ kind, dueAt, isOverdue, node }) => ({
    href: `#/${kind === "CASE" ? "case" : "follow-up"}/${node.id}`, title: node.title, dueAt, isOverdue, isFollowUp: kind === "FOLLOW_UP", hasCustomer: node.customer?.name ?? "",
  }));
}

/** What the page shows; a customer counts only if it is the one that is expected there. */
async function shown(page, list) {
  const items = await page.locator(".work li").evaluateAll((items) =>
    items.map((item) => ({
      href: item.querySelector("a").getAttribute("href"), title: item.querySelector("a").textContent, dueAt: item.querySelector("time")?.dateTime ?? null,
      isOverdue: item.querySelector(".over") !== null, about: item.querySelector(".hint:last-child").textContent.split(" · "),
    })));
  return items.map(({ about, ...item }, place) => {
    const customer = list[place]?.hasCustomer ?? "";
    return { ...item, isFollowUp: about[0] === "Follow-up", hasCustomer: about.includes(customer) ? customer : "" };
  });
}

const told = (page, text) => page.locator("main [aria-live]").getByText(text, { exact: true }).waitFor();

/** Shows a list of cases and follow-ups to its end, and compares it with the API's. */
async function compare(page, name, department) {
  const list = await expected(department);
  assert(list.length > 25, `${name} has one page only`);
  for (let end = 25; end < list.length; end += 25) {
    await told(page, `${name}: the first ${end}, by what is due.`);
    assert.deepEqual(await shown(page, list), list.slice(0, end));
    await page.getByRole("button", { name: "Show more" }).press("Enter");
    await page.locator(`.work li:nth-child(${end + 1}) > a:focus`).waitFor();
  }
  await told(page, `${name}: all ${list.length}, by what is due.`);
  assert.deepEqual(await shown(page, list), list);
  assert.equal(await page.getByRole("button", { name: "Show more" }).count(), 0);
  return list;
}

/** What is mine by what is due, what is a department's, and what is everybody's. The closed case is nobody's work any more. */
export async function myWork(page, closed) {
  await page.getByRole("link", { name: "My work" }).click();
  await title(page, "My work");
  const mine = await compare(page, "Mine (Robin Vale)");
  const titles = mine.map(({ title }) => title);
  assert(titles.includes("Rude letters") && titles.includes(CALL) && titles.filter((title) => title === THANKS).length === 2);
  assert(!mine.some(({ href }) => href.endsWith(closed)), "a closed case is in the list");
  await look(page, "work");
  const { departments, cases } = await ask(
    "query Q($open: CaseFilter) { departments(filter: { name: { eq: \"Mortgages\" } }) { nodes { id } } cases(filter: $open) { totalCount } }",
    { open: { stage: { neq: "CLOSED" } } },
  );
  await page.getByLabel("Whose work").selectOption({ label: "Mortgages" });
  const theirs = await compare(page, "Mortgages", departments.nodes[0]);
  assert.notDeepEqual(theirs, mine);
  assert(theirs.some(({ isFollowUp }) => isFollowUp), "the department has no follow-up");
  await page.getByLabel("Whose work").selectOption({ label: "Everybody's" });
  await told(page, `Everybody's: ${cases.totalCount} open, the first ${Math.min(50, cases.totalCount)}, by what is due.`);
  await page.getByLabel("Whose work").selectOption({ label: "Mine (Robin Vale)" });
  await page.getByRole("link", { name: CALL }).click();
}

const STORED = `query Stored($id: ID!) { followUp(by: { id: $id }) {
  title kind status version dueAt firstDueAt snoozedUntilAt doneAt skippedAt skippedBecause note
  customer { name } department { name } owner { name } medium { name } case { id title } history(first: 50) { nodes { transition } }
} }`;
const stored = async (id) => (await ask(STORED, { id })).followUp;

/** What is known, by its names. */
async function facts(page) {
  return Object.fromEntries(await page.locator("dt").evaluateAll((names) => names.map((name) => [name.textContent, name.nextElementSibling.textContent])));
}

const steps = (page) => page.locator("summary").allTextContents();
const fold = (page, name) => page.locator("summary").getByText(name, { exact: true }).click();
const press = (page, name) => page.getByRole("button", { name, exact: true }).click();

/** Puts a follow-up off, does it, takes it up again and skips it. */
export async function endings(page, id) {
  const sent = [];
  const listen = (request) => request.method() === "POST" && sent.push(request.postDataJSON());
  page.on("request", listen);
  await title(page, CALL);
  assert(page.url().endsWith(`#/follow-up/${id}`));
  const before = await stored(id);
  const { Due, ...known } = await facts(page);
  assert.deepEqual(known, {
    Kind: "Tell outcome", Customer: before.customer.name, Department: before.department.name, Owner: before.owner.name, By: before.medium.name, Note: before.note, Case: before.case.title,
  });
  assert(Due);
  assert.equal(await page.locator("time.over").getAttribute("datetime"), before.dueAt);
  assert.equal(await page.getByRole("link", { name: before.case.title }).getAttribute("href"), `#/case/${before.case.id}`);
  assert.deepEqual(await steps(page), ["Done", "Put off", "Skip"]);
  await look(page, "follow-up");

  await fold(page, "Put off");
  await press(page, "Put it off");
  const none = await mistakeAt(page, "Until when?");
  assert(none.hasFocus && none.text.includes("Say the day and the time."), none.text);
  await page.getByLabel("Until when?").fill("2020-01-31T09:30");
  await press(page, "Put it off");
  const early = await refused("followUpSnooze", "FollowUpSnoozeInput", { by: { id }, snoozedUntilAt: "2020-01-31T09:30:00Z" });
  await page.locator(".mistake").getByText(early).waitFor();
  assert((await mistakeAt(page, "Until when?")).text.toLowerCase().includes(early.toLowerCase()));
  assert.deepEqual(await stored(id), before);
  await look(page, "follow-up-mistake");
  // The browser is in New York: five hours behind in January.
  await page.getByLabel("Until when?").fill("2099-01-31T09:30");
  await press(page, "Put it off");
  await said(page, "The follow-up is put off.");
  const later = await stored(id);
  const at = "2099-01-31T14:30:00Z";
  assert.deepEqual(
    { ...later, version: 0 },
    { ...before, version: 0, dueAt: at, snoozedUntilAt: at, firstDueAt: before.dueAt, history: { nodes: [{ transition: "SNOOZE" }] } },
  );
  assert.equal(await page.locator("section time").getAttribute("datetime"), at);
  assert.equal((await facts(page))["First due"], Due);

  // Somebody else is faster: what was typed stays, and the second try is upon what is there.
  await change("followUpUpdate", "FollowUpUpdateInput", { by: { id }, tags: ["phone"] }, "node { id }");
  await page.getByLabel("What else is to be known?").fill("She was glad.");
  await press(page, "It is done");
  await page.getByRole("alert").filter({ hasText: "Somebody else changed this follow-up meanwhile: it is Open now." }).waitFor();
  assert.equal((await stored(id)).status, "OPEN");
  await press(page, "It is done");
  await said(page, "The follow-up is done.");
  const { status, note, doneAt } = await stored(id);
  assert.deepEqual({ status, note }, { status: "DONE", note: "She was glad." });
  assert(doneAt);
  await page.getByRole("heading", { name: "It is done" }).and(page.locator(":focus")).waitFor();
  assert.deepEqual(await steps(page), ["Open it again"]);
  await look(page, "follow-up-done");

  await fold(page, "Open it again");
  await press(page, "Open it again");
  await said(page, "The follow-up is open again.");
  const again = await stored(id);
  assert.deepEqual({ status: again.status, doneAt: again.doneAt, note: again.note }, { status: "OPEN", doneAt: null, note: "She was glad." });

  await fold(page, "Skip");
  await press(page, "Skip it");
  const unsaid = await mistakeAt(page, "Why is it not going to be done?");
  const why = await refused("followUpSkip", "FollowUpSkipInput", { by: { id }, skippedBecause: "" });
  assert(unsaid.hasFocus && unsaid.text.toLowerCase().includes(why.toLowerCase()), `${unsaid.text} is not ${why}`);
  assert.equal((await stored(id)).status, "OPEN");
  await page.getByLabel("Why is it not going to be done?").fill("She knows already.");
  await press(page, "Skip it");
  await said(page, "The follow-up is skipped.");
  const end = await stored(id);
  assert.deepEqual({ status: end.status, because: end.skippedBecause }, { status: "SKIPPED", because: "She knows already." });
  assert.equal((await facts(page)).Because, "She knows already.");
  assert.deepEqual(end.history.nodes.map(({ transition }) => transition), ["SNOOZE", "COMPLETE", "REOPEN", "SKIP"]);
  page.off("request", listen);

  const inputs = sent.filter(({ query }) => query.startsWith("mutation")).map(({ variables }) => variables.input);
  assert.deepEqual(inputs.filter(({ expectedVersion, idempotencyKey }) => !(expectedVersion > 0 && idempotencyKey)), []);
  assert.equal(new Set(inputs.map(({ idempotencyKey }) => idempotencyKey)).size, 7, "each try has a key of its own");
  await byRule(page);
}

/** A follow-up that a playbook made about a complaint. */
async function byRule(page) {
  await page.getByRole("link", { name: "My work" }).click();
  await title(page, "My work");
  await page.locator(".work li").first().waitFor();
  assert.equal(await page.getByRole("link", { name: CALL }).count(), 0, "a skipped follow-up is in the list");
  await page.getByRole("link", { name: THANKS }).first().click();
  await title(page, THANKS);
  const { followUp } = await ask(
    "query Q($id: ID!) { followUp(by: { id: $id }) { playbookVersion playbook { name } feedbackRecord { id body } } }",
    { id: page.url().split("/").at(-1) },
  );
  assert.equal((await facts(page))["Made by"], `the playbook “${followUp.playbook.name}”, version ${followUp.playbookVersion}`);
  await page.getByRole("link", { name: followUp.feedbackRecord.body.split("\n")[0] }).click();
  await title(page, "A complaint and its way");
  assert(page.url().endsWith(`#/record/${followUp.feedbackRecord.id}`));
}

/** Somebody who may only read: no step is offered, and what is personal stays out. */
export async function mayNotEnd(page, id) {
  await page.goto(`${page.url().split("#")[0]}#/follow-up/${id}`);
  await title(page, "A follow-up");
  await page.getByText("There is nothing that you may do.").waitFor();
  assert.deepEqual(await steps(page), []);
  assert(!(await page.locator("main").textContent()).includes("She knows already."));
  await look(page, "follow-up-of-a-reader");
}

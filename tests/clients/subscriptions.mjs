// The clients graphql-ws and graphql-sse follow 10,000 writes while the server is killed ten times and then told to stop:
// subscriptions.mjs PROGRAM PORT TOKEN. Settings of the database come from the environment. Each change must be told, and
// after a restart the clients resume with nothing but a variable.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createClient as createSse } from "graphql-sse";
import { createClient as createWs } from "graphql-ws";
import WebSocket from "ws";

const [program, port, token] = process.argv.slice(2);
const url = `http://127.0.0.1:${port}/graphql`;
const authorization = `Bearer ${token}`;
const ROWS = 10_000;
const CALL = 100;
const KILLS = 10;

const SUBSCRIPTION = `subscription($after: String, $afterSequence: Sequence) {
  changes(after: $after, afterSequence: $afterSequence, types: [MEDIUM]) {
    nodes { sequence } pageInfo { endCursor } headCursor } }`;
const PAGE = SUBSCRIPTION.replace("subscription", "query").replace("types:", "first: 1000, types:");

const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

let server;
async function start() {
  server = spawn(program, ["serve", "--listen", `127.0.0.1:${port}`, "--admin-listen", "127.0.0.1:0", "--points", "100000000",
    "--points-per-second", "100000000"], { stdio: ["ignore", "ignore", "ignore"] });
  server.ended = new Promise((resolve) => server.once("exit", resolve));
  for (let tries = 0; tries < 240; tries += 1) {
    const isReady = await fetch(`http://127.0.0.1:${port}/readyz`).then((answer) => answer.ok, () => false);
    if (isReady) return;
    await wait(250);
  }
  throw new Error("the server does not start");
}

async function end(signal) {
  server.kill(signal);
  await server.ended;
}

async function ask(query, variables) {
  const answer = await fetch(url, {
    method: "POST",
    headers: { authorization, "content-type": "application/json" },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await answer.json();
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}

const UPSERT = `mutation($rows: [MediumUpsertRow!]!, $key: String!) {
  mediumsBulkUpsert(input: { rows: $rows, idempotencyKey: $key }) { errors { message } } }`;

/** Writes until each call was acknowledged. */
async function write() {
  for (let begin = 0; begin < ROWS; begin += CALL) {
    const rows = Array.from({ length: CALL }, (_, row) => ({
      externalId: { system: "s", id: String(begin + row) },
      name: `Medium ${begin + row}`,
    }));
    for (;;) {
      const done = await ask(UPSERT, { rows, key: `rows-${begin}` }).catch(() => null);
      if (done) {
        assert.deepEqual(done.mediumsBulkUpsert.errors, []);
        break;
      }
      await wait(50);
    }
    written = begin + CALL;
  }
}
let written = 0;

/** Follows the changes. The variables are the whole state of a client. */
function follow(client) {
  const variables = { afterSequence: "0" };
  const follower = { seen: new Map(), pages: 0 };
  follower.dispose = client.subscribe({ query: SUBSCRIPTION, variables }, {
    next({ data, errors }) {
      if (errors) return follower.failed(new Error(JSON.stringify(errors)));
      follower.pages += 1;
      for (const { sequence } of data.changes.nodes) {
        follower.seen.set(sequence, (follower.seen.get(sequence) ?? 0) + 1);
      }
      delete variables.afterSequence;
      variables.after = data.changes.pageInfo.endCursor ?? data.changes.headCursor;
    },
    error: (error) => follower.failed(error),
    complete: () => follower.failed(new Error("complete")),
  });
  follower.end = new Promise((_, reject) => { follower.failed = reject; });
  follower.end.catch(() => {});
  return follower;
}

await start();
const closed = [];
const patient = { retryAttempts: Number.POSITIVE_INFINITY, retryWait: () => wait(100) };
const ws = createWs({
  ...patient,
  url: url.replace("http", "ws"),
  webSocketImpl: WebSocket,
  connectionParams: () => ({ Authorization: authorization }),
  shouldRetry: () => true,
  on: { closed: (event) => closed.push(event.code) },
});
const sse = createSse({ ...patient, url, headers: () => ({ authorization }) });
const followers = { "graphql-ws": follow(ws), "graphql-sse": follow(sse) };

const writing = write();
for (let kill = 0; kill < KILLS; kill += 1) {
  const until = (ROWS / (KILLS + 1)) * (kill + 1);
  while (written < until) await wait(20);
  await end("SIGKILL");
  await start();
}
await writing;
await end("SIGTERM");
await start();

const expected = [];
for (let after = null; ;) {
  const { changes } = await ask(PAGE, after ? { after } : { afterSequence: "0" });
  expected.push(...changes.nodes.map(({ sequence }) => sequence));
  if (changes.nodes.length === 0) break;
  after = changes.pageInfo.endCursor;
}
assert.equal(expected.length, ROWS);
for (const [name, follower] of Object.entries(followers)) {
  const late = wait(60_000).then(() => { throw new Error(`${name} has seen ${follower.seen.size} changes`); });
  late.catch(() => {});
  const all = (async () => {
    while (follower.seen.size < ROWS) await wait(50);
  })();
  await Promise.race([all, late, follower.end]);
  assert.deepEqual([...follower.seen.keys()], expected, `${name} is told each change, in order`);
  const repeated = [...follower.seen.values()].filter((count) => count > 1).length;
  console.log(`${name}: ${follower.seen.size} changes on ${follower.pages} pages through ${KILLS} kills, ${repeated} told twice`);
  follower.dispose();
}
assert.ok(closed.includes(1012), `a server that stops closes with 1012, not ${closed}`);
await ws.dispose();
await end("SIGTERM");
process.exit(0);

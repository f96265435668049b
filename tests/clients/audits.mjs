// Runs every audit of graphql-http against RAPPORT_URL: without a token, and with RAPPORT_TOKEN if it is set.
// One line each; fails unless all of all are ok.
import { serverAudits } from "graphql-http";

const EXPECTED = 61;
const url = new URL("/graphql", process.env.RAPPORT_URL ?? "http://127.0.0.1:8080").href;
const token = process.env.RAPPORT_TOKEN;

async function run(caller, headers) {
  const fetchFn = (input, init = {}) => fetch(input, { ...init, headers: { ...init.headers, ...headers } });
  let ok = 0;
  for (const audit of serverAudits({ url, fetchFn })) {
    const result = await audit.fn();
    if (result.status === "ok") ok += 1;
    const reason = result.status === "ok" ? "" : ` (${result.reason})`;
    console.log(`${caller} ${result.status} ${result.id} ${result.name}${reason}`);
  }
  console.log(`${caller}: ${ok} of ${EXPECTED} ok`);
  return ok === EXPECTED;
}

let passed = await run("anonymous", {});
if (token) passed = (await run("token", { authorization: `Bearer ${token}` })) && passed;
process.exit(passed ? 0 : 1);

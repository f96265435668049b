// standardwebhooks of npm judges the messages on its input as expected: see webhooks.py
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { Webhook } from "standardwebhooks";

for (const [number, { secret, headers, body, expected }] of JSON.parse(readFileSync(0, "utf8")).entries()) {
  let isGenuine = true;
  try {
    new Webhook(secret).verify(body, headers);
  } catch {
    isGenuine = false;
  }
  assert.equal(isGenuine, expected, `message ${number}`);
}

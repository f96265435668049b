// Puts a follow-up off to a day and a time.
import { useDesk } from "../desk.ts";
import { TimeField } from "../fields.tsx";
import { Form } from "../form.tsx";
import { graphql } from "../graphql.ts";
import type { StepProps } from "./follow-up.ts";

const SNOOZE = graphql(`
  mutation Snooze($input: FollowUpSnoozeInput!) {
    step: followUpSnooze(input: $input) { node { version status } errors { code message path } }
  }
`);

export function PutOff({ of, finish }: StepProps) {
  const { api } = useDesk();
  return (
    <Form
      action="Put it off"
      send={async ({ text, idempotencyKey }) => {
        const until = text("snoozedUntilAt");
        if (until === null) return [{ code: "REQUIRED", message: "say the day and the time", path: ["snoozedUntilAt"] }];
        // What the field has is the time on the clock of this browser.
        const snoozedUntilAt = new Date(until).toISOString();
        const input = { by: { id: of.id }, snoozedUntilAt, expectedVersion: of.version, idempotencyKey };
        return finish((await api.change(SNOOZE, { input })).step, "The follow-up is put off.");
      }}
    >
      <TimeField name="snoozedUntilAt" label="Until when?" />
    </Form>
  );
}

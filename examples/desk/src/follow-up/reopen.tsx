// Takes a follow-up up again.
import { useDesk } from "../desk.ts";
import { Form } from "../form.tsx";
import { graphql } from "../graphql.ts";
import type { StepProps } from "./follow-up.ts";

const REOPEN = graphql(`
  mutation ReopenFollowUp($input: FollowUpReopenInput!) {
    step: followUpReopen(input: $input) { node { version status } errors { code message path } }
  }
`);

export function Reopen({ of, finish }: StepProps) {
  const { api } = useDesk();
  return (
    <Form
      action="Open it again"
      send={async ({ idempotencyKey }) => {
        const input = { by: { id: of.id }, expectedVersion: of.version, idempotencyKey };
        return finish((await api.change(REOPEN, { input })).step, "The follow-up is open again.");
      }}
    >
      <p>It is to be done after all.</p>
    </Form>
  );
}

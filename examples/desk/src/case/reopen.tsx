// Takes up a case again: the customer is then told anew.
import { useDesk } from "../desk.ts";
import { TextArea } from "../fields.tsx";
import { Form } from "../form.tsx";
import { graphql } from "../graphql.ts";
import type { StepProps } from "./case.ts";

const REOPEN = graphql(`
  mutation Reopen($input: CaseReopenInput!) {
    step: caseReopen(input: $input) { node { version stage } errors { code message path } }
  }
`);

export function Reopen({ of, finish }: StepProps) {
  const { api } = useDesk();
  return (
    <Form
      action="Open it again"
      send={async ({ text, idempotencyKey }) => {
        const input = { by: { id: of.id }, reopenedBecause: text("reopenedBecause"), expectedVersion: of.version, idempotencyKey };
        return finish((await api.change(REOPEN, { input })).step, "The case is open again.");
      }}
    >
      <TextArea name="reopenedBecause" label="Why?" />
    </Form>
  );
}

// Hands a case to somebody.
import { useDesk } from "../desk.ts";
import { Select } from "../fields.tsx";
import { Form } from "../form.tsx";
import { graphql } from "../graphql.ts";
import { reference } from "../complaint.tsx";
import type { StepProps } from "./case.ts";

const HAND = graphql(`
  mutation Hand($input: CaseUpdateInput!) {
    step: caseUpdate(input: $input) { node { version stage } errors { code message path } }
  }
`);

export function Owner({ of, members, finish }: StepProps) {
  const { api } = useDesk();
  return (
    <details>
      <summary>Hand it to somebody</summary>
      <Form
        action="Hand it over"
        send={async ({ text, idempotencyKey }) => {
          const input = { by: { id: of.id }, assigneeRef: reference(text("assigneeRef")), expectedVersion: of.version, idempotencyKey };
          return finish((await api.change(HAND, { input })).step, "The case has another owner.");
        }}
      >
        <Select name="assigneeRef" label="Owner" empty="Nobody" options={members} value={of.assignee?.id ?? ""} />
      </Form>
    </details>
  );
}

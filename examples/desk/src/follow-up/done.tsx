// Says that a follow-up is done, and what else is to be known.
import { useDesk } from "../desk.ts";
import { TextArea } from "../fields.tsx";
import { Form } from "../form.tsx";
import { graphql } from "../graphql.ts";
import type { StepProps } from "./follow-up.ts";

const COMPLETE = graphql(`
  mutation Complete($input: FollowUpCompleteInput!) {
    step: followUpComplete(input: $input) { node { version status } errors { code message path } }
  }
`);

export function Done({ of, finish }: StepProps) {
  const { api } = useDesk();
  return (
    <Form
      action="It is done"
      send={async ({ text, idempotencyKey }) => {
        const note = text("note");
        // A note that this token may not read is not cleared.
        const changed = note === of.note ? {} : { note };
        const input = { by: { id: of.id }, ...changed, expectedVersion: of.version, idempotencyKey };
        return finish((await api.change(COMPLETE, { input })).step, "The follow-up is done.");
      }}
    >
      <TextArea name="note" label="What else is to be known?" value={of.note ?? ""} />
    </Form>
  );
}

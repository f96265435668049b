// Says that a follow-up is not going to be done, and why.
import { useDesk } from "../desk.ts";
import { TextArea } from "../fields.tsx";
import { Form } from "../form.tsx";
import { graphql } from "../graphql.ts";
import type { StepProps } from "./follow-up.ts";

const SKIP = graphql(`
  mutation Skip($input: FollowUpSkipInput!) {
    step: followUpSkip(input: $input) { node { version status } errors { code message path } }
  }
`);

export function Skip({ of, finish }: StepProps) {
  const { api } = useDesk();
  return (
    <Form
      action="Skip it"
      send={async ({ text, idempotencyKey }) => {
        const input = { by: { id: of.id }, skippedBecause: text("skippedBecause") ?? "", expectedVersion: of.version, idempotencyKey };
        return finish((await api.change(SKIP, { input })).step, "The follow-up is skipped.");
      }}
    >
      <TextArea name="skippedBecause" label="Why is it not going to be done?" rows={2} />
    </Form>
  );
}

// Steps that need no more than to be said.
import { useDesk } from "../desk.ts";
import { Form } from "../form.tsx";
import { graphql } from "../graphql.ts";
import type { StepProps } from "./case.ts";

const ACKNOWLEDGE = graphql(`
  mutation Acknowledge($input: CaseAcknowledgeInput!) {
    step: caseAcknowledge(input: $input) { node { version stage } errors { code message path } }
  }
`);

const INVESTIGATE = graphql(`
  mutation Investigate($input: CaseInvestigateInput!) {
    step: caseInvestigate(input: $input) { node { version stage } errors { code message path } }
  }
`);

const RESPOND = graphql(`
  mutation Respond($input: CaseRespondInput!) {
    step: caseRespond(input: $input) { node { version stage } errors { code message path } }
  }
`);

function plain(document: typeof ACKNOWLEDGE | typeof INVESTIGATE | typeof RESPOND, action: string, help: string, done: string) {
  return ({ of, finish }: StepProps) => {
    const { api } = useDesk();
    return (
      <Form
        action={action}
        send={async ({ idempotencyKey }) => {
          const input = { by: { id: of.id }, expectedVersion: of.version, idempotencyKey };
          return finish((await api.change(document, { input })).step, done);
        }}
      >
        <p>{help}</p>
      </Form>
    );
  };
}

export const Acknowledge = plain(ACKNOWLEDGE, "It is acknowledged", "The customer was told that we know of the problem.", "The case is acknowledged.");
export const Investigate = plain(INVESTIGATE, "Begin the investigation", "The facts are being found out.", "The investigation has begun.");
export const Respond = plain(RESPOND, "It is decided", "We have decided what to do about it.", "The decision is recorded.");

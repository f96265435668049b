// Tells the customer what was decided, or rather: records what the customer was told.
import { reference } from "../complaint.tsx";
import { useDesk } from "../desk.ts";
import { Select, TextArea } from "../fields.tsx";
import { Form } from "../form.tsx";
import { graphql } from "../graphql.ts";
import type { StepProps } from "./case.ts";

const COMMUNICATE = graphql(`
  mutation Communicate($input: CaseCommunicateInput!) {
    step: caseCommunicate(input: $input) { node { version stage } errors { code message path } }
  }
`);

export function Communicate({ of, mediums, finish }: StepProps) {
  const { api } = useDesk();
  return (
    <Form
      action="The customer was told"
      send={async ({ text, idempotencyKey }) => {
        const toldMediumRef = reference(text("toldMediumRef"));
        if (toldMediumRef === null) return [{ code: "REQUIRED", message: "say by which medium the customer was told", path: ["toldMediumRef"] }];
        const input = { by: { id: of.id }, toldWhat: text("toldWhat") ?? "", toldMediumRef, expectedVersion: of.version, idempotencyKey };
        return finish((await api.change(COMMUNICATE, { input })).step, "The customer was told.");
      }}
    >
      <TextArea name="toldWhat" label="What was the customer told?" />
      <Select name="toldMediumRef" label="By which medium?" empty="Choose one" options={mediums} />
    </Form>
  );
}

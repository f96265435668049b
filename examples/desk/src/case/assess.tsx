// Assesses a case: how bad it is, and whether the customer wants a solution or to be heard.
import { useDesk } from "../desk.ts";
import { Choice, Select, TextArea } from "../fields.tsx";
import { Form } from "../form.tsx";
import { graphql } from "../graphql.ts";
import { optionsOf } from "../words.ts";
import type { StepProps } from "./case.ts";

const NOTE = graphql(`
  mutation Note($input: CaseUpdateInput!) {
    step: caseUpdate(input: $input) { node { version stage } errors { code message path } }
  }
`);

const ASSESS = graphql(`
  mutation Assess($input: CaseAssessInput!) {
    step: caseAssess(input: $input) { node { version stage } errors { code message path } }
  }
`);

const SEVERITIES = ["MINOR", "MODERATE", "MAJOR", "CRITICAL"] as const;
const DISPOSITIONS = ["UNDETERMINED", "VENTING", "REAL_PROBLEM"] as const;

export function Assess({ of, finish }: StepProps) {
  const { api } = useDesk();
  return (
    <Form
      action="It is assessed"
      send={async ({ text, idempotencyKey }) => {
        const disposition = DISPOSITIONS.find((name) => name === text("disposition")) ?? "UNDETERMINED";
        const by = { id: of.id };
        // What was heard first: it may be refused, and the stage must not change then.
        const { step: noted } = await api.change(NOTE, {
          input: { by, disposition, listeningNote: text("listeningNote"), expectedVersion: of.version, idempotencyKey: `${idempotencyKey}-note` },
        });
        if (!noted?.node || noted.errors.length > 0) return finish(noted, "");
        const severity = SEVERITIES.find((name) => name === text("severity")) ?? null;
        const { step } = await api.change(ASSESS, { input: { by, severity, expectedVersion: noted.node.version, idempotencyKey } });
        return finish(step, "The case is assessed.");
      }}
    >
      <Select name="severity" label="How bad is it for the customer?" empty="Not known" options={optionsOf(SEVERITIES)} value={of.severity ?? ""} />
      <Choice
        name="disposition"
        label="What does the customer want by complaining?"
        value={of.disposition}
        options={[
          { value: "UNDETERMINED", text: "Not known yet" },
          { value: "VENTING", text: "To be heard" },
          { value: "REAL_PROBLEM", text: "A problem to be solved" },
        ]}
      />
      <TextArea name="listeningNote" label="What did you hear?" value={of.listeningNote ?? ""} />
    </Form>
  );
}

// Closes a case. The API says what a resolution needs: an attempt that worked, a listening note, what the customer was told.
import { reference } from "../complaint.tsx";
import { useDesk } from "../desk.ts";
import { Select, TextArea, TextField } from "../fields.tsx";
import { Form } from "../form.tsx";
import { graphql } from "../graphql.ts";
import type { StepProps } from "./case.ts";

const CLOSE = graphql(`
  mutation Close($input: CaseCloseInput!) {
    step: caseClose(input: $input) { node { version stage } errors { code message path } }
  }
`);

const RESOLUTIONS = [
  ["SOLVED", "Solved: an attempt worked"],
  ["NOT_SOLVED", "Not solved"],
  ["DECLINED", "Declined: we do not do what was sought"],
  ["VENTING", "Heard: the customer wanted no more"],
  ["DUPLICATE", "Another case is about the same"],
  ["WITHDRAWN", "Withdrawn by the customer"],
] as const;

/** A field that was left empty keeps what the case has: null would clear it. */
function given<Name extends string, Value>(name: Name, value: Value | null): { [key in Name]?: Value } {
  return value === null ? {} : ({ [name]: value } as { [key in Name]: Value });
}

export function Close({ of, mediums, finish }: StepProps) {
  const { api } = useDesk();
  return (
    <Form
      action="Close the case"
      send={async ({ text, idempotencyKey }) => {
        const input = {
          by: { id: of.id },
          resolution: RESOLUTIONS.find(([value]) => value === text("resolution"))?.[0] ?? "SOLVED",
          ...given("toldWhat", text("toldWhat")),
          ...given("toldMediumRef", reference(text("toldMediumRef"))),
          ...given("notToldBecause", text("notToldBecause")),
          ...given("listeningNote", text("listeningNote")),
          ...given("duplicateOfRef", reference(text("duplicateOfRef"))),
          expectedVersion: of.version,
          idempotencyKey,
        };
        return finish((await api.change(CLOSE, { input })).step, "The case is closed.");
      }}
    >
      <Select name="resolution" label="How did it end?" options={RESOLUTIONS.map(([value, text]) => ({ value, text }))} />
      <TextArea name="toldWhat" label="What was the customer told?" value={of.toldWhat ?? ""} />
      <Select name="toldMediumRef" label="By which medium?" empty={of.toldMedium?.name ?? "Choose one"} options={mediums} />
      <TextArea name="notToldBecause" label="Or why not?" rows={2} />
      <TextArea name="listeningNote" label="What did you hear?" hint="Needed if the customer wanted to be heard." rows={2} value={of.listeningNote ?? ""} />
      <TextField name="duplicateOfRef" label="The other case" hint="Its id, if it is about the same." />
    </Form>
  );
}

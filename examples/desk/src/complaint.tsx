// Records a complaint: who said it, where, by which medium, and in which words.
import { useState } from "preact/hooks";
import { Customer, type Chosen, customerRef } from "./customer.tsx";
import { useAnswer, useDesk } from "./desk.ts";
import { Select, TextArea } from "./fields.tsx";
import { Form } from "./form.tsx";
import { graphql } from "./graphql.ts";
import { go } from "./route.ts";
import { Title, Waiting } from "./title.tsx";

const PLACES = graphql(`
  query Places {
    interactionPoints(first: 1000, orderBy: [{ field: NAME }]) { nodes { id name owner { name } } }
    mediums(first: 1000, orderBy: [{ field: NAME }]) { nodes { id name } }
  }
`);

const RECORD = graphql(`
  mutation Record($input: FeedbackRecordCreateInput!) {
    feedbackRecordCreate(input: $input) { node { id } errors { code message path } }
  }
`);

export function ComplaintPage() {
  const { api, say } = useDesk();
  const { data: places, failure } = useAnswer((api) => api.ask(PLACES, {}), []);
  const [chosen, setChosen] = useState<Chosen>({ name: "" });
  if (places === undefined) return <Waiting failure={failure} />;
  const points = places.interactionPoints?.nodes ?? [];
  return (
    <>
      <Title>Record a complaint</Title>
      <Form
        action="Record"
        send={async ({ text, idempotencyKey }) => {
          const [customer, mistakes] = await customerRef(api, chosen, `${idempotencyKey}-customer`);
          if (mistakes.length > 0) return mistakes;
          // The customer is known from now on, whatever becomes of the words.
          if (customer) setChosen({ ...chosen, id: customer.id });
          const { feedbackRecordCreate: made } = await api.change(RECORD, {
            input: {
              kind: "COMPLAINT",
              customerRef: customer,
              pointRef: reference(text("pointRef")),
              mediumRef: reference(text("mediumRef")),
              body: text("body"),
              idempotencyKey,
            },
          });
          if (!made?.node) return made?.errors ?? [];
          go(`record/${made.node.id}`);
          say("The complaint is recorded and routed.");
          return [];
        }}
      >
        <Customer chosen={chosen} choose={setChosen} />
        <Select
          name="pointRef"
          label="Where did it happen?"
          empty="Not known"
          options={points.map(({ id, name, owner }) => ({ value: id, text: name, group: owner?.name ?? "Nobody's" }))}
        />
        <Select
          name="mediumRef"
          label="How did it reach us?"
          empty="Not known"
          options={(places.mediums?.nodes ?? []).map(({ id, name }) => ({ value: id, text: name }))}
        />
        <TextArea name="body" label="What did the customer say?" hint="In the customer's own words." rows={6} />
      </Form>
    </>
  );
}

/** A reference to the row that was chosen. */
export function reference(id: string | null) {
  return id === null ? null : { id };
}

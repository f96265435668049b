// A complaint that was recorded: where it was routed and why, and the case about it.
import { useDesk, useAnswer } from "./desk.ts";
import { TextArea, TextField } from "./fields.tsx";
import { Form } from "./form.tsx";
import { graphql } from "./graphql.ts";
import { go } from "./route.ts";
import { Title, Waiting } from "./title.tsx";
import { said, when } from "./words.ts";

const RECORDED = graphql(`
  query Recorded($id: ID!) {
    feedbackRecord(by: { id: $id }) {
      body receivedAt priority
      customer { name } point { name } medium { name }
      routings(last: 1) { nodes { cause reason department { name } rule { name } } }
      cases(first: 10) { nodes { id title stage } }
    }
  }
`);

const OPEN = graphql(`
  mutation Open($input: CaseOpenInput!) {
    caseOpen(input: $input) { node { id } errors { code message path } }
  }
`);

export function RecordPage({ id }: { id: string }) {
  const { api, say } = useDesk();
  const { data, failure } = useAnswer((api) => api.ask(RECORDED, { id }), [id]);
  if (data === undefined) return <Waiting failure={failure} />;
  const record = data.feedbackRecord;
  if (!record) return <Waiting failure="There is no such complaint." />;
  const [routing] = record.routings?.nodes ?? [];
  const cases = record.cases?.nodes ?? [];
  return (
    <>
      <Title>A complaint and its way</Title>
      <blockquote>{record.body ?? "No words were recorded."}</blockquote>
      <dl>
        <dt>Received</dt>
        <dd>{when(record.receivedAt)}</dd>
        <dt>From</dt>
        <dd>{record.customer?.name ?? "Not known"}</dd>
        <dt>Where</dt>
        <dd>{record.point?.name ?? "Not known"}</dd>
        <dt>By</dt>
        <dd>{record.medium?.name ?? "Not known"}</dd>
      </dl>
      <h2>Where it went, and why</h2>
      <dl>
        <dt>Department</dt>
        <dd id="department">{routing?.department?.name}</dd>
        <dt>Priority</dt>
        <dd>{said(record.priority)}</dd>
        <dt>Because</dt>
        <dd id="reason">{routing?.reason}</dd>
        <dt>Rule</dt>
        <dd>{routing?.rule?.name ?? "None: the fallback of the organization"}</dd>
      </dl>
      <h2>What is done about it</h2>
      {cases.length > 0 ? (
        <ul>
          {cases.map((one) => (
            <li>
              <a href={`#/case/${one.id}`}>{one.title ?? "A case"}</a> ({said(one.stage)})
            </li>
          ))}
        </ul>
      ) : (
        <>
          <p>No case is open about it.</p>
          <Form
            action="Open a case"
            send={async ({ text, idempotencyKey }) => {
              const { caseOpen: opened } = await api.change(OPEN, {
                input: { feedbackRecords: [{ id }], title: text("title") ?? "", remedySought: text("remedySought"), idempotencyKey },
              });
              if (!opened?.node) return opened?.errors ?? [];
              go(`case/${opened.node.id}`);
              say("The case is open.");
              return [];
            }}
          >
            <TextField name="title" label="The problem in a few words" value={record.body?.split("\n")[0]?.slice(0, 200) ?? ""} />
            <TextArea name="remedySought" label="What does the customer want?" />
          </Form>
        </>
      )}
    </>
  );
}

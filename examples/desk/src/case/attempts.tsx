// What was tried, and whether it worked. Only a case with an attempt that worked can be closed as solved.
import { useDesk } from "../desk.ts";
import { Choice, TextArea } from "../fields.tsx";
import { Form } from "../form.tsx";
import { graphql } from "../graphql.ts";
import type { StepProps } from "./case.ts";

const TRY = graphql(`
  mutation Try($input: AttemptCreateInput!) {
    attemptCreate(input: $input) { node { id case { version stage } } errors { code message path } }
  }
`);

const WORKED: Record<string, boolean> = { yes: true, no: false };

export function Attempts({ of, finish }: StepProps) {
  const { api } = useDesk();
  return (
    <>
      <h2>What was tried</h2>
      {of.attempts.nodes.length === 0 && <p>Nothing yet.</p>}
      <ul>
        {of.attempts.nodes.map(({ tried, rootCause, hasWorked }) => (
          <li>
            {tried} <strong>{hasWorked === null ? "Not known whether it worked." : hasWorked ? "It worked." : "It did not work."}</strong>
            {rootCause && <p class="hint">Cause: {rootCause}</p>}
          </li>
        ))}
      </ul>
      {of.stage !== "CLOSED" && (
        <details>
          <summary>Write down an attempt</summary>
          <Form
            action="Save the attempt"
            send={async ({ text, idempotencyKey }) => {
              const { attemptCreate: made } = await api.change(TRY, {
                input: {
                  caseRef: { id: of.id },
                  tried: text("tried") ?? "",
                  rootCause: text("rootCause"),
                  hasWorked: WORKED[text("hasWorked") ?? ""] ?? null,
                  idempotencyKey,
                },
              });
              return finish(made && { node: made.node?.case ?? null, errors: made.errors }, "The attempt is saved.");
            }}
          >
            <TextArea name="rootCause" label="What was wrong?" rows={2} />
            <TextArea name="tried" label="What did you try?" rows={2} />
            <Choice
              name="hasWorked"
              label="Did it work?"
              value=""
              options={[
                { value: "yes", text: "Yes" },
                { value: "no", text: "No" },
                { value: "", text: "Not known yet" },
              ]}
            />
          </Form>
        </details>
      )}
    </>
  );
}

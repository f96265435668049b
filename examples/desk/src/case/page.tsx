// A case: what is known of it, how far it is, and what may be done next.
import { useAnswer } from "../desk.ts";
import { Facts } from "../facts.tsx";
import { useFinish } from "../steps.tsx";
import { Title, Waiting } from "../title.tsx";
import { Due } from "../work-page.tsx";
import { said } from "../words.ts";
import { Attempts } from "./attempts.tsx";
import { CASE, type Case, type StepProps } from "./case.ts";
import { Owner } from "./owner.tsx";
import { Stages } from "./stages.tsx";
import { CaseSteps } from "./steps.tsx";
import { Trace } from "./trace.tsx";

export function CasePage({ id }: { id: string }) {
  const { data, failure, reload } = useAnswer((api) => api.ask(CASE, { id }), [id]);
  const { finish, next, warning } = useFinish("case", ({ stage }: Pick<Case, "version" | "stage">) => stage, reload);
  if (data === undefined) return <Waiting failure={failure} />;
  const of = data.case;
  if (!of) return <Waiting failure="There is no such case." />;
  const options = (rows?: { nodes: { id: string; name: string }[] } | null) => (rows?.nodes ?? []).map(({ id, name }) => ({ value: id, text: name }));
  const props: StepProps = { of, finish, mediums: options(data.mediums), members: options(data.members) };
  return (
    <>
      <Title>{of.title ?? "A case"}</Title>
      {warning}
      <Stages of={of} />
      <div class="columns">
        <section aria-labelledby="next">
          <h2 id="next" ref={next} tabIndex={-1}>
            {of.stage === "CLOSED" ? "It is closed" : "What is next"}
          </h2>
          <CaseSteps {...props} />
          <Attempts {...props} />
          <h2>Whose it is</h2>
          <p>{of.assignee?.name ?? "Nobody's yet."}</p>
          <Owner {...props} />
        </section>
        <section aria-labelledby="known">
          <h2 id="known">What is known</h2>
          <Known of={of} />
          <h2>How it came about</h2>
          <Trace of={of} />
        </section>
      </div>
    </>
  );
}

function Known({ of }: { of: Case }) {
  const facts: [string, string | null | undefined][] = [
    ["Customer", of.customer?.name],
    ["Where", of.point?.name],
    ["Wants", of.remedySought],
    ["Department", of.department?.name],
    ["Priority", said(of.priority)],
    ["Severity", of.severity && said(of.severity)],
    ["Wish", of.disposition === "UNDETERMINED" ? null : said(of.disposition)],
    ["Heard", of.listeningNote],
    ["Resolution", of.resolution && said(of.resolution)],
    ["Told", of.toldWhat],
    ["By", of.toldMedium?.name],
    ["Not told", of.notToldBecause],
  ];
  return (
    <>
      {of.dueAt && <p><Due at={of.dueAt} /></p>}
      <Facts facts={facts} />
    </>
  );
}

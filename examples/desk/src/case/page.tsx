// A case: what is known of it, how far it is, and what may be done next.
import { useRef, useState } from "preact/hooks";
import { useAnswer, useDesk } from "../desk.ts";
import { Title, Waiting } from "../title.tsx";
import { Due } from "../work-page.tsx";
import { said } from "../words.ts";
import { Attempts } from "./attempts.tsx";
import { CASE, type Case, type StepProps } from "./case.ts";
import { Owner } from "./owner.tsx";
import { Stages } from "./stages.tsx";
import { Steps } from "./steps.tsx";
import { Trace } from "./trace.tsx";

export function CasePage({ id }: { id: string }) {
  const { say } = useDesk();
  const { data, failure, reload } = useAnswer((api) => api.ask(CASE, { id }), [id]);
  const [conflict, setConflict] = useState<string>();
  const next = useRef<HTMLHeadingElement>(null);
  if (data === undefined) return <Waiting failure={failure} />;
  const of = data.case;
  if (!of) return <Waiting failure="There is no such case." />;

  const finish: StepProps["finish"] = async (stepped, done) => {
    const mistakes = stepped?.errors ?? [];
    const isStale = mistakes.some(({ code }) => code === "CONFLICT");
    setConflict(isStale && stepped?.node ? `Somebody else changed this case meanwhile: it is ${said(stepped.node.stage)} now. Look at it, and send again what you typed.` : undefined);
    if (mistakes.length > 0 && !isStale) return mistakes;
    await reload();
    if (isStale) {
      say("");
      return [{ code: "CONFLICT", message: "This was not saved.", path: [] }];
    }
    say(done);
    next.current?.focus();
    return [];
  };
  const options = (rows?: { nodes: { id: string; name: string }[] } | null) => (rows?.nodes ?? []).map(({ id, name }) => ({ value: id, text: name }));
  const props: StepProps = { of, finish, mediums: options(data.mediums), members: options(data.members) };
  return (
    <>
      <Title>{of.title ?? "A case"}</Title>
      {conflict && <p role="alert" class="mistake">{conflict}</p>}
      <Stages of={of} />
      <div class="columns">
        <section aria-labelledby="next">
          <h2 id="next" ref={next} tabIndex={-1}>
            {of.stage === "CLOSED" ? "It is closed" : "What is next"}
          </h2>
          <Steps {...props} />
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
      <dl>
        {facts.map(([name, value]) => value && (
          <>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </>
        ))}
      </dl>
    </>
  );
}

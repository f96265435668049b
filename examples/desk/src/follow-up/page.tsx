// A follow-up: what is to be done, for whom and by when, what it is about, and how it ends.
import { useAnswer } from "../desk.ts";
import { Facts } from "../facts.tsx";
import { Steps, useFinish } from "../steps.tsx";
import { Title, Waiting } from "../title.tsx";
import { Due } from "../work-page.tsx";
import { said, when } from "../words.ts";
import { Done } from "./done.tsx";
import { type Changed, FOLLOW_UP, type FollowUp, type StepProps, type Transition } from "./follow-up.ts";
import { PutOff } from "./put-off.tsx";
import { Reopen } from "./reopen.tsx";
import { Skip } from "./skip.tsx";

const STEPS: [Transition, string, (props: StepProps) => preact.JSX.Element][] = [
  ["COMPLETE", "Done", Done],
  ["SNOOZE", "Put off", PutOff],
  ["SKIP", "Skip", Skip],
  ["REOPEN", "Open it again", Reopen],
];

const HEADINGS = { OPEN: "What is next", DONE: "It is done", SKIPPED: "It is skipped" } as const;

export function FollowUpPage({ id }: { id: string }) {
  const { data, failure, reload } = useAnswer((api) => api.ask(FOLLOW_UP, { id }), [id]);
  const { finish, next, warning } = useFinish("follow-up", ({ status }: Changed) => status, reload);
  if (data === undefined) return <Waiting failure={failure} />;
  const of = data.followUp;
  if (!of) return <Waiting failure="There is no such follow-up." />;
  return (
    <>
      <Title>{of.title ?? "A follow-up"}</Title>
      {warning}
      <div class="columns">
        <section aria-labelledby="next">
          <h2 id="next" ref={next} tabIndex={-1}>
            {HEADINGS[of.status]}
          </h2>
          <Steps all={STEPS} allowed={of.allowedTransitions} hasEnded={of.status !== "OPEN"} given={{ of, finish }} />
        </section>
        <section aria-labelledby="known">
          <h2 id="known">What is known</h2>
          <Known of={of} />
          <h2>What it is about</h2>
          <About of={of} />
        </section>
      </div>
    </>
  );
}

function Known({ of }: { of: FollowUp }) {
  return (
    <>
      {of.status === "OPEN" && <p><Due at={of.dueAt} /></p>}
      <Facts
        facts={[
          ["Kind", said(of.kind)],
          ["Due", when(of.dueAt)],
          ["First due", of.firstDueAt && when(of.firstDueAt)],
          ["Customer", of.customer?.name],
          ["Account", of.account?.name],
          ["Department", of.department?.name],
          ["Owner", of.owner?.name ?? "Nobody yet"],
          ["By", of.medium?.name],
          ["Note", of.note],
          ["Done", of.doneAt && when(of.doneAt)],
          ["Last skipped", of.skippedAt && when(of.skippedAt)],
          ["Because", of.skippedBecause],
          ["Made by", of.playbook && `the playbook “${of.playbook.name}”, version ${of.playbookVersion}`],
        ]}
      />
    </>
  );
}

/** What has a page of its own is a link to it. */
function About({ of }: { of: FollowUp }) {
  const { interaction, occasion } = of;
  const facts = [
    ["Case", of.case && <a href={`#/case/${of.case.id}`}>{of.case.title ?? "A case"}</a>],
    ["Complaint", of.feedbackRecord && <a href={`#/record/${of.feedbackRecord.id}`}>{of.feedbackRecord.body?.split("\n")[0] ?? "No words were recorded."}</a>],
    ["Interaction", interaction && (interaction.summary ?? (interaction.purpose ? said(interaction.purpose) : "No words were recorded."))],
    ["Occasion", occasion && (occasion.name ?? said(occasion.kind))],
    ["Improvement", of.improvement?.title],
    ["Content", of.contentItem?.title],
  ] as const;
  return facts.some(([, value]) => value) ? <Facts facts={facts} /> : <p>Nothing else that is recorded.</p>;
}

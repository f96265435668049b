// How the case came about and what became of it, in the order of time.
import { when } from "../words.ts";
import type { Case } from "./case.ts";

type Step = Case["trace"][number];

function text({ kind, interaction, feedbackRecord, routing, attempt, medium }: Step, toldWhat: string | null): string {
  switch (kind) {
    case "INTERACTION":
      return `${interaction?.direction === "OUTBOUND" ? "We spoke to the customer" : "The customer spoke to us"}${interaction?.summary ? `: ${interaction.summary}` : ""}`;
    case "FEEDBACK":
      return `The customer said: ${feedbackRecord?.body ?? "no words were recorded"}`;
    case "ROUTING":
      return `Routed to ${routing?.department?.name ?? "a department"}: ${routing?.reason ?? ""}`;
    case "ATTEMPT":
      return `Tried: ${attempt?.tried ?? ""}`;
    case "VERIFICATION":
      return `${attempt?.hasWorked ? "It worked" : "It did not work"}: ${attempt?.tried ?? ""}`;
    case "TOLD":
      return `The customer was told${medium ? ` by ${medium.name}` : ""}: ${toldWhat ?? ""}`;
  }
}

export function Trace({ of }: { of: Case }) {
  return (
    <ol class="trace">
      {of.trace.map((step) => (
        <li>
          {step.happenedAt && <time dateTime={step.happenedAt}>{when(step.happenedAt)}</time>} {text(step, of.toldWhat)}
        </li>
      ))}
    </ol>
  );
}

// The stages of ISO 10002 and when the case reached each; one that was skipped has no time.
import { said, when } from "../words.ts";
import type { Case } from "./case.ts";

export function Stages({ of }: { of: Case }) {
  const stages: [Case["stage"], string | null][] = [
    ["RECEIVED", of.receivedAt],
    ["ACKNOWLEDGED", of.acknowledgedAt],
    ["ASSESSED", of.assessedAt],
    ["INVESTIGATED", of.investigatedAt],
    ["RESPONDED", of.respondedAt],
    ["COMMUNICATED", of.communicatedAt],
    ["CLOSED", of.closedAt],
  ];
  return (
    <ol class="stages" aria-label="Stages">
      {stages.map(([stage, at]) => (
        <li aria-current={stage === of.stage ? "step" : undefined} class={at ? "reached" : undefined}>
          {said(stage)}
          {at && <time dateTime={at}>{when(at)}</time>}
        </li>
      ))}
    </ol>
  );
}

// The steps of a case, in the order of the stages.
import { Steps } from "../steps.tsx";
import { Assess } from "./assess.tsx";
import type { StepProps, Transition } from "./case.ts";
import { Close } from "./close.tsx";
import { Communicate } from "./communicate.tsx";
import { Acknowledge, Investigate, Respond } from "./plain-steps.tsx";
import { Reopen } from "./reopen.tsx";

const STEPS: [Transition, string, (props: StepProps) => preact.JSX.Element][] = [
  ["ACKNOWLEDGE", "Acknowledge", Acknowledge],
  ["ASSESS", "Assess", Assess],
  ["INVESTIGATE", "Investigate", Investigate],
  ["RESPOND", "Respond", Respond],
  ["COMMUNICATE", "Tell the customer", Communicate],
  ["CLOSE", "Close", Close],
  ["REOPEN", "Open it again", Reopen],
];

export function CaseSteps(props: StepProps) {
  return <Steps all={STEPS} allowed={props.of.allowedTransitions} hasEnded={props.of.stage === "CLOSED"} given={props} />;
}

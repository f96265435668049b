// The steps that the API allows now, in the order of the stages; the next one is open.
import { useEffect, useRef } from "preact/hooks";
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

export function Steps(props: StepProps) {
  const allowed = STEPS.filter(([transition]) => props.of.allowedTransitions.includes(transition));
  return (
    <>
      {allowed.map(([transition, name, Step], index) => (
        <Fold key={transition} name={name} isNext={index === 0 && props.of.stage !== "CLOSED"}>
          <Step {...props} />
        </Fold>
      ))}
    </>
  );
}

/** A step that can be opened; it opens by itself when it becomes the next one. */
function Fold({ name, isNext, children }: { name: string; isNext: boolean; children: preact.ComponentChildren }) {
  const fold = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    if (fold.current) fold.current.open ||= isNext;
  }, [isNext]);
  return (
    <details ref={fold}>
      <summary>{name}</summary>
      {children}
    </details>
  );
}

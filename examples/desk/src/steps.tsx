// The steps of a row that changes its state: which ones are shown, and what happens when one was sent.
import { useEffect, useRef, useState } from "preact/hooks";
import type { Mistake } from "./api.ts";
import { useDesk } from "./desk.ts";
import { said } from "./words.ts";

/** What a step answers: the row as it is now. */
export interface Stepped<Row> {
  node: Row | null;
  errors: Mistake[];
}

/**
 * Ends a step: says what was done and shows the row as it is now. If somebody else has changed the row meanwhile, it says
 * so, and what was typed stays. Returns the mistakes that belong to fields.
 */
export type Finish<Row> = (stepped: Stepped<Row> | null, done: string) => Promise<readonly Mistake[]>;

/** `what` is what the row is called, `state` reads its state, and `reload` asks for it again. */
export function useFinish<Row>(what: string, state: (row: Row) => string, reload: () => Promise<void>) {
  const { say } = useDesk();
  const [conflict, setConflict] = useState<string>();
  /** The heading above the steps, where the reader goes on after a step. */
  const next = useRef<HTMLHeadingElement>(null);

  const finish: Finish<Row> = async (stepped, done) => {
    const mistakes = stepped?.errors ?? [];
    const isStale = mistakes.some(({ code }) => code === "CONFLICT");
    setConflict(isStale && stepped?.node ? `Somebody else changed this ${what} meanwhile: it is ${said(state(stepped.node))} now. Look at it, and send again what you typed.` : undefined);
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
  return { finish, next, warning: conflict && <p role="alert" class="mistake">{conflict}</p> };
}

interface Props<Transition, Given> {
  /** All steps in their order: the transition, the name of the step, and its form. */
  all: readonly (readonly [Transition, string, (given: Given) => preact.JSX.Element])[];
  /** The transitions that the API allows now. */
  allowed: readonly Transition[];
  hasEnded: boolean;
  given: Given;
}

/** The steps that are allowed now; the first one is open, unless the row has ended. */
export function Steps<Transition extends string, Given extends object>({ all, allowed, hasEnded, given }: Props<Transition, Given>) {
  const steps = all.filter(([transition]) => allowed.includes(transition));
  return (
    <>
      {steps.length === 0 && <p>There is nothing that you may do.</p>}
      {steps.map(([transition, name, Step], index) => (
        <Fold key={transition} name={name} isNext={index === 0 && !hasEnded}>
          <Step {...given} />
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

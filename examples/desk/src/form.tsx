// A form that shows each mistake which the API answers at the field that it is about.
import { type ComponentChildren, createContext } from "preact";
import { useContext, useEffect, useId, useRef, useState } from "preact/hooks";
import { type Mistake, freshKey } from "./api.ts";
import { told } from "./desk.ts";

/** The mistakes of the form around a field. */
export const Mistakes = createContext<readonly Mistake[]>([]);

export interface Sent {
  /** Returns what was typed or chosen; null if nothing was. */
  text: (name: string) => string | null;
  /** Makes it safe to send the same again: it stays the same until there is an answer. */
  idempotencyKey: string;
}

interface Props {
  action: string;
  children?: ComponentChildren;
  /** Sends the form and returns the mistakes in it; none if it was taken. */
  send: (sent: Sent) => Promise<readonly Mistake[]>;
}

export function Form({ action, children, send }: Props) {
  const form = useRef<HTMLFormElement>(null);
  const key = useRef(freshKey());
  const [mistakes, setMistakes] = useState<readonly Mistake[]>([]);
  const [isSending, setSending] = useState(false);
  const heading = useId();

  useEffect(() => {
    const first = form.current?.querySelector<HTMLElement>("[aria-invalid=true], fieldset:has(> .mistake) input, [role=alert]");
    if (mistakes.length > 0) first?.focus();
  }, [mistakes]);

  async function submit(event: Event) {
    event.preventDefault();
    if (isSending || form.current === null) return;
    const values = new FormData(form.current);
    const text = (name: string) => String(values.get(name) ?? "").trim() || null;
    setSending(true);
    try {
      const found = await send({ text, idempotencyKey: key.current });
      key.current = freshKey();
      setMistakes(found);
      if (found.length === 0) form.current?.reset();
    } catch (error) {
      setMistakes([{ code: "FAILED", message: told(error), path: [] }]);
    } finally {
      setSending(false);
    }
  }

  const names = new Set(Array.from(form.current?.elements ?? [], (element) => element.getAttribute("name")));
  const elsewhere = mistakes.filter(({ path }) => !names.has(path[0] ?? ""));
  return (
    <form ref={form} noValidate onSubmit={submit}>
      {elsewhere.length > 0 && (
        <div role="alert" id={heading} class="mistake" tabIndex={-1}>
          {elsewhere.map(({ message, path }) => (
            <p>{[path.join("."), message].filter(Boolean).join(": ")}</p>
          ))}
        </div>
      )}
      <Mistakes.Provider value={mistakes}>{children}</Mistakes.Provider>
      <button type="submit" aria-disabled={isSending}>
        {action}
      </button>
    </form>
  );
}

/** The mistake at a field, and the attributes that tie it and a hint to the field's control. */
export function useField(name: string, hint?: string) {
  const id = useId();
  const mistake = useContext(Mistakes).find(({ path }) => path[0] === name);
  const described = [hint && `${id}-hint`, mistake && `${id}-mistake`].filter(Boolean).join(" ");
  return {
    id,
    mistake,
    attributes: { id, name, "aria-invalid": mistake !== undefined, "aria-describedby": described || undefined },
    notes: (
      <>
        {hint && (
          <p class="hint" id={`${id}-hint`}>
            {hint}
          </p>
        )}
        {mistake && (
          <p class="mistake" id={`${id}-mistake`}>
            {sentence(mistake.message)}
          </p>
        )}
      </>
    ),
  };
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");
}

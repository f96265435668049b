// The title of a page: new pages begin there, for eyes and for screen readers.
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";

export function Title({ children }: { children: string }) {
  const heading = useRef<HTMLHeadingElement>(null);
  // Before the page can be seen: later, the focus would be taken from whoever types already.
  useLayoutEffect(() => heading.current?.focus(), []);
  useEffect(() => void (document.title = `${children} · Desk`), [children]);
  return (
    <h1 ref={heading} tabIndex={-1}>
      {children}
    </h1>
  );
}

/** Stands where an answer will be, and says why there is none. */
export function Waiting({ failure }: { failure: string | undefined }) {
  return failure === undefined ? <p>Loading …</p> : <p role="alert" class="mistake">{failure}</p>;
}

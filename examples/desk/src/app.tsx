// The frame of the desk: who is asking, the ways between the pages, and the line that says what has happened.
import { useCallback, useEffect, useMemo, useState } from "preact/hooks";
import { Api } from "./api.ts";
import { CasePage } from "./case/page.tsx";
import { ComplaintPage } from "./complaint.tsx";
import { DeskContext } from "./desk.ts";
import { FollowUpPage } from "./follow-up/page.tsx";
import { JourneyPage } from "./journey.tsx";
import { RecordPage } from "./record.tsx";
import { type Route, useRoute } from "./route.ts";
import { type Session, forget, given, keep, kept } from "./session.ts";
import { SignIn } from "./sign-in.tsx";
import { WorkPage } from "./work-page.tsx";

const WAYS = [
  ["complaint", "Record a complaint"],
  ["work", "My work"],
  ["journey", "Journey"],
] as const;

export function App() {
  const [current, setCurrent] = useState<Session | undefined>(() => given() ?? kept());
  const [said, setSaid] = useState({ text: "", hash: "" });
  const route = useRoute();
  // What was said belongs to the page on which it was said.
  const say = useCallback((text: string) => setSaid({ text, hash: location.hash }), []);
  const desk = useMemo(() => current && { api: new Api(current, say), say }, [current]);
  useEffect(() => {
    if (current?.token) keep(current);
  }, [current]);
  useEffect(() => {
    const follow = () => setCurrent((before) => given() ?? before);
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  const end = () => (forget(), setCurrent(undefined), say("You left the desk."));

  return (
    <>
      <header>
        <a class="skip" href="#main" onClick={(event) => (event.preventDefault(), document.getElementById("main")?.focus())}>
          Skip to the content
        </a>
        <strong>Desk</strong>
        {current?.token && (
          <nav aria-label="Pages">
            {WAYS.map(([page, name]) => (
              <a href={`#/${page}`} aria-current={route.page === page ? "page" : undefined}>
                {name}
              </a>
            ))}
            <button type="button" class="plain" onClick={end}>
              Leave
            </button>
          </nav>
        )}
      </header>
      <p class="said" aria-live="polite">
        {said.hash === location.hash && said.text}
      </p>
      <main id="main" tabIndex={-1}>
        {desk && current?.token ? (
          <DeskContext.Provider value={desk}>{page(route)}</DeskContext.Provider>
        ) : (
          <SignIn url={current?.url} begin={setCurrent} />
        )}
      </main>
    </>
  );
}

function page({ page, id, query }: Route) {
  switch (page) {
    case "record":
      return <RecordPage key={id} id={id} />;
    case "case":
      return <CasePage key={id} id={id} />;
    case "follow-up":
      return <FollowUpPage key={id} id={id} />;
    case "work":
      return <WorkPage key={query.toString()} point={query.get("point") ?? undefined} />;
    case "journey":
      return <JourneyPage />;
    default:
      return <ComplaintPage />;
  }
}

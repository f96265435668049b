// What is due next: mine, a department's, or that of one point.
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { useAnswer, useDesk } from "./desk.ts";
import { Form } from "./form.tsx";
import { graphql } from "./graphql.ts";
import { Title, Waiting } from "./title.tsx";
import { type Whose, type Work, work } from "./work.ts";
import { relative, when } from "./words.ts";

const PEOPLE = graphql(`
  query People {
    viewer { subject }
    members(first: 200, orderBy: [{ field: NAME }]) { nodes { id name subject } }
    departments(first: 200, orderBy: [{ field: NAME }]) { nodes { id name } }
  }
`);

export function WorkPage({ point }: { point: string | undefined }) {
  const { data: people, failure } = useAnswer((api) => api.ask(PEOPLE, {}), []);
  if (people === undefined) return <Waiting failure={failure} />;
  const members = people.members?.nodes ?? [];
  const me = members.find(({ subject }) => subject === people.viewer?.subject);
  const choices: [string, Whose][] = [
    ...(point === undefined ? [] : [["One point", { point }] as [string, Whose]]),
    ...(me === undefined ? [] : [[`Mine (${me.name})`, { mine: true }] as [string, Whose]]),
    ["Everybody's", { everybody: true }],
    ...(people.departments?.nodes ?? []).map(({ id, name }): [string, Whose] => [name, { department: id }]),
  ];
  return (
    <>
      <Title>My work</Title>
      <WorkOf choices={choices} />
    </>
  );
}

function WorkOf({ choices }: { choices: [string, Whose][] }) {
  const { api } = useDesk();
  const [chosen, setChosen] = useState(0);
  const [name, whose] = choices[chosen]!;
  const { data: first, failure } = useAnswer((api) => work(api, whose), [chosen]);
  // The pages after the first one, and which one that was: they are not shown under another.
  const [later, setLater] = useState<{ first: Work; pages: Work[] }>();
  const pages = first === undefined ? [] : [first, ...(later?.first === first ? later.pages : [])];
  const items = pages.flatMap(({ items }) => items);
  const next = pages.at(-1)?.next;
  const list = useRef<HTMLOListElement>(null);
  // Reading goes on at the first item that is new.
  useLayoutEffect(() => {
    if (pages.length > 1) list.current?.querySelectorAll<HTMLElement>("li > a")[items.length - pages.at(-1)!.items.length]?.focus();
  }, [pages.length]);
  return (
    <>
      <div class="field">
        <label for="whose">Whose work</label>
        <select id="whose" value={String(chosen)} onChange={(event) => setChosen(Number((event.target as HTMLSelectElement).value))}>
          {choices.map(([name], index) => (
            <option value={String(index)}>{name}</option>
          ))}
        </select>
      </div>
      <p aria-live="polite">{first && summary(name, items.length, first.count, next !== undefined)}</p>
      {first === undefined ? (
        <Waiting failure={failure} />
      ) : (
        <ol class="work" ref={list}>
          {items.map(({ href, title, dueAt, about }) => (
            <li>
              <a href={href}>{title}</a> {dueAt === undefined ? <span class="hint">No date</span> : <Due at={dueAt} />}
              <p class="hint">{about.join(" · ")}</p>
            </li>
          ))}
        </ol>
      )}
      {first && next !== undefined && (
        <Form
          action="Show more"
          send={async () => {
            setLater({ first, pages: [...pages.slice(1), await work(api, whose, next)] });
            return [];
          }}
        />
      )}
    </>
  );
}

/** How much is shown, and of how much, as far as the API counts it. */
function summary(name: string, shown: number, count: number | undefined, hasMore: boolean): string {
  if (shown === 0) return "Nothing is to be done.";
  if (count !== undefined) return `${name}: ${count} open, the first ${shown}, by what is due.`;
  return `${name}: ${hasMore ? "the first" : "all"} ${shown}, by what is due.`;
}

/** When something is due; what is overdue says so in words. */
export function Due({ at }: { at: string }) {
  const isOver = Date.parse(at) < Date.now();
  return (
    <time dateTime={at} title={when(at)} class={isOver ? "over" : undefined}>
      {isOver ? "Was due" : "Due"} {relative(at)}
    </time>
  );
}

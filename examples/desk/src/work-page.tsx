// What is due next: mine, a department's, or that of one point.
import { useState } from "preact/hooks";
import { useAnswer } from "./desk.ts";
import { graphql } from "./graphql.ts";
import { Title, Waiting } from "./title.tsx";
import { type Whose, work } from "./work.ts";
import { relative, said, when } from "./words.ts";

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
    ...(me === undefined ? [] : [[`Mine (${me.name})`, { member: me.id }] as [string, Whose]]),
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
  const [chosen, setChosen] = useState(0);
  const [name, whose] = choices[chosen]!;
  const { data, failure } = useAnswer((api) => work(api, whose), [chosen]);
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
      <p aria-live="polite">{data && (data.count === 0 ? "Nothing is to be done." : `${name}: ${data.count} open, the first ${data.items.length}, by what is due.`)}</p>
      {data === undefined ? (
        <Waiting failure={failure} />
      ) : (
        <ol class="work">
          {data.items.map(({ href, title, dueAt, about }) => (
            <li>
              <a href={href}>{title}</a> {dueAt === undefined ? <span class="hint">No date</span> : <Due at={dueAt} />}
              <p class="hint">{about.map((word) => (/^[A-Z_]+$/.test(word) ? said(word) : word)).join(" · ")}</p>
            </li>
          ))}
        </ol>
      )}
    </>
  );
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

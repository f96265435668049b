// The picture of a journey, with the number of open cases on its boxes.
import { useEffect, useRef, useState } from "preact/hooks";
import { useAnswer } from "./desk.ts";
import { graphql } from "./graphql.ts";
import { marked } from "./picture.ts";
import { Title, Waiting } from "./title.tsx";

const JOURNEYS = graphql(`
  query Journeys { journeys(first: 100, orderBy: [{ field: TITLE }]) { nodes { id title } } }
`);

const JOURNEY = graphql(`
  query Journey($id: ID!) {
    journey(by: { id: $id }) {
      diagram(format: SVG)
      steps(first: 500, orderBy: [{ field: POSITION }]) {
        nodes { id label point { id name cases(filter: { stage: { neq: CLOSED } }) { totalCount } } }
      }
    }
  }
`);

export function JourneyPage() {
  const { data, failure } = useAnswer((api) => api.ask(JOURNEYS, {}), []);
  const [chosen, choose] = useState<string>();
  if (data === undefined) return <Waiting failure={failure} />;
  const journeys = data.journeys?.nodes ?? [];
  const id = chosen ?? journeys[0]?.id;
  return (
    <>
      <Title>A journey and its open cases</Title>
      <div class="field">
        <label for="journey">Journey</label>
        <select id="journey" value={id} onChange={(event) => choose((event.target as HTMLSelectElement).value)}>
          {journeys.map(({ id, title }) => (
            <option value={id}>{title}</option>
          ))}
        </select>
      </div>
      {id === undefined ? <p>There is no journey yet.</p> : <Picture id={id} />}
    </>
  );
}

function Picture({ id }: { id: string }) {
  const { data, failure } = useAnswer((api) => api.ask(JOURNEY, { id }), [id]);
  const frame = useRef<HTMLDivElement>(null);
  const steps = (data?.journey?.steps.nodes ?? []).map(({ label, point }) => {
    const count = point.cases?.totalCount ?? 0;
    return { name: label || point.name, count, href: `#/work?point=${point.id}` };
  });
  useEffect(() => {
    if (!data?.journey) return;
    const badges = steps.map(({ name, count, href }) => (count === 0 ? undefined : { count, href, label: `${name}: ${count} open` }));
    frame.current?.replaceChildren(marked(data.journey.diagram, badges));
  }, [data]);
  if (data === undefined) return <Waiting failure={failure} />;
  return (
    <>
      <div class="picture" role="region" aria-label="Picture of the journey" tabIndex={0} ref={frame} />
      <h2>The same as a list</h2>
      <ol>
        {steps.map(({ name, count, href }) => (
          <li>
            {name}: {count === 0 ? "no open case" : <a href={href}>{count} open</a>}
          </li>
        ))}
      </ol>
    </>
  );
}

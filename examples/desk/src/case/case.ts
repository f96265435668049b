// A case as the pages show it, and the answer that every step of it gives.
import type { ResultOf } from "gql.tada";
import type { Mistake } from "../api.ts";
import type { Option } from "../fields.tsx";
import { graphql } from "../graphql.ts";

export const CASE = graphql(`
  query Case($id: ID!) {
    case(by: { id: $id }) {
      id version title summary stage priority severity disposition listeningNote remedySought dueAt
      resolution toldWhat toldAt notToldBecause allowedTransitions
      receivedAt acknowledgedAt assessedAt investigatedAt respondedAt communicatedAt closedAt
      customer { name } point { name } department { name } assignee { id name } toldMedium { name }
      feedbackRecords(first: 20) { nodes { id body receivedAt } }
      attempts(first: 50) { nodes { id tried rootCause hasWorked triedAt } }
      trace {
        kind happenedAt
        interaction { summary direction }
        feedbackRecord { body }
        routing { reason department { name } }
        attempt { tried hasWorked }
        medium { name }
      }
    }
    mediums(first: 1000, orderBy: [{ field: NAME }]) { nodes { id name } }
    members(first: 200, orderBy: [{ field: NAME }]) { nodes { id name } }
  }
`);

export type Case = NonNullable<ResultOf<typeof CASE>["case"]>;
export type Transition = Case["allowedTransitions"][number];

/** What a mutation of a case answers. */
export interface Stepped {
  node: { version: number; stage: Case["stage"] } | null;
  errors: Mistake[];
}

/** What the forms of a case share. */
export interface StepProps {
  of: Case;
  mediums: Option[];
  members: Option[];
  /**
   * Ends a step: says what was done and shows the case as it is now. If somebody else has changed the case meanwhile, it
   * says so, and what was typed stays. Returns the mistakes that belong to fields.
   */
  finish: (stepped: Stepped | null, done: string) => Promise<readonly Mistake[]>;
}

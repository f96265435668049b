// A case as the pages show it.
import type { ResultOf } from "gql.tada";
import type { Option } from "../fields.tsx";
import { graphql } from "../graphql.ts";
import type { Finish } from "../steps.tsx";

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

/** What the forms of a case share. */
export interface StepProps {
  of: Case;
  mediums: Option[];
  members: Option[];
  finish: Finish<Pick<Case, "version" | "stage">>;
}

// A follow-up as the pages show it.
import type { ResultOf } from "gql.tada";
import { graphql } from "../graphql.ts";
import type { Finish } from "../steps.tsx";

export const FOLLOW_UP = graphql(`
  query FollowUp($id: ID!) {
    followUp(by: { id: $id }) {
      id version title kind status dueAt firstDueAt doneAt skippedAt skippedBecause note playbookVersion allowedTransitions
      customer { name } account { name } department { name } owner { name } medium { name } playbook { name }
      case { id title }
      feedbackRecord { id body }
      interaction { summary purpose }
      occasion { name kind }
      improvement { title }
      contentItem { title }
    }
  }
`);

export type FollowUp = NonNullable<ResultOf<typeof FOLLOW_UP>["followUp"]>;
export type Transition = FollowUp["allowedTransitions"][number];

/** What a mutation of a follow-up answers with. */
export type Changed = Pick<FollowUp, "version" | "status">;

/** What the forms of a follow-up share. */
export interface StepProps {
  of: FollowUp;
  finish: Finish<Changed>;
}

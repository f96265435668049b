// What is to be done next: the one place that knows how the API is asked for it.
import type { Api } from "./api.ts";
import { graphql } from "./graphql.ts";

/** Whose work it is. */
export type Whose = { member: string } | { department: string } | { point: string } | { everybody: true };

export interface Item {
  /** Address of the page on which it is done. */
  href: string;
  title: string;
  /** When it is due, UTC; undefined if nothing was promised. */
  dueAt: string | undefined;
  /** What it is about: the stage, the customer, the department. */
  about: string[];
}

export interface Work {
  items: Item[];
  count: number;
}

const OPEN = graphql(`
  query OpenCases($filter: CaseFilter!) {
    cases(first: 50, filter: $filter, orderBy: [{ field: DUE_AT, nulls: LAST }, { field: RECEIVED_AT, direction: DESC }]) {
      totalCount
      nodes { id title stage priority dueAt customer { name } department { name } assignee { name } }
    }
  }
`);

/** The first of what is to be done, the most urgent first. */
export async function work(api: Api, whose: Whose): Promise<Work> {
  const { cases } = await api.ask(OPEN, { filter: { stage: { neq: "CLOSED" }, ...belongsTo(whose) } });
  const items = (cases?.nodes ?? []).map((one) => ({
    href: `#/case/${one.id}`,
    title: one.title ?? "A case",
    dueAt: one.dueAt ?? undefined,
    about: [one.stage, one.priority, one.customer?.name, one.department?.name, one.assignee?.name].filter((word) => word != null),
  }));
  return { items, count: cases?.totalCount ?? 0 };
}

function belongsTo(whose: Whose) {
  if ("member" in whose) return { assignee: { id: { eq: whose.member } } };
  if ("department" in whose) return { department: { id: { eq: whose.department } } };
  if ("point" in whose) return { point: { id: { eq: whose.point } } };
  return {};
}

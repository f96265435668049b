// What is to be done next: the one place that knows how the API is asked for it.
import type { Api } from "./api.ts";
import { graphql } from "./graphql.ts";
import { said } from "./words.ts";

/** Whose work it is. */
export type Whose = { mine: true } | { department: string } | { point: string } | { everybody: true };

export interface Item {
  /** Address of the page on which it is done. */
  href: string;
  title: string;
  /** When it is due, UTC; undefined if nothing was promised. */
  dueAt: string | undefined;
  /** What it is about: the stage or the kind, the customer, the department. */
  about: string[];
}

export interface Work {
  items: Item[];
  /** How many there are in all; undefined where the API does not count them. */
  count: number | undefined;
  /** Where the next page begins; undefined if there is none, or if the list has no pages. */
  next: string | undefined;
}

const MY_WORK = graphql(`
  query MyWork($department: DepartmentRef, $after: String) {
    myWork(first: 25, after: $after, department: $department) {
      edges {
        dueAt
        node {
          ... on Case { __typename id title stage priority customer { name } department { name } assignee { name } }
          ... on FollowUp { __typename id title kind customer { name } account { name } department { name } owner { name } }
        }
      }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

const OPEN = graphql(`
  query OpenCases($filter: CaseFilter!) {
    cases(first: 50, filter: $filter, orderBy: [{ field: DUE_AT, nulls: LAST }, { field: RECEIVED_AT, direction: DESC }]) {
      totalCount
      nodes { id title stage priority dueAt customer { name } department { name } assignee { name } }
    }
  }
`);

/** What is to be done, the most urgent first: the first page of it, or the one after a cursor. */
export async function work(api: Api, whose: Whose, after?: string): Promise<Work> {
  if ("mine" in whose) return casesAndFollowUps(api, null, after);
  if ("department" in whose) return casesAndFollowUps(api, { id: whose.department }, after);
  return casesOf(api, "point" in whose ? { point: { id: { eq: whose.point } } } : {});
}

/** Without a department, those of the member who has the token's subject. */
async function casesAndFollowUps(api: Api, department: { id: string } | null, after: string | undefined): Promise<Work> {
  const { myWork } = await api.ask(MY_WORK, { department, after: after ?? null });
  const items = (myWork?.edges ?? []).map(({ node, dueAt }) =>
    node.__typename === "Case" ? caseItem(node, dueAt) : followUpItem(node, dueAt),
  );
  const { hasNextPage, endCursor } = myWork?.pageInfo ?? {};
  return { items, count: undefined, next: hasNextPage && endCursor ? endCursor : undefined };
}

async function casesOf(api: Api, filter: { point?: { id: { eq: string } } }): Promise<Work> {
  const { cases } = await api.ask(OPEN, { filter: { stage: { neq: "CLOSED" }, ...filter } });
  return { items: (cases?.nodes ?? []).map((one) => caseItem(one, one.dueAt)), count: cases?.totalCount ?? 0, next: undefined };
}

type Named = { name: string | null } | null;

function caseItem(one: { id: string; title: string | null; stage: string; priority: string; customer: Named; department: Named; assignee: Named }, dueAt: string | null): Item {
  const about = [said(one.stage), said(one.priority), ...names(one.customer, one.department, one.assignee)];
  return { href: `#/case/${one.id}`, title: one.title ?? "A case", dueAt: dueAt ?? undefined, about };
}

function followUpItem(one: { id: string; title: string | null; kind: string; customer: Named; account: Named; department: Named; owner: Named }, dueAt: string | null): Item {
  const about = ["Follow-up", said(one.kind), ...names(one.customer, one.account, one.department, one.owner)];
  return { href: `#/follow-up/${one.id}`, title: one.title ?? "A follow-up", dueAt: dueAt ?? undefined, about };
}

function names(...rows: Named[]): string[] {
  return rows.map((row) => row?.name).filter((name) => name != null);
}

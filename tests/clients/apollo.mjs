// Apollo Client pages through all feedback records: node apollo.mjs URL TOKEN [EXPECTED]
import assert from "node:assert/strict";
import { ApolloClient, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { relayStylePagination } from "@apollo/client/utilities";
import { filter, firstValueFrom } from "rxjs";

const [url, token, expected] = process.argv.slice(2);

const cache = new InMemoryCache({
  typePolicies: { Query: { fields: { feedbackRecords: relayStylePagination(["orderBy"]) } } },
});
const client = new ApolloClient({
  cache,
  link: new HttpLink({ uri: url, headers: { authorization: `Bearer ${token}` } }),
});

// Days are shared by up to 190 records, so every page ends amid equal values.
const FORWARD = gql`
  query Forward($first: Int, $after: String) {
    feedbackRecords(first: $first, after: $after, orderBy: [{ field: RECEIVED_AT, direction: DESC }]) {
      totalCount
      pageInfo { hasNextPage endCursor }
      edges { cursor node { id receivedAt point { id name } medium { id name } department { id name } } }
    }
  }
`;
const BACKWARD = gql`
  query Backward($last: Int, $before: String) {
    feedbackRecords(last: $last, before: $before, orderBy: [{ field: RECEIVED_AT, direction: DESC }]) {
      pageInfo { hasPreviousPage startCursor }
      edges { node { id } }
    }
  }
`;

async function forward() {
  const watched = client.watchQuery({ query: FORWARD, variables: { first: 250 } });
  const settled = watched.pipe(filter(({ loading }) => !loading));
  let { data } = await firstValueFrom(settled);
  let pages = 1;
  while (data.feedbackRecords.pageInfo.hasNextPage) {
    await watched.fetchMore({ variables: { after: data.feedbackRecords.pageInfo.endCursor } });
    ({ data } = await firstValueFrom(settled));
    pages += 1;
  }
  const { totalCount, edges } = data.feedbackRecords;
  return { pages, totalCount, nodes: edges.map(({ node }) => node) };
}

async function backward() {
  const ids = [];
  let before = null;
  do {
    const { data } = await client.query({ query: BACKWARD, variables: { last: 999, before }, fetchPolicy: "no-cache" });
    ids.unshift(...data.feedbackRecords.edges.map(({ node }) => node.id));
    before = data.feedbackRecords.pageInfo.hasPreviousPage ? data.feedbackRecords.pageInfo.startCursor : null;
  } while (before);
  return ids;
}

const { pages, totalCount, nodes } = await forward();
const ids = nodes.map(({ id }) => id);
assert.equal(ids.length, totalCount, "the pages together hold as many records as totalCount says");
assert.equal(new Set(ids).size, ids.length, "no record comes twice");
if (expected) assert.equal(totalCount, Number(expected));
for (let i = 1; i < nodes.length; i += 1) {
  assert.ok(nodes[i - 1].receivedAt >= nodes[i].receivedAt, "the order holds over the borders of pages");
}
assert.ok(nodes.every(({ point, medium, department }) => point && medium && department), "relations are there");
assert.deepEqual(await backward(), ids, "backward gives the same list");
console.log(`Apollo Client: ${ids.length} records in ${pages} pages, forward and backward, no gap, no duplicate`);

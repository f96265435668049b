// Compiled, not run: relay-compiler accepts the schema only if connections, Node and PageInfo are as Relay wants them.
import { graphql } from "relay-runtime";

graphql`
  query RecordsQuery($id: ID!) {
    node(id: $id) {
      ...Records_point @alias(as: "point")
    }
    ...Records_query
  }
`;

graphql`
  fragment Records_query on Query
  @refetchable(queryName: "RecordsPageQuery")
  @argumentDefinitions(first: { type: "Int", defaultValue: 25 }, after: { type: "String" }) {
    feedbackRecords(first: $first, after: $after) @connection(key: "Records_feedbackRecords") {
      totalCount
      edges {
        node {
          id
          receivedAt
          product
          ...Records_record
        }
      }
    }
  }
`;

graphql`
  fragment Records_point on InteractionPoint
  @refetchable(queryName: "RecordsOfPointPageQuery")
  @argumentDefinitions(last: { type: "Int", defaultValue: 3 }, before: { type: "String" }) {
    name
    feedbackRecords(last: $last, before: $before) @connection(key: "Records_point_feedbackRecords") {
      edges {
        node {
          ...Records_record
        }
      }
    }
  }
`;

graphql`
  fragment Records_record on FeedbackRecord @refetchable(queryName: "RecordsRecordQuery") {
    kind
    tags
    department {
      name
    }
  }
`;

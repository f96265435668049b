"""Python's gql introspects the server and checks queries against what it found: gql_client.py URL TOKEN [EXPECTED]"""

from __future__ import annotations

import sys

from gql import Client, gql
from gql.transport.exceptions import TransportQueryError
from gql.transport.requests import RequestsHTTPTransport
from graphql import GraphQLError, GraphQLObjectType

NOUNS = [
    "Organization",
    "Department",
    "Medium",
    "Influencer",
    "InteractionPoint",
    "Expectation",
    "Customer",
    "FeedbackRecord",
    "RoutingRule",
]

QUESTION = gql(
    """
    query Question($product: String!, $first: Int!) {
      feedbackRecords(filter: {product: {eq: $product}}, first: $first) {
        totalCount
        nodes { id kind receivedAt product tags point { name kind } department { name } }
      }
      feedbackRecordGroups(groupBy: [PRODUCT], orderBy: COUNT, first: 20) {
        recordCount
        nodes { product count }
      }
    }
    """
)


def main(url: str, token: str, expected: str = "") -> None:
    transport = RequestsHTTPTransport(url=url, headers={"Authorization": f"Bearer {token}"})
    with Client(transport=transport, fetch_schema_from_transport=True) as session:
        schema = session.client.schema
        assert schema is not None
        for noun in NOUNS:
            assert isinstance(schema.get_type(noun), GraphQLObjectType), f"{noun} is no object of the schema"
        for name, field in schema.query_type.fields.items():
            assert field.description, f"{name} has no description"

        QUESTION.variable_values = {"product": "Mortgage", "first": 5}
        answer = session.execute(QUESTION)
        groups = {node["product"]: node["count"] for node in answer["feedbackRecordGroups"]["nodes"]}
        assert answer["feedbackRecords"]["totalCount"] == groups["Mortgage"], "a filter and a group disagree"
        assert all(node["product"] == "Mortgage" for node in answer["feedbackRecords"]["nodes"])
        assert sum(groups.values()) == answer["feedbackRecordGroups"]["recordCount"]
        if expected:
            assert answer["feedbackRecordGroups"]["recordCount"] == int(expected)

        refused(session, "{ feedbackRecords { nodes { noSuchField } } }", GraphQLError)
        refused(session, "{ feedbackRecords(filter: {kind: {eq: NO_SUCH_KIND}}) { totalCount } }", GraphQLError)
        refused(session, "{ feedbackRecords(first: 0) { totalCount } }", TransportQueryError)
    print(f"gql: {len(schema.type_map)} types introspected, a query answered, mistakes found before sending and after")


def refused(session: object, document: str, reason: type[Exception]) -> None:
    """The mistake is found by the schema that was introspected, or else by the server."""
    try:
        session.execute(gql(document))
    except reason:
        return
    raise AssertionError(f"not refused as expected: {document}")


if __name__ == "__main__":
    main(*sys.argv[1:])

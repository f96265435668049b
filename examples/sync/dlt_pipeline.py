#!/usr/bin/env python3
"""A dlt pipeline that follows the change feed into DuckDB: dlt_pipeline.py URL TOKEN [DATABASE]

URL is that of the server. Needs dlt[duckdb] 1.31 or later. Each run loads what changed since the one before: rows are merged by id,
and one that was deleted or merged into another is removed. dlt keeps the position with the data, in one transaction.
"""

import sys

import dlt
from dlt.sources.helpers import requests

# Table, by the type of its rows: the columns to copy.
COLUMNS = {
    "Customer": ["id", "version", "segment", "language", "archivedAt"],
    "FeedbackRecord": ["id", "version", "kind", "receivedAt", "nps"],
}
TYPES = {"Customer": "CUSTOMER", "FeedbackRecord": "FEEDBACK_RECORD"}
ROW = " ".join(f"... on {name} {{ {' '.join(columns)} }}" for name, columns in COLUMNS.items())
CHANGES = f"""query($after: String, $types: [ChangeNoun!]) {{ changes(after: $after, types: $types, first: 1000) {{ headCursor
    pageInfo {{ hasNextPage endCursor }} nodes {{ sequence operation rowType rowId rowVersion row {{ {ROW} }} }} }} }}"""


def ask(url, token, **variables):
    answer = requests.post(f"{url}/graphql", json={"query": CHANGES, "variables": variables},
                           headers={"Authorization": f"Bearer {token}", "Accept": "application/json"}).json()
    if errors := answer.get("errors"):
        raise RuntimeError("; ".join(f"{error['extensions']['code']}: {error['message']}" for error in errors))
    return answer["data"]["changes"]


@dlt.resource(name="changes", write_disposition="merge", primary_key="id",
              # Of several changes of a row in one run, the last one counts.
              columns={"sequence": {"data_type": "bigint", "dedup_sort": "desc"},
                       "deleted": {"data_type": "bool", "hard_delete": True}, "nps": {"data_type": "bigint"}},
              table_name=lambda row: row["table"])
def changes(url, token):
    """Rows as they are now, and the ids of those that are gone, in the order of commits."""
    state = dlt.current.resource_state()
    while True:
        page = ask(url, token, after=state.get("after"), types=list(TYPES.values()))
        for change in page["nodes"]:
            told = {"id": change["rowId"], "version": change["rowVersion"], "sequence": change["sequence"],
                    "table": change["rowType"], "deleted": False}
            if change["operation"] in ("DELETED", "MERGED"):
                yield {**told, "deleted": True}
            elif change["operation"] == "ERASED":
                # The row with nothing in it; a later change has what is left.
                yield told
            elif change["row"]:
                yield {**told, **change["row"]}
        has_more = page["pageInfo"]["hasNextPage"]
        state["after"] = page["pageInfo"]["endCursor"] if has_more else page["headCursor"]
        if not has_more:
            return


def main():
    url, token, *database = sys.argv[1:]
    destination = dlt.destinations.duckdb(database[0] if database else "rapport.duckdb")
    pipeline = dlt.pipeline("rapport", destination=destination, dataset_name="rapport")
    print(pipeline.run(changes(url, token)))


if __name__ == "__main__":
    main()

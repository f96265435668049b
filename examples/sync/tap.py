#!/usr/bin/env python3
"""A Singer tap that follows the change feed: tap.py --config FILE [--state FILE] writes Singer messages, one a line.

The configuration has the address of the API and a token: {"url": "http://127.0.0.1:8080/graphql", "token": "…"}. Without a
state the tap reads all rows and then what changed meanwhile; with the last STATE of a run before, only what is new.
The standard library is enough. To copy other types, change STREAMS.
"""

import argparse
import json
import urllib.request

# Stream, by the type of its rows: the field that lists them, and the columns to copy.
STREAMS = {
    "Customer": ("customers", ["id", "version", "segment", "language", "archivedAt"]),
    "FeedbackRecord": ("feedbackRecords", ["id", "version", "kind", "receivedAt", "nps"]),
}
ROW = " ".join(f"... on {name} {{ {' '.join(columns)} }}" for name, (_, columns) in STREAMS.items())
CHANGES = f"""query($after: String, $types: [ChangeNoun!]) {{ changes(after: $after, types: $types, first: 500) {{ headCursor
    pageInfo {{ hasNextPage endCursor }} nodes {{ operation rowType rowId rowVersion occurredAt row {{ {ROW} }} }} }} }}"""


def ask(config, query, **variables):
    """The data of a query, or the codes of its errors: an answer with errors is never used in part."""
    body = json.dumps({"query": query, "variables": variables}).encode()
    headers = {"Authorization": f"Bearer {config['token']}", "Content-Type": "application/json",
               "Accept": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(config["url"], body, headers)) as answer:
        data = json.load(answer)
    if errors := data.get("errors"):
        raise SystemExit("; ".join(f"{error['extensions']['code']}: {error['message']}" for error in errors))
    return data["data"]


def tell(**message):
    print(json.dumps(message), flush=True)


def read_all(config):
    """Every row, archived ones too."""
    for stream, (field, columns) in STREAMS.items():
        everything = "filter: {or: [{archivedAt: {isNull: true}}, {archivedAt: {isNull: false}}]}, " if "archivedAt" in columns else ""
        query = f"""query($after: String) {{ page: {field}({everything}first: 500, after: $after) {{
            nodes {{ {' '.join(columns)} }} pageInfo {{ hasNextPage endCursor }} }} }}"""
        page = {"pageInfo": {"hasNextPage": True, "endCursor": None}}
        while page["pageInfo"]["hasNextPage"]:
            page = ask(config, query, after=page["pageInfo"]["endCursor"])["page"]
            for row in page["nodes"]:
                tell(type="RECORD", stream=stream, record=row)


def follow(config, after):
    """Every change after a cursor. A row that is gone is a record with `_sdc_deleted_at`."""
    types = ["CUSTOMER", "FEEDBACK_RECORD"]
    while True:
        page = ask(config, CHANGES, after=after, types=types)["changes"]
        for change in page["nodes"]:
            record = change["row"]
            if change["operation"] in ("DELETED", "MERGED"):
                record = {"id": change["rowId"], "version": change["rowVersion"], "_sdc_deleted_at": change["occurredAt"]}
            elif change["operation"] == "ERASED":
                record = {"id": change["rowId"], "version": change["rowVersion"]}
            if record:
                tell(type="RECORD", stream=change["rowType"], record=record)
        has_more = page["pageInfo"]["hasNextPage"]
        after = page["pageInfo"]["endCursor"] if has_more else page["headCursor"]
        tell(type="STATE", value={"after": after})
        if not has_more:
            return


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--config", required=True)
    parser.add_argument("--state")
    arguments = parser.parse_args()
    read = lambda file: json.load(open(file, encoding="utf-8")) if file else {}
    config, after = read(arguments.config), read(arguments.state).get("after")
    for stream, (_, columns) in STREAMS.items():
        properties = {name: {"type": ["null", "integer" if name in ("version", "nps") else "string"]} for name in columns}
        properties["_sdc_deleted_at"] = {"type": ["null", "string"], "format": "date-time"}
        tell(type="SCHEMA", stream=stream, schema={"type": "object", "properties": properties}, key_properties=["id"])
    if after is None:
        after = ask(config, "{ changes(first: 1) { headCursor } }")["changes"]["headCursor"]
        read_all(config)
    follow(config, after)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Two organizations hold the same imported map and record, ids and times of change apart: same.py URL TOKEN URL TOKEN"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples"))
from client import Api, Failure  # found among the examples, which are no package

FIELDS = {
    "departments": "name contact externalIds { system id }",
    "mediums": "name description parent { name } externalIds { system id }",
    "influencers": "name description externalIds { system id }",
    "interactionPoints": """
        kind name description objective customerObjective promise owner { name } externalIds { system id }
        mediums(first: 25) { nodes { name } }
        influencers(first: 25) { edges { strength node { name } } }
        expectations(first: 25) {
          nodes { kind statement source targetMetric targetUnit targetValue importance rank externalIds { system id } }
        }
    """,
    "routingRules": "name position kind product priority department { name } externalIds { system id }",
    "interactions": """
        status direction occurredAt notEligibleBecause point { name } medium { name } externalIds { system id }
    """,
    "feedbackRecords": """
        kind receivedAt product tags attributes { name value } priority
        point { name } medium { name } department { name } externalIds { system id }
        interaction { externalIds { system id } }
    """,
}


def rows(api: Api, noun: str, page: int) -> Iterator[dict[str, Any]]:
    """Every row of a noun."""
    document = f"""
        query Rows($first: Int!, $after: String) {{
          rows: {noun}(first: $first, after: $after) {{
            pageInfo {{ hasNextPage endCursor }}
            nodes {{ {FIELDS[noun]} }}
          }}
        }}
    """
    after = None
    while True:
        answer = api.run(document, {"first": page, "after": after})["rows"]
        yield from (row for row in answer["nodes"] if not is_of_today(row))
        if not answer["pageInfo"]["hasNextPage"]:
            return
        after = answer["pageInfo"]["endCursor"]


def is_of_today(row: dict[str, Any]) -> bool:
    """Whether a row is one that the demo has beside what is imported: its work of today."""
    return bool(row["externalIds"]) and all(known["system"] == "consumer-desk" for known in row["externalIds"])


def ordered(value: Any) -> Any:
    """The value with its lists in an order of their own: that of ids differs between organizations."""
    if isinstance(value, dict):
        return {name: ordered(part) for name, part in value.items()}
    if isinstance(value, list):
        return sorted((ordered(part) for part in value), key=text)
    return value


def text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def compare(left: Api, right: Api, noun: str) -> None:
    page = 500 if noun in ("interactions", "feedbackRecords") else 20
    these, those = ({text(ordered(row)) for row in rows(api, noun, page)} for api in (left, right))
    if these != those:
        differing = sorted(these ^ those)
        raise Failure(f"{len(differing)} {noun} are in one place only, the first: {differing[0]}")
    print(f"{noun:20} {len(these):>6} the same")


def main(url: str, token: str, other_url: str, other_token: str) -> None:
    left, right = Api(url, token), Api(other_url, other_token)
    for noun in FIELDS:
        compare(left, right, noun)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Failure as failure:
        sys.exit(str(failure))

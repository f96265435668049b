#!/usr/bin/env python3
"""Asks which points draw the most complaints, over which mediums, who handles them, and what customers expect.

The token needs the scopes map:read, record:read and insight:read.
"""

from __future__ import annotations

import argparse
import os
import sys
import textwrap
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from client import Api, Failure  # found one folder up: the examples are no package

WIDTH = 100

POINTS = """
query MostComplaints($first: Int!) {
  feedbackRecordGroups(filter: {kind: {eq: COMPLAINT}}, groupBy: [POINT], orderBy: COUNT, first: $first) {
    recordCount
    nodes {
      count
      point {
        id
        name
        promise
        expectations(first: 5, filter: {rank: {isNull: false}}, orderBy: [{field: RANK, direction: ASC}]) {
          nodes { rank statement targetMetric targetUnit targetValue }
        }
      }
    }
  }
}
"""

SHARES = """
query Shares($point: ID!) {
  mediums: feedbackRecordGroups(
    filter: {kind: {eq: COMPLAINT}, point: {id: {eq: $point}}}, groupBy: [MEDIUM], orderBy: COUNT, first: 5
  ) { nodes { count medium { name } } }
  departments: feedbackRecordGroups(
    filter: {kind: {eq: COMPLAINT}, point: {id: {eq: $point}}}, groupBy: [DEPARTMENT], orderBy: COUNT, first: 5
  ) { nodes { count department { name } } }
}
"""


def shares(groups: dict[str, Any], key: str) -> str:
    """The names of a group's keys with their counts."""
    names = ((node[key] or {}).get("name", "none") for node in groups["nodes"])
    return ", ".join(f"{name} {node['count']}" for name, node in zip(names, groups["nodes"]))


def expectation(node: dict[str, Any]) -> str:
    """An expectation and, where it can be measured, its target."""
    target = f" [{node['targetMetric']}: {node['targetValue']} {node['targetUnit']}]" if node["targetMetric"] else ""
    return f"{node['rank']}. {node['statement']}{target}"


def show(group: dict[str, Any], total: int, shared: dict[str, Any]) -> None:
    point = group["point"]
    print(f"{group['count']:>6} {group['count'] / total:>6.1%}  {point['name']}")
    lines = [
        f"over: {shares(shared['mediums'], 'medium')}",
        f"handled by: {shares(shared['departments'], 'department')}",
    ]
    if point["promise"]:
        lines.append(f"promised: {point['promise']}")
    lines += [expectation(node) for node in point["expectations"]["nodes"]]
    for line in lines:
        print(textwrap.fill(line, WIDTH, initial_indent=" " * 15, subsequent_indent=" " * 18))
    print()


def ask(api: Api, top: int) -> None:
    groups = api.run(POINTS, {"first": top})["feedbackRecordGroups"]
    total = groups["recordCount"]
    if not total:
        raise Failure("There is no complaint in this organization yet: import.py brings 3,186.")
    print(f"{total} complaints. The {len(groups['nodes'])} interaction points that draw the most:\n")
    for group in groups["nodes"]:
        if group["point"]:
            show(group, total, api.run(SHARES, {"point": group["point"]["id"]}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", default="http://127.0.0.1:8080/graphql")
    parser.add_argument("--token", default=os.environ.get("RAPPORT_TOKEN", ""), help="or RAPPORT_TOKEN")
    parser.add_argument("--top", type=int, default=5, help="how many interaction points")
    arguments = parser.parse_args()
    try:
        ask(Api(arguments.url, arguments.token), arguments.top)
    except Failure as failure:
        sys.exit(str(failure))


if __name__ == "__main__":
    main()

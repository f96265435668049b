#!/usr/bin/env python3
"""Prints the totals that count.py counts in the file, as the API answers them.

The token needs the scopes record:read and customers:read. The API counts rows and adds up no amounts:
sums are made here, of all rows, page by page.
"""

from __future__ import annotations

import datetime
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from cdnow import ZONE  # comes first: it finds those one folder up
from bulk import api, ended, options
from client import Api

PAGE = """
query Purchases($after: String) {
  purchases(filter: {externalIds: {some: {system: {eq: "cdnow-row"}}}}, first: 1000, after: $after) {
    pageInfo { hasNextPage endCursor }
    nodes { boughtAt amount { amount currency } itemCount customer { externalIds { id } } }
  }
}
"""

PURCHASES = "query Purchases($filter: PurchaseFilter!) { purchases(filter: $filter) { totalCount } }"

CUSTOMERS = """{ customers(filter: {externalIds: {some: {system: {eq: "cdnow"}}}}) { totalCount } }"""

CUSTOMER = """
query Customer($id: String!) {
  customer(by: {externalId: {system: "cdnow", id: $id}}) { purchases { totalCount } }
}
"""


def rows(server: Api) -> Iterator[dict[str, Any]]:
    """Every purchase of the file."""
    after = None
    while True:
        page = server.run(PAGE, {"after": after})["purchases"]
        yield from page["nodes"]
        if not page["pageInfo"]["hasNextPage"]:
            return
        after = page["pageInfo"]["endCursor"]


def count(server: Api, **condition: Any) -> int:
    """How many purchases of the file meet the condition."""
    of_file = {"externalIds": {"some": {"system": {"eq": "cdnow-row"}}}}
    total: int = server.run(PURCHASES, {"filter": {**of_file, **condition}})["purchases"]["totalCount"]
    return total


def local(instant: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(instant.replace("Z", "+00:00")).astimezone(ZONE)


def within(month: str) -> dict[str, Any]:
    """The condition that a purchase was made in a month, as yyyy-mm."""
    first = datetime.datetime.strptime(month, "%Y-%m").replace(tzinfo=ZONE)
    after = (first + datetime.timedelta(days=31)).replace(day=1)
    return {"boughtAt": {"gte": first.isoformat(), "lt": after.isoformat()}}


def largest(counts: Mapping[str, Any]) -> list[str]:
    return sorted(counts, key=lambda key: (-counts[key], key))[:20]


def totals(server: Api) -> dict[str, Any]:
    lines: Counter[tuple[Any, ...]] = Counter()
    often: Counter[str] = Counter()
    spent: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in rows(server):
        customer = row["customer"]["externalIds"][0]["id"]
        lines[customer, row["boughtAt"], row["itemCount"], tuple(row["amount"].items())] += 1
        often[customer] += 1
        spent[customer] += Decimal(row["amount"]["amount"])
    months = sorted({local(instant).strftime("%Y-%m") for _, instant, _, _ in lines})
    looked_up = {id: server.run(CUSTOMER, {"id": id})["customer"]["purchases"]["totalCount"] for id in largest(often)}
    return {
        "customers": server.run(CUSTOMERS)["customers"]["totalCount"],
        "purchases": count(server),
        "distinct": len(lines),
        "discs": sum(discs * times for (_, _, discs, _), times in lines.items()),
        "dollars": str(sum(spent.values())),
        "free": count(server, amount={"amount": {"eq": 0}}),
        "from100Dollars": count(server, amount={"amount": {"gte": 100}, "currency": {"eq": "USD"}}),
        "months": {month: count(server, **within(month)) for month in months},
        "customersByPurchases": {str(key): value for key, value in sorted(Counter(often.values()).items())},
        "mostOften": looked_up,
        "spentMost": {key: str(spent[key]) for key in largest(spent)},
    }


def main() -> None:
    print(json.dumps(totals(api(options(__doc__).parse_args())), indent=2))


if __name__ == "__main__":
    ended(main)

#!/usr/bin/env python3
"""Sends the purchases of CDNOW_master.txt to Rapport, by bulk upserts. Running it again changes nothing.

The token needs the scopes map:write, record:write and customers:write, and map:read, record:read and customers:read.
"""

from __future__ import annotations

import concurrent.futures
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from cdnow import Purchase, read  # comes first: it finds those one folder up
from bulk import Execute, Outcomes, Record, api, ended, import_options, keyed, report, send, suffix

SYSTEM = "cdnow"
BATCH = 1000
BAR = 40

DEPARTMENTS = [{"id": "shop", "name": "Record shop", "contact": "shop@record-shop.example"}]
POINTS = [
    {
        "id": "checkout",
        "kind": "POINT_OF_SALE",
        "name": "Check-out of the web shop",
        "description": "Where a customer orders the discs in the basket, and pays.",
        "objective": "Customers who come back.",
        "customerObjective": "Have the music that I was looking for.",
    }
]


class Step(NamedTuple):
    """A noun, the records its rows are made of, and how."""

    name: str
    noun: str
    records: list[Any]
    row: Callable[..., Record]

    @property
    def document(self) -> str:
        field = f"{self.noun[0].lower()}{self.noun[1:]}BulkUpsert"
        answer = "isReplayed errors { code message path } results { index outcome errors { code message path } }"
        call = f"payload: {field}(input: $input) {{ {answer} }}"
        return f"mutation Bring($input: {self.noun}BulkUpsertInput!) {{ {call} }}"


def reference(name: str, system: str = SYSTEM) -> Record:
    return {"externalId": {"system": system, "id": name}}


def department(record: Record) -> Record:
    return {**reference(record["id"]), "name": record["name"], "contact": record["contact"]}


def point(record: Record) -> Record:
    told = {name: value for name, value in record.items() if name != "id"}
    return {**reference(record["id"]), **told, "ownerRef": reference("shop")}


def purchase(record: Purchase) -> Record:
    return {
        **reference(str(record.number), f"{SYSTEM}-row"),
        "boughtAt": record.bought_at.isoformat(),
        "amount": {"amount": record.dollars, "currency": "USD"},
        "itemCount": record.discs,
        "customerRef": reference(record.customer),
        "pointRef": reference("checkout"),
    }


def steps(purchases: list[Purchase]) -> list[Step]:
    """What is sent, in this order: a row refers to rows of the steps before."""
    return [
        Step("departments", "Departments", DEPARTMENTS, department),
        Step("points", "InteractionPoints", POINTS, point),
        Step("customers", "Customers", list(dict.fromkeys(one.customer for one in purchases)), reference),
        Step("purchases", "Purchases", purchases, purchase),
    ]


class Progress:
    """A bar that grows on a terminal."""

    def __init__(self, name: str, total: int) -> None:
        self.name, self.total, self.done, self.began = name, total, 0, time.monotonic()

    def advance(self, rows: int) -> None:
        self.done += rows
        if sys.stderr.isatty():
            bar = "#" * (BAR * self.done // self.total)
            seconds = time.monotonic() - self.began
            end = "\n" if self.done == self.total else ""
            line = f"\r{self.name:12}[{bar:-<{BAR}}] {self.done:>7,} of {self.total:,} rows, {seconds:.0f} s"
            print(line, end=end, file=sys.stderr, flush=True)


def bring(step: Step, execute: Execute, ending: str, at_once: int) -> Outcomes:
    """Sends the rows of a step, some calls at once; the outcomes, counted. After one has failed no other begins."""
    has_failed = threading.Event()

    def call(records: list[Any]) -> Outcomes:
        if has_failed.is_set():
            return Outcomes()
        rows = {"rows": [step.row(record) for record in records]}
        try:
            return send(execute, step.name, step.document, keyed(step.name, rows, ending)).outcomes
        except BaseException:
            has_failed.set()
            raise

    counts, progress = Outcomes(), Progress(step.name, len(step.records))
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        calls = [pool.submit(call, records) for records in batches(step.records)]
        try:
            for done in concurrent.futures.as_completed(calls):
                counts += done.result()
                progress.advance(sum(done.result().values()))
        finally:
            has_failed.set()  # also where somebody interrupts it
    return counts


def batches(records: list[Any]) -> Iterator[list[Any]]:
    return (records[start : start + BATCH] for start in range(0, len(records), BATCH))


def main() -> None:
    parser = import_options(__doc__)
    parser.add_argument("file", type=Path, help="CDNOW_master.txt; README.md says where it is found")
    parser.add_argument("--at-once", type=int, default=4, metavar="CALLS", help="calls that are sent at once")
    arguments = parser.parse_args()
    execute, ending = api(arguments).run, suffix(arguments)
    sent = steps(read(arguments.file))
    report({step.name: bring(step, execute, ending, arguments.at_once) for step in sent})


if __name__ == "__main__":
    ended(main)

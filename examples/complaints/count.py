#!/usr/bin/env python3
"""Counts consumer_complaints.csv without Rapport and without mapping.json: what its totals are compared with."""

from __future__ import annotations

import collections
import csv
import datetime
import json
import zoneinfo
from collections.abc import Iterable
from pathlib import Path

FILE = Path(__file__).resolve().parent / "consumer_complaints.csv"
NEW_YORK = zoneinfo.ZoneInfo("America/New_York")


def counted(values: Iterable[str], most: int | None = None) -> dict[str, int]:
    """How often each value occurs, the most frequent first, equal counts by name; with `most`, the first of these."""
    counter = collections.Counter(values)
    return dict(sorted(counter.items(), key=lambda pair: (-pair[1], pair[0]))[:most])


def day(text: str) -> datetime.date:
    return datetime.datetime.strptime(text, "%m/%d/%Y").date()


def month_starts(rows: list[dict[str, str]]) -> dict[str, int]:
    """Complaints per month, under the UTC instant at which the month begins in New York."""
    months = counted(day(row["Date received"]).strftime("%Y-%m") for row in rows)
    return {instant(month): months[month] for month in sorted(months)}


def instant(month: str) -> str:
    year, number = (int(part) for part in month.split("-"))
    local = datetime.datetime(year, number, 1, tzinfo=NEW_YORK)
    return local.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def main() -> None:
    with FILE.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    counts = {
        "records": len(rows),
        "dates": [column for column in rows[0] if "date" in column.lower()],
        "distinctRows": len({tuple(row.values()) for row in rows}),
        "firstDay": min(day(row["Date received"]) for row in rows).isoformat(),
        "lastDay": max(day(row["Date received"]) for row in rows).isoformat(),
        "products": counted(row["Product"] for row in rows),
        "mediums": counted(row["Submitted via"] for row in rows),
        "months": month_starts(rows),
        "states": counted(row["State"] for row in rows if row["State"]),
        "withoutState": sum(not row["State"] for row in rows),
        "responses": counted(row["Company response to consumer"] for row in rows),
        "timely": counted(row["Timely response?"] for row in rows),
        "disputed": counted(row["Consumer disputed?"] for row in rows if row["Consumer disputed?"]),
        "consents": counted(row["Consumer consent provided?"] for row in rows if row["Consumer consent provided?"]),
        "zips": len({row["ZIP code"] for row in rows if row["ZIP code"]}),
        "withoutZip": sum(not row["ZIP code"] for row in rows),
        "maskedZips": sum(bool(row["ZIP code"]) and not row["ZIP code"].isdecimal() for row in rows),
        "zipsFrom90000": sum(row["ZIP code"].isdecimal() and int(row["ZIP code"]) >= 90000 for row in rows),
        "sentFrom2016": sum(day(row["Date sent to company"]) >= datetime.date(2016, 1, 1) for row in rows),
        "companies": len({row["Company"] for row in rows}),
        "companyTop20": counted((row["Company"] for row in rows), 20),
        "points": len({(row["Product"], row["Issue"]) for row in rows}),
        "pointTop20": counted((f"{row['Product']} / {row['Issue']}" for row in rows), 20),
        "pointMediumTop20": counted(
            (f"{row['Product']} / {row['Issue']} over {row['Submitted via']}" for row in rows), 20
        ),
    }
    print(json.dumps(counts, indent=2))


if __name__ == "__main__":
    main()

"""Reads CDNOW_master.txt: what the programs beside it share."""

from __future__ import annotations

import datetime
import re
import sys
import zoneinfo
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from client import Failure  # found one folder up: the examples are no package

COLUMNS = ["customer_id", "date", "number_of_cds", "dollar_value"]
LINE = re.compile(r"([0-9]+) +([0-9]{8}) +([0-9]+) +(-?[0-9]+\.[0-9]{2})")
# The shop was in Pennsylvania. The file knows days, no times.
ZONE = zoneinfo.ZoneInfo("America/New_York")


class Purchase(NamedTuple):
    """A line of the file: a purchase has no id but its place there, from 1."""

    number: int
    customer: str
    day: datetime.date
    discs: int
    dollars: str

    @property
    def bought_at(self) -> datetime.datetime:
        """The first instant of the day."""
        return datetime.datetime.combine(self.day, datetime.time(), ZONE)


def read(file: Path) -> list[Purchase]:
    """Every purchase of the file, in its order."""
    first, *lines = file.read_text(encoding="ascii").splitlines() or [""]
    if first.split() != COLUMNS:
        raise Failure(f"{file} does not begin with the columns {', '.join(COLUMNS)}.")
    return [parsed(number, line) for number, line in enumerate(lines, start=1)]


def parsed(number: int, line: str) -> Purchase:
    match = LINE.fullmatch(line.strip())
    if match is None:
        raise Failure(f"Purchase {number} of the file is no customer, day, number and amount: {line.strip()!r}.")
    customer, day, discs, dollars = match.groups()
    try:
        return Purchase(number, customer, datetime.datetime.strptime(day, "%Y%m%d").date(), int(discs), dollars)
    except ValueError as error:
        raise Failure(f"Purchase {number} of the file is of no day: {day}.") from error

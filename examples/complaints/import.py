#!/usr/bin/env python3
"""Sends the complaints of a CSV file to Rapport as mapping.json says. Running it again changes nothing."""

from __future__ import annotations

import csv
import datetime
import json
import re
import sys
import zoneinfo
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
# Found one folder up: the examples are no package.
from bulk import Execute, Outcomes, Record, api, digest, ended, import_options, keyed, report, send, suffix
from client import Failure

Ids = dict[str, dict[str, str]]

PLACEHOLDER = re.compile(r"\{([^{}|]+)((?:\|[^{}|]+)*)\}")
LONGEST = 56


class Group(NamedTuple):
    """The records one item is made from, and its place among the items of its step, from 1."""

    number: int
    records: list[Record]


class Mapping:
    """The mapping file and the records it works on."""

    def __init__(self, mapping: dict[str, Any], file: list[Record]) -> None:
        self.steps: list[dict[str, Any]] = mapping["steps"]
        self.tables: dict[str, dict[str, str]] = mapping["tables"]
        self.zone = zoneinfo.ZoneInfo(mapping["zone"])
        self.data: dict[str, list[Record]] = {**mapping["data"], "file": file}
        for number, record in enumerate(file, start=1):
            for column in mapping["derived"]:
                record[column["name"]] = self.text(column["value"], Group(number, [record]))

    def groups(self, step: dict[str, Any]) -> list[Group]:
        """The records of a step: one group for each item it makes."""
        records = self.data[step["from"]]
        if "where" in step:
            known = {record[step["where"]] for record in self.data["file"]}
            records = [record for record in records if record[step["where"]] in known]
        if "with" in step:
            records = [record for record in records if record.get(step["with"]) not in (None, "")]
        parts = grouped(records, step["distinct"]) if "distinct" in step else [[record] for record in records]
        return [Group(number, part) for number, part in enumerate(parts, start=1)]

    def item(self, template: dict[str, Any], group: Group, ids: Ids) -> dict[str, Any]:
        """One item of a step: its template filled in, without the members that are missing."""
        filled = {name: self.fill(part, group, ids) for name, part in template.items()}
        return {name: value for name, value in filled.items() if value is not None}

    def fill(self, template: Any, group: Group, ids: Ids) -> Any:
        """The template filled in with the first record of the group; None where something is missing."""
        if isinstance(template, str):
            return self.text(template, group)
        if isinstance(template, list):
            return present(self.fill(part, group, ids) for part in template)
        if not isinstance(template, dict):
            return template
        if "$id" in template:
            return ids[template["$id"]][self.fill(template["of"], group, ids)]
        if "$each" in template:
            parts = grouped(group.records, [template["$each"]])
            return present(self.fill(template["value"], Group(group.number, part), ids) for part in parts)
        filled = {name: self.fill(part, group, ids) for name, part in template.items()}
        return None if None in filled.values() else filled

    def text(self, template: str, group: Group) -> Any:
        """A text with its placeholders replaced; a placeholder that stands alone keeps its type."""
        alone = PLACEHOLDER.fullmatch(template)
        if alone:
            return self.value(alone, group)
        values = {match.group(): self.value(match, group) for match in PLACEHOLDER.finditer(template)}
        if None in values.values():
            return None
        return PLACEHOLDER.sub(lambda match: str(values[match.group()]), template)

    def value(self, placeholder: re.Match[str], group: Group) -> Any:
        """The column a placeholder names, passed through the functions it names."""
        column, names = placeholder.group(1), placeholder.group(2).split("|")[1:]
        value = group.number if column == "#" else group.records[0].get(column)
        for name in names:
            if value not in (None, ""):
                value = self.apply(name, value)
            elif name in self.tables:
                value = self.tables[name].get("")
        return None if value == "" else value

    def apply(self, name: str, value: Any) -> Any:
        """A function of this name, or the table of that name."""
        if name == "text":
            return str(value)
        if name == "fit":
            return fit(value)
        if name == "midnight":
            return midnight(value, self.zone)
        table = self.tables[name]
        return table.get(value, table.get("*", value))


def grouped(records: list[Record], columns: list[str]) -> list[list[Record]]:
    """Records with equal values in these columns together, in order of first appearance."""
    groups: dict[tuple[Any, ...], list[Record]] = {}
    for record in records:
        groups.setdefault(tuple(record.get(column) for column in columns), []).append(record)
    return list(groups.values())


def present(values: Iterator[Any]) -> list[Any]:
    return [value for value in values if value is not None]


def fit(value: str) -> str:
    """Text for a tag: what is too long keeps its beginning and gets a digest, so that no two become one."""
    if len(value) <= LONGEST:
        return value
    return f"{value[: LONGEST - 9]}~{digest(value)[:8]}"


def midnight(value: str, zone: datetime.tzinfo) -> str:
    """The first instant of a month/day/year in the zone, with its offset."""
    try:
        month, day, year = (int(part) for part in value.split("/"))
        return datetime.datetime(year, month, day, tzinfo=zone).isoformat()
    except ValueError as error:
        raise Failure(f"{value!r} is no day written as month/day/year.") from error


def load(mapping: Mapping, execute: Execute, ending: str = "") -> dict[str, Outcomes]:
    """Sends every step in order; the outcomes of each, counted."""
    ids: Ids = {}
    counts: dict[str, Outcomes] = {}
    for step in mapping.steps:
        name = step["name"]
        items = [mapping.item(step["item"], group, ids) for group in mapping.groups(step)]
        counts[name] = Outcomes()
        for content in contents(items, step.get("batch", 0)):
            answer = send(execute, name, step["document"], keyed(name, content, ending))
            counts[name] += answer.outcomes
            remember(name, content, answer.results, ids)
    return counts


def contents(items: list[Record], batch: int) -> list[Record]:
    """What the calls of a step hold: each one item, or `batch` of them."""
    return [{"rows": items[start : start + batch]} for start in range(0, len(items), batch)] if batch else items


def remember(name: str, content: Record, results: list[Record], ids: Ids) -> None:
    """Keeps the ids in an answer."""
    for row, result in zip(content.get("rows", [content]), results):
        if "node" in result and "externalId" in row:
            if result["node"] is None:
                raise Failure(f"{row['externalId']['id']} of {name} was deleted since. Run again with --fresh.")
            ids.setdefault(name, {})[row["externalId"]["id"]] = result["node"]["id"]


def printed(document: str, variables: dict[str, Any]) -> dict[str, Any]:
    """Prints a call instead of sending it, and answers as a server would, with made-up ids."""
    print(json.dumps({"query": document, "variables": variables}, sort_keys=True))
    if "rows" not in variables["input"]:
        return {"payload": {"isReplayed": False, "outcome": "UPDATED", "errors": []}}
    results = [
        {"outcome": "CREATED", "node": {"id": f"id of {row['externalId']['id']}"}, "errors": []}
        for row in variables["input"]["rows"]
    ]
    return {"payload": {"isReplayed": False, "results": results, "errors": []}}


def read(mapping_file: Path, csv_file: Path) -> Mapping:
    mapping = json.loads(mapping_file.read_text(encoding="utf-8"))
    with csv_file.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.DictReader(lines)
        lacking = [column for column in mapping["columns"] if column not in (reader.fieldnames or [])]
        if lacking:
            raise Failure(f"{csv_file} lacks the columns {', '.join(lacking)}.")
        return Mapping(mapping, list(reader))


def main() -> None:
    parser = import_options(__doc__)
    parser.add_argument("--csv", type=Path, default=HERE / "consumer_complaints.csv", metavar="FILE")
    parser.add_argument("--print", action="store_true", help="print the calls as JSON lines and send nothing")
    arguments = parser.parse_args()
    mapping = read(HERE / "mapping.json", arguments.csv)
    if arguments.print:
        load(mapping, printed, suffix(arguments))
    else:
        report(load(mapping, api(arguments).run, suffix(arguments)))


if __name__ == "__main__":
    ended(main)

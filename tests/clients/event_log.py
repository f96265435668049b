"""pm4py reads the event logs of a journey, and finds the interactions that the API lists: event_log.py URL TOKEN

URL is that of the /graphql endpoint. The organization of the token gets a journey with interactions.
"""

from __future__ import annotations

import json
import sys
import tempfile
import urllib.request
from pathlib import Path
from urllib.parse import urljoin

import pm4py

LOG = """query($journey: JourneyRef!, $format: EventLogFormat!) {
  journeyEventLog(journeyRef: $journey, format: $format) { url } }"""
COUNTS = """query($points: [ID!]!) {
  all: interactions(filter: { status: { eq: COMPLETED }, point: { id: { in: $points } } }) { totalCount }
  ofCustomers: interactions(filter: { status: { eq: COMPLETED }, point: { id: { in: $points } }, customer: {} }) { totalCount } }"""
JOURNEY = {"externalId": {"system": "log", "id": "journey"}}


def ask(url: str, token: str, query: str, variables: dict) -> dict:
    body = json.dumps({"query": query, "variables": variables}).encode()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(url, body, headers)) as response:
        answer = json.load(response)
    assert "errors" not in answer, answer
    return answer["data"]


def known(key: str) -> dict:
    return {"externalId": {"system": "log", "id": key}}


def fill(url: str, token: str) -> list[str]:
    """Makes a journey of two points, and interactions of three customers and of nobody there; returns the points' ids."""

    def upsert(plural: str, rows: list[dict]) -> list[str]:
        name = plural[0].upper() + plural[1:]
        query = f"""mutation($input: {name}BulkUpsertInput!) {{
          {plural}BulkUpsert(input: $input) {{ results {{ node {{ id }} }} errors {{ code path }} }} }}"""
        done = ask(url, token, query, {"input": {"rows": rows}})[f"{plural}BulkUpsert"]
        assert not done["errors"], done
        return [row["node"]["id"] for row in done["results"]]

    upsert("journeys", [known("journey") | {"title": 'A & "B" <c>'}])
    points = upsert("interactionPoints", [known(key) | {"name": f"<{key}> & more"} for key in ("call", "visit")])
    places = {"journeyRef": JOURNEY}
    upsert("steps", [known(key) | places | {"pointRef": known(key)} for key in ("call", "visit")])
    upsert("customers", [known(str(number)) | {"name": f"Customer {number}"} for number in range(3)])
    rows = []
    for number in range(40):
        row = {"status": "COMPLETED", "occurredAt": f"2026-01-{number % 28 + 1:02}T09:00:00Z"}
        row["pointRef"] = known(("call", "visit")[number % 2])
        if number % 4:
            row["customerRef"] = known(str(number % 3))
        rows.append(known(str(number)) | row)
    upsert("interactions", rows)
    return points


def main(url: str, token: str) -> None:
    points = fill(url, token)
    counts = {name: count["totalCount"] for name, count in ask(url, token, COUNTS, {"points": points}).items()}
    assert counts == {"all": 40, "ofCustomers": 30}, counts
    with tempfile.TemporaryDirectory() as folder:
        for form, ending in [("XES", "xes"), ("OCEL", "jsonocel")]:
            path = Path(folder) / f"events.{ending}"
            address = ask(url, token, LOG, {"journey": JOURNEY, "format": form})["journeyEventLog"]["url"]
            urllib.request.urlretrieve(urljoin(url, address), path)
            if form == "XES":
                events = pm4py.read_xes(str(path))
                assert len(events) == counts["ofCustomers"], (len(events), counts)
                print(f"pm4py: {len(events)} events of {events['case:concept:name'].nunique()} customers from XES")
            else:
                log = pm4py.read_ocel2_json(str(path))
                assert len(log.events) == counts["all"], (len(log.events), counts)
                print(f"pm4py: {len(log.events)} events and {len(log.objects)} objects from OCEL")


if __name__ == "__main__":
    main(*sys.argv[1:])

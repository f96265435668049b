#!/usr/bin/env python3
"""What a CRM does to have problems handled: it brings customers and calls, fetches what is due, and reports it done.

Run again, it changes nothing: every row has an id of the CRM, every call a key made of its content, and what is done is
no longer due. The token needs map:write, record:read, record:write, customers:read, customers:write, response:read and
response:write.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
from typing import Any

from client import Api, Failure, describe

SYSTEM = "example-crm"
# Whom the promise is made to: other customers of the organization are left alone.
SEGMENT = "example-crm"


def named(key: str) -> dict[str, Any]:
    """A row by its id in the CRM."""
    return {"externalId": {"system": SYSTEM, "id": key}}


PHONE = {**named("phone"), "name": "Phone"}
CALENDAR = {**named("always"), "name": "Day and night", "timeZone": "America/New_York"}
# What is promised: an answer within four hours, a solution within two days. An admin decides this once.
POLICY = {
    **named("promise"),
    "name": "CRM customers",
    "position": 900,
    "segment": SEGMENT,
    "acknowledgeMinutes": 60,
    "firstResponseMinutes": 240,
    "resolutionMinutes": 2880,
    "calendarRef": named("always"),
}
CUSTOMERS = [
    {**named("P-2001"), "name": "Eve Sand", "phone": "+1 555 0110", "segment": SEGMENT},
    {**named("P-2002"), "name": "Flo Marsh", "email": "flo@mail.example", "segment": SEGMENT},
]
# Tickets of the CRM are cases, and what was said on the phone is an interaction about them.
CASES = [
    {
        **named("T-1"),
        "title": "The invoice was charged twice",
        "customerRef": named("P-2001"),
        "receivedAt": "2026-01-12T09:30:00-05:00",
    },
    {
        **named("T-2"),
        "title": "The delivery came to the old address",
        "customerRef": named("P-2002"),
        "receivedAt": "2026-01-12T11:05:00-05:00",
    },
]
CALLS = [
    {
        **named("call-1"),
        "direction": "INBOUND",
        "status": "COMPLETED",
        "occurredAt": "2026-01-12T09:30:00-05:00",
        "duration": "PT7M",
        "summary": "Two debits for invoice 88, the same day",
        "customerRef": named("P-2001"),
        "mediumRef": named("phone"),
        "caseRef": named("T-1"),
    },
    {
        **named("call-2"),
        "direction": "INBOUND",
        "status": "COMPLETED",
        "occurredAt": "2026-01-12T11:05:00-05:00",
        "duration": "PT4M",
        "summary": "Moved in November, and has told us",
        "customerRef": named("P-2002"),
        "mediumRef": named("phone"),
        "caseRef": named("T-2"),
    },
]
# What the people at the phones did about each ticket, as the CRM knows it.
DONE = {
    "T-1": {"tried": "Paid the second debit back", "told": "The money is back on your account on Thursday."},
    "T-2": {"tried": "Sent it again, to the new address", "told": "A second parcel comes on Friday."},
}

DUE = """
query Due($after: String) {
  cases(
    first: 100, after: $after, orderBy: [{ field: DUE_AT }]
    filter: { dueAt: { isNull: false }, stage: { neq: CLOSED }, externalIds: { some: { system: { eq: "example-crm" } } } }
  ) {
    pageInfo { hasNextPage endCursor }
    nodes {
      title stage dueAt breachedAt externalIds { system id }
      deadlines(first: 10, filter: { completedAt: { isNull: true }, dueAt: { isNull: false } }, orderBy: [{ field: DUE_AT }]) {
        nodes { kind dueAt }
      }
    }
  }
}
"""


def send(api: Api, field: str, input_type: str, content: dict[str, Any]) -> dict[str, Any]:
    """Runs one mutation. Its key is made of its content: sent twice, it has one effect."""
    digest = hashlib.sha256(json.dumps([field, content], sort_keys=True).encode()).hexdigest()
    # Bulk calls answer a result for each row, others one outcome.
    is_bulk = "rows" in content
    selection = "results { outcome errors { code message path } }" if is_bulk else "outcome"
    document = f"""mutation Send($input: {input_type}!) {{
      payload: {field}(input: $input) {{ errors {{ code message path }} {selection} }}
    }}"""
    variables = {"input": {**content, "idempotencyKey": f"crm-cases-{digest[:32]}"}}
    payload: dict[str, Any] = api.run(document, variables)["payload"]
    errors = payload["errors"] + [error for result in payload.get("results") or [] for error in result["errors"]]
    if errors:
        raise Failure(f"{field} was refused: " + "; ".join(describe(error) for error in errors))
    return payload


def bring(api: Api) -> None:
    """Customers first, then the cases that name them, then the calls that name both."""
    send(api, "mediumUpsert", "MediumUpsertInput", PHONE)
    send(api, "businessCalendarUpsert", "BusinessCalendarUpsertInput", CALENDAR)
    send(api, "responsePolicyUpsert", "ResponsePolicyUpsertInput", POLICY)
    send(api, "customersBulkUpsert", "CustomersBulkUpsertInput", {"rows": CUSTOMERS})
    send(api, "casesBulkUpsert", "CasesBulkUpsertInput", {"rows": CASES})
    send(api, "interactionsBulkUpsert", "InteractionsBulkUpsertInput", {"rows": CALLS})


def due(api: Api) -> list[dict[str, Any]]:
    """The open cases of the CRM for which something is due, the most urgent first."""
    rows: list[dict[str, Any]] = []
    after = None
    while True:
        page = api.run(DUE, {"after": after})["cases"]
        rows += page["nodes"]
        if not page["pageInfo"]["hasNextPage"]:
            return rows
        after = page["pageInfo"]["endCursor"]


def report(api: Api, key: str) -> None:
    """Reports a ticket done: the customer was called back, an attempt worked, the case is closed with what was told.

    Each step is safe to repeat: an upsert of what is there changes nothing, and a closed case is no longer due.
    """
    done = DONE[key]
    answer = {
        **named(f"{key}-answer"),
        "direction": "OUTBOUND",
        "status": "COMPLETED",
        "occurredAt": "2026-01-12T13:00:00-05:00",
        "summary": done["told"],
        "mediumRef": named("phone"),
        "caseRef": named(key),
    }
    send(api, "interactionUpsert", "InteractionUpsertInput", answer)
    attempt = {**named(f"{key}-attempt"), "tried": done["tried"], "hasWorked": True, "caseRef": named(key)}
    send(api, "attemptUpsert", "AttemptUpsertInput", attempt)
    ending = {"resolution": "SOLVED", "toldWhat": done["told"], "toldMediumRef": named("phone")}
    send(api, "caseClose", "CaseCloseInput", {"by": named(key), **ending})


def key_of(case: dict[str, Any]) -> str:
    """The id of a case in the CRM."""
    return str(next(known["id"] for known in case["externalIds"] if known["system"] == SYSTEM))


def run(api: Api) -> None:
    bring(api)
    reported = 0
    for case in due(api):
        key = key_of(case)
        kinds = ", ".join(deadline["kind"] for deadline in case["deadlines"]["nodes"])
        print(f"{key}  {case['title']}: {kinds} due, the first at {case['dueAt']}")
        if key in DONE:
            report(api, key)
            reported += 1
    left = [key_of(case) for case in due(api)]
    if not DONE.keys().isdisjoint(left):
        raise Failure(f"Still due: {', '.join(left)}.")
    print(f"{reported} reported done, {len(left)} left")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", default="http://127.0.0.1:8080/graphql")
    parser.add_argument("--token", default=os.environ.get("RAPPORT_TOKEN", ""), help="or RAPPORT_TOKEN")
    arguments = parser.parse_args()
    try:
        run(Api(arguments.url, arguments.token))
    except Failure as failure:
        sys.exit(str(failure))


if __name__ == "__main__":
    main()

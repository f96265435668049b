#!/usr/bin/env python3
"""What a CRM does to keep its contacts in Rapport: upserts by external id, mistakes as data, retries that do no harm.

The token needs the scopes record:read, customers:read and customers:write.
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

CONTACTS = [
    {"key": "C-1001", "name": "Ada Brook", "email": "ada.brook@mail.example", "segment": "household"},
    {
        "key": "C-1002",
        "name": "Ben Ortiz",
        "email": "home@mail.example",
        "phone": "+1 555 0100",
        "segment": "household",
    },
    {"key": "C-1003", "name": "Cy Ortiz", "email": "home@mail.example", "segment": "small business"},
    {
        "key": "C-1004",
        "name": "Dot Lind",
        "phone": "+1 555 0101 at the office, never on a Friday afternoon, else ask for Eve",
    },
]

UPSERT = """
mutation SyncContacts($input: CustomersBulkUpsertInput!) {
  customersBulkUpsert(input: $input) {
    isReplayed
    errors { code message path }
    results { index outcome node { id } errors { code message path } }
  }
}
"""

UPDATE = """
mutation UpdateContact($input: CustomerUpsertInput!) {
  customerUpsert(input: $input) {
    outcome
    errors { code message path }
    node { name email externalIds { system id } }
  }
}
"""

LOOK_UP = """
query Contact($key: String!) {
  customer(by: {externalId: {system: "example-crm", id: $key}}) { id version name segment updatedAt }
}
"""


def row(contact: dict[str, str]) -> dict[str, Any]:
    """A contact as a row of the bulk call. The key is the identity; an e-mail address never is."""
    fields = {name: value for name, value in contact.items() if name != "key"}
    return {"externalId": {"system": SYSTEM, "id": contact["key"]}, **fields}


def sync(api: Api, contacts: list[dict[str, str]]) -> dict[str, Any]:
    """Sends all contacts in one call. Good rows are kept where others fail.

    The idempotency key is made of the content, so the same call sent twice, because an answer got lost
    or a job was started again, has one effect.
    """
    content = {"rows": [row(contact) for contact in contacts], "policy": "SKIP_INVALID"}
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    variables = {"input": {**content, "idempotencyKey": f"crm-sync-{digest[:32]}"}}
    payload: dict[str, Any] = api.run(UPSERT, variables)["customersBulkUpsert"]
    if payload["errors"]:
        raise Failure("The call was refused: " + "; ".join(describe(error) for error in payload["errors"]))
    return payload


def update(api: Api, contact: dict[str, Any], **manner: Any) -> dict[str, Any]:
    """Sends one contact as a typed client does, which knows all fields and sends null for those it does not set.

    Nulls change nothing by default. A contact whose every field the CRM owns is sent with `onNull: "CLEAR"`, which empties
    them. External ids go by `externalIdsRemove` alone, whatever null means.
    """
    unset: dict[str, Any] = {"name": None, "email": None, "phone": None, "externalIds": None}
    payload: dict[str, Any] = api.run(UPDATE, {"input": {**unset, **row(contact), **manner}})["customerUpsert"]
    if payload["errors"]:
        raise Failure("The contact was refused: " + "; ".join(describe(error) for error in payload["errors"]))
    return payload


def show(title: str, contacts: list[dict[str, str]], payload: dict[str, Any]) -> None:
    print(f"{title}{' (known call, replayed)' if payload['isReplayed'] else ''}")
    for contact, result in zip(contacts, payload["results"]):
        mistakes = "; ".join(describe(error) for error in result["errors"])
        print(f"  {contact['key']}  {result['outcome']:9}  {mistakes}".rstrip())


def run(api: Api) -> None:
    show("First call", CONTACTS, sync(api, CONTACTS))
    show("The same call again", CONTACTS, sync(api, CONTACTS))
    mended = [dict(contact) for contact in CONTACTS]
    mended[1]["segment"] = "small business"
    mended[3]["phone"] = "+1 555 0101"
    show("One contact changed, one mended", mended, sync(api, mended))
    own = {"system": "example-shop", "id": "web-7"}
    kept = update(api, {"key": "C-1001", "name": "Ada Brook"}, externalIds=[own])["node"]
    cleared = update(api, {"key": "C-1001", "name": "Ada Brook"}, onNull="CLEAR")["node"]
    # The CRM merged another contact into this one: both keys name it. Adding a key removes none.
    merged = update(api, {"key": "C-1001"}, externalIds=[{"system": SYSTEM, "id": "C-0007"}])["node"]
    removed = [own, {"system": SYSTEM, "id": "C-0007"}]
    parted = update(api, {"key": "C-1001"}, externalIdsRemove=removed)["node"]
    titles = ["Nulls kept", "Nulls cleared", "Contacts merged", "Parted again"]
    for title, node in zip(titles, [kept, cleared, merged, parted]):
        keys = ", ".join(f"{key['system']} {key['id']}" for key in node["externalIds"])
        print(f"{title}: {node['name']}, e-mail {node['email']}, known as {keys}")
    if kept["email"] is None or cleared["email"] is not None or len(cleared["externalIds"]) != 2:
        raise Failure("Nulls did not do what docs/reference/nulls.md says.")
    if len(merged["externalIds"]) != 3 or len(parted["externalIds"]) != 1:
        raise Failure("External ids are not what was added and removed.")
    customer = api.run(LOOK_UP, {"key": "C-1002"})["customer"]
    print(f"C-1002 is {customer['id']}, version {customer['version']}: {customer['name']}, {customer['segment']}")


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

"""Calls that may be sent again: what the imports beside it share."""

from __future__ import annotations

import argparse
import collections
import hashlib
import json
import os
import sys
import uuid
from collections.abc import Callable
from typing import Any, NamedTuple

from client import Api, Failure, describe

Record = dict[str, Any]
Execute = Callable[[str, Record], Record]
Outcomes = collections.Counter[str]  # how many rows were CREATED, UPDATED, UNCHANGED or REPLAYED


class Answer(NamedTuple):
    """What became of the rows of a call."""

    outcomes: Outcomes
    results: list[Record]


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def keyed(step: str, content: Record, suffix: str) -> Record:
    """The input of a call, with a key made of its content: sent again, it is known."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return {**content, "idempotencyKey": f"{step}-{digest(canonical)[:32]}{suffix}"}


def send(execute: Execute, step: str, document: str, content: Record) -> Answer:
    """Sends an input of many `rows` or of one. A row that is refused is a `Failure`."""
    payload = execute(document, {"input": content})["payload"]
    rows = content.get("rows", [content])
    results = payload.get("results", [payload])
    errors = payload["errors"] + [error for result in results for error in result["errors"]]
    if errors or len(results) != len(rows):
        reasons = "; ".join(describe(error) for error in errors[:5]) or "the answer has another number of rows"
        raise Failure(f"The API refused {step}: {reasons}")
    outcomes = ("REPLAYED" if payload["isReplayed"] else result["outcome"] for result in results)
    return Answer(Outcomes(outcomes), results)


def report(counts: dict[str, Outcomes]) -> None:
    """Prints what became of the rows of each step, and last whether anything changed."""
    columns = ["CREATED", "UPDATED", "UNCHANGED", "REPLAYED"]
    print(f"{'':20}" + "".join(f"{column:>11}" for column in columns))
    for name, outcomes in counts.items():
        print(f"{name:20}" + "".join(f"{outcomes[column]:>11}" for column in columns))
    changed = sum(outcomes["CREATED"] + outcomes["UPDATED"] for outcomes in counts.values())
    print(f"{changed} changed" if changed else "nothing changed")


def options(about: str | None) -> argparse.ArgumentParser:
    """The options of a program that uses the API."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--url", default="http://127.0.0.1:8080/graphql")
    parser.add_argument("--token", default=os.environ.get("RAPPORT_TOKEN", ""), help="or RAPPORT_TOKEN")
    return parser


def import_options(about: str | None) -> argparse.ArgumentParser:
    """The options of an import."""
    parser = options(about)
    parser.add_argument(
        "--fresh", action="store_true", help="use new idempotency keys: compare with what is stored now"
    )
    return parser


def suffix(arguments: argparse.Namespace) -> str:
    """What ends the idempotency keys of a run: nothing, unless they are to be new."""
    return f"-{uuid.uuid4().hex}" if arguments.fresh else ""


def api(arguments: argparse.Namespace) -> Api:
    if not arguments.token:
        raise Failure("A token is needed: --token or RAPPORT_TOKEN. `rapport token` prints one.")
    return Api(arguments.url, arguments.token)


def ended(work: Callable[[], None]) -> None:
    """Runs a program to its end; what stops it is a sentence."""
    try:
        work()
    except (Failure, OSError, UnicodeDecodeError) as failure:
        sys.exit(str(failure))
    except KeyboardInterrupt:
        sys.exit("Interrupted. Run it again: it goes on where it stopped.")

"""A GraphQL client in the Python standard library: what the examples beside it share."""

from __future__ import annotations

import http.client
import json
import socket
import time
import urllib.error
import urllib.request
from typing import Any

ATTEMPTS = 6
LONGEST_WAIT = 30.0
# Points come back with time, and other calls may take them first: an import that has spent its own waits this long.
PATIENCE = 600.0


class Failure(Exception):
    """Something the caller should read and act on; its text is a sentence."""


class Api:
    """One GraphQL endpoint and the token to use there."""

    def __init__(self, url: str, token: str, timeout: float = 60) -> None:
        if not url.startswith(("http://", "https://")):
            raise Failure(f"{url} is no address. It looks like http://127.0.0.1:8080/graphql.")
        self.url = url
        self.token = token
        self.timeout = timeout

    def run(self, document: str, variables: dict[str, Any] | None = None) -> dict[str, Any]:
        """Runs one document and returns its data. Any error in the answer is a `Failure`.

        Waits and tries again when the server is busy or the connection breaks. That is harmless for
        queries, and for mutations with an idempotency key: the server then answers what it did before.
        """
        body = json.dumps({"query": document, "variables": variables or {}}).encode()
        attempts, until = 0, time.monotonic() + PATIENCE
        while True:
            try:
                return data_of(self._post(body))
            except Again as again:
                attempts += not again.is_limit
                if attempts == ATTEMPTS or time.monotonic() > until:
                    raise Failure(f"{self.url} could not be used, try again later: {again.reason}.") from again
                time.sleep(min(again.seconds, LONGEST_WAIT))

    def _post(self, body: bytes) -> bytes:
        headers = {"Content-Type": "application/json", "Accept": "application/graphql-response+json, application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        request = urllib.request.Request(self.url, data=body, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=self.timeout) as response:
                answer: bytes = response.read()
                return answer
        except urllib.error.HTTPError as error:
            return self._refusal(error)
        except urllib.error.URLError as error:
            if isinstance(error.reason, (ConnectionResetError, socket.timeout)):
                raise Again(1, str(error.reason)) from error
            raise Failure(f"Cannot reach {self.url}: {error.reason}. Is the server running?") from error
        except (http.client.HTTPException, ConnectionError, socket.timeout) as error:
            raise Again(1, f"the connection broke ({error})") from error

    def _refusal(self, error: urllib.error.HTTPError) -> bytes:
        text = error.read()
        if error.code == 401:
            raise Failure(f"{self.url} refused the token: {first_message(text)}.")
        if error.code in (429, 503):
            raise Again(seconds_of(error.headers.get("Retry-After")), first_message(text), error.code == 429)
        if "errors" in answer_of(text):
            return text
        raise Failure(f"{self.url} answered {error.code} {error.reason}. Is this a GraphQL endpoint?")


class Again(Exception):
    """The request may succeed after a wait. A limit is no fault: it says only that the caller is too fast."""

    def __init__(self, seconds: float, reason: str, is_limit: bool = False) -> None:
        super().__init__(reason)
        self.seconds = seconds
        self.reason = reason
        self.is_limit = is_limit


def data_of(text: bytes) -> dict[str, Any]:
    """The `data` of an answer, if it has no errors."""
    answer = answer_of(text)
    data, errors = answer.get("data"), answer.get("errors") or []
    if any(code_of(error) == "UNAVAILABLE" for error in errors):
        raise Again(1, errors[0].get("message", ""))
    if errors:
        raise Failure("The API answered: " + "; ".join(describe(error) for error in errors))
    if not isinstance(data, dict):
        raise Failure("The answer is not GraphQL. Is the address that of a /graphql endpoint?")
    return data


def answer_of(text: bytes) -> dict[str, Any]:
    """The answer as an object; empty if it is anything else."""
    try:
        answer = json.loads(text)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def first_message(text: bytes) -> str:
    """The first error message of an answer."""
    errors = answer_of(text).get("errors") or [{}]
    return str(errors[0].get("message", "no reason given")).rstrip(".")


def code_of(error: dict[str, Any]) -> str:
    """The stable code of a top-level error."""
    return str((error.get("extensions") or {}).get("code", ""))


def describe(error: dict[str, Any]) -> str:
    """A top-level error or a user error in one line."""
    path = ".".join(str(part) for part in error.get("path") or [])
    code = error.get("code") or code_of(error)
    return " ".join(part for part in (code, f"at {path}:" if path else "", error.get("message", "")) if part)


def seconds_of(header: str | None) -> float:
    """The wait a Retry-After header asks for, in seconds."""
    return float(header) if header and header.isdigit() else 1.0

"""standardwebhooks verifies real messages, from PyPI here and from npm in webhooks.mjs: webhooks.py URL TOKEN

URL is that of the /graphql endpoint of a server with --webhook-allow 127.0.0.0/8.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue

from standardwebhooks import Webhook, WebhookVerificationError

Message = tuple[dict[str, str], str]


def ask(url: str, token: str, query: str, variables: dict) -> dict:
    body = json.dumps({"query": query, "variables": variables}).encode()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(url, body, headers)) as response:
        answer = json.load(response)
    assert "errors" not in answer, answer
    return answer["data"]


def receive() -> tuple[str, Queue[Message]]:
    """Starts a receiver; returns its address, and what it receives."""
    received: Queue[Message] = Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            received.put(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/hook", received


def is_genuine(secret: str, message: Message) -> bool:
    headers, body = message
    try:
        Webhook(secret).verify(body, headers)
    except WebhookVerificationError:
        return False
    return True


def cases(first: str, second: str, messages: list[Message]) -> list[tuple[str, Message, bool]]:
    """Secrets and messages, with whether they belong together: one of before a rotation, and one of its time."""
    (headers, body), during = messages
    stale = {**headers, "webhook-timestamp": str(int(headers["webhook-timestamp"]) - 3_600)}
    other = {**headers, "webhook-id": headers["webhook-id"] + "x"}
    return [
        (first, (headers, body), True),
        (first, during, True),
        (second, during, True),
        (second, (headers, body), False),
        (first, (headers, body.replace("Department", "Depertment")), False),
        (first, (stale, body), False),
        (first, (other, body), False),
    ]


def main(url: str, token: str) -> None:
    address, received = receive()
    made = ask(
        url,
        token,
        """mutation($url: URL!) { webhookEndpointCreate(input: { url: $url, eventTypes: ["Department.CREATED"] }) {
             node { id } secret } }""",
        {"url": address},
    )["webhookEndpointCreate"]
    messages = []
    create = """mutation { departmentCreate(input: { name: "Webhooks" }) { errors { code } } }"""
    rotate = """mutation($id: ID!) { webhookEndpointRotateSecret(input: { by: { id: $id } }) { secret } }"""
    secrets = [made["secret"]]
    for turn in range(2):
        ask(url, token, create, {})
        messages.append(received.get(timeout=30))
        if turn == 0:
            rotated = ask(url, token, rotate, made["node"])
            secrets.append(rotated["webhookEndpointRotateSecret"]["secret"])
    remove = """mutation($id: ID!) { webhookEndpointDelete(input: { by: { id: $id } }) { outcome } }"""
    ask(url, token, remove, made["node"])
    tried = cases(*secrets, messages)
    for number, (secret, message, expected) in enumerate(tried):
        assert is_genuine(secret, message) == expected, number
    script = Path(__file__).with_name("webhooks.mjs")
    given = [{"secret": secret, "headers": headers, "body": body, "expected": expected} for secret, (headers, body), expected in tried]
    subprocess.run(["node", script], input=json.dumps(given), text=True, check=True)
    print(f"standardwebhooks of PyPI and npm: {len(tried)} messages judged alike, {sum(case[2] for case in tried)} genuine")


main(*sys.argv[1:])

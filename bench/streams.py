#!/usr/bin/env python3
"""What 1,000 streams cost, and how soon they tell: streams.py PROGRAM [DATABASE_URL]

Starts one server on a SQLite file, or two on the PostgreSQL database (empty, or of this script), with 1,000 event streams of ten
callers and 200 webhook endpoints. Prints memory and CPU time while nothing changes, the time from the answer of a write until
each stream has its change, and how fast a writer of another organization is with and without the streams. Linux, standard library.
"""

import asyncio
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

STREAMS, CALLERS, ENDPOINTS = 1_000, 10, 200
IDLE_SECONDS, WRITES, ROUNDS, CALLS = 30, 40, 15, 60
SCOPES = "map:read map:write exchange:read admin"
SUBSCRIPTION = json.dumps({"query": "subscription { changes { nodes { sequence operation rowId row { ... on Medium { id name } } } headCursor } }"})
TICKS = os.sysconf("SC_CLK_TCK")


class Server:
    def __init__(self, program, folder):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            self.port = taken.getsockname()[1]
        rich = ["--points", "100000000", "--points-per-second", "100000000", "--webhook-allow", "127.0.0.0/8"]
        self.process = subprocess.Popen([program, "serve", "--listen", f"127.0.0.1:{self.port}", "--admin-listen", "127.0.0.1:0", *rich],
                                        cwd=folder, stderr=subprocess.DEVNULL)
        for _ in range(240):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz").close()
                return
            except OSError:
                time.sleep(0.25)
        raise SystemExit("the server does not start")

    def memory(self):
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024

    def seconds(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def ask(self, token, query, **variables):
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", "Accept": "application/json"}
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/graphql", body, headers)
        with urllib.request.urlopen(request) as answer:
            reply = json.load(answer)
        assert "errors" not in reply, reply
        return reply["data"]


class Stream:
    """An event stream; remembers when each sequence came."""

    def __init__(self):
        self.came = {}

    async def open(self, port, token):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write((f"POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\nAccept: text/event-stream\r\n"
                      f"Content-Type: application/json\r\nContent-Length: {len(SUBSCRIPTION)}\r\n\r\n{SUBSCRIPTION}").encode())
        head = await reader.readuntil(b"\r\n\r\n")
        assert b" 200 " in head.split(b"\r\n")[0], head
        await reader.readuntil(b"headCursor")
        self.task, self.writer = asyncio.create_task(self.follow(reader)), writer
        return self

    async def follow(self, reader):
        while line := await reader.readline():
            if line.startswith(b"data: {"):
                now = time.monotonic()
                for sequence in re.findall(rb'"sequence":(\d+)', line):
                    self.came.setdefault(int(sequence), now)


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def write(server, token, name):
    server.ask(token, "mutation($name: String!) { mediumCreate(input: {name: $name}) { node { id } errors { message } } }", name=name)


def rate(server, token, round):
    begun = time.monotonic()
    for call in range(CALLS):
        write(server, token, f"{round}-{call}")
    return CALLS / (time.monotonic() - begun)


async def measure(servers, tokens, other):
    admin, first = tokens[0], servers[0]
    empty = [rate(first, other, f"none-{round}") for round in range(ROUNDS)]
    await asyncio.sleep(5)
    before = sum(server.memory() for server in servers)
    used = sum(server.seconds() for server in servers)
    await asyncio.sleep(IDLE_SECONDS)
    alone = (sum(server.seconds() for server in servers) - used) / IDLE_SECONDS

    for endpoint in range(ENDPOINTS):
        given = {"url": f"http://127.0.0.1:9/{endpoint}", "eventTypes": ["Journey"]}
        query = "mutation($input: WebhookEndpointCreateInput!) { webhookEndpointCreate(input: $input) { errors { code message path } } }"
        done = first.ask(admin, query, input=given)["webhookEndpointCreate"]
        assert done["errors"] == [], done
    streams = []
    for place in range(STREAMS):
        streams.append(await Stream().open(servers[place % len(servers)].port, tokens[place % CALLERS]))
    await asyncio.sleep(15)
    memory = sum(server.memory() for server in servers) - before
    used = sum(server.seconds() for server in servers)
    await asyncio.sleep(IDLE_SECONDS)
    idle = (sum(server.seconds() for server in servers) - used) / IDLE_SECONDS
    print(f"{len(servers)} server(s), {STREAMS} streams, {ENDPOINTS} endpoints, idle: {memory:.0f} MB more, "
          f"{idle * 100:.1f} % of a core ({alone * 100:.1f} % without)")

    latencies = []
    for number in range(WRITES):
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, write, first, admin, f"told-{number}")
        written = time.monotonic()
        query = "{ changes(first: 1) { headSequence } }"
        head = (await loop.run_in_executor(None, lambda: first.ask(admin, query)))["changes"]["headSequence"]
        for _ in range(500):
            if all(head in stream.came for stream in streams):
                break
            await asyncio.sleep(0.01)
        latencies.extend(stream.came[head] - written for stream in streams)
    print(f"{WRITES} writes to {STREAMS} streams: told after {statistics.median(latencies) * 1000:.0f} ms (median), "
          f"p99 {percentile(latencies, 0.99) * 1000:.0f} ms, {max(latencies) * 1000:.0f} ms at most")

    loop = asyncio.get_running_loop()
    full = [await loop.run_in_executor(None, rate, first, other, f"some-{round}") for round in range(ROUNDS)]
    print(f"a writer of another organization: {statistics.median(empty):.0f} writes per second without streams, "
          f"{statistics.median(full):.0f} with them")


def main():
    program, *database = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        key = Path(folder) / "key.pem"
        subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key], check=True, capture_output=True)
        os.environ["RAPPORT_SIGNING_KEY"] = str(key)
        os.environ["RAPPORT_DATABASE_URL"] = database[0] if database else f"sqlite://{folder}/streams.db?mode=rwc"
        run = lambda *arguments: subprocess.run([program, *arguments], check=True, capture_output=True, text=True).stdout.strip()
        run("migrate")
        slugs = [f"streams-{os.getpid()}", f"writer-{os.getpid()}"]
        for slug in slugs:
            run("organization", "create", "--slug", slug, "--name", "Streams", "--time-zone", "UTC")
        token = lambda slug, subject: run("token", "--organization", slug, "--scope", SCOPES, "--subject", subject)
        servers = [Server(program, folder) for _ in range(2 if database else 1)]
        try:
            asyncio.run(measure(servers, [token(slugs[0], f"caller-{place}") for place in range(CALLERS)], token(slugs[1], "writer")))
        finally:
            for server in servers:
                server.process.kill()


if __name__ == "__main__":
    main()

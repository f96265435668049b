"""Airbyte and dlt stay in step while a writer writes: sync.py PROGRAM AIRBYTE_PYTHON DLT_PYTHON

Settings of the database come from the environment. Runs examples/sync/airbyte.yaml in airbyte-cdk and examples/sync/dlt_pipeline.py,
unmodified: once while rows are created, updated, merged, erased and deleted, killed once, and again afterwards. Each copy must
have the ids and versions of the API; one more run must load nothing.
"""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCOPES = "exchange:read record:read record:write customers:read customers:write"
CUSTOMERS, RECORDS, CALL = 1_000, 4_000, 200


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class Server:
    def __init__(self, program):
        self.program = program
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.run("organization", "create", "--slug", "sync", "--name", "Sync", "--time-zone", "UTC")
        self.token = self.run("token", "--organization", "sync", "--scope", SCOPES)
        client = self.run("api-client", "create", "--organization", "sync", "--name", "Airbyte", "--scope",
                          "exchange:read record:read customers:read")
        self.client = dict(line.split(": ") for line in client.splitlines())
        self.process = subprocess.Popen([program, "serve", "--listen", f"127.0.0.1:{port}", "--admin-listen", "127.0.0.1:0",
            "--points", "100000000", "--points-per-second", "100000000"], stderr=subprocess.DEVNULL)
        for _ in range(240):
            try:
                urllib.request.urlopen(f"{self.url}/readyz").close()
                return
            except OSError:
                time.sleep(0.25)
        raise SystemExit("the server does not start")

    def run(self, *arguments):
        return subprocess.run([self.program, *arguments], check=True, capture_output=True, text=True).stdout.strip()

    def ask(self, query, **variables):
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json", "Accept": "application/json"}
        body = json.dumps({"query": query, "variables": variables}).encode()
        with urllib.request.urlopen(urllib.request.Request(f"{self.url}/graphql", body, headers)) as answer:
            reply = json.load(answer)
        assert "errors" not in reply, reply["errors"]
        return reply["data"]

    def change(self, field, **given):
        name = field[0].upper() + field[1:]
        done = self.ask(f"mutation($input: {name}Input!) {{ {field}(input: $input) {{ errors {{ code message }} }} }}", input=given)
        return done[field]["errors"]

    def rows(self):
        """Id and version of every row that there is, by type."""
        found = {}
        for name, field, condition in (("Customer", "customers", "filter: {or: [{archivedAt: {isNull: true}}, {archivedAt: {isNull: false}}]}, "),
                                       ("FeedbackRecord", "feedbackRecords", "")):
            versions, page = {}, {"pageInfo": {"hasNextPage": True, "endCursor": None}}
            while page["pageInfo"]["hasNextPage"]:
                page = self.ask(f"query($after: String) {{ page: {field}({condition}first: 1000, after: $after) {{ nodes {{ id version }} "
                                "pageInfo { hasNextPage endCursor } } }", after=page["pageInfo"]["endCursor"])["page"]
                versions.update((row["id"], row["version"]) for row in page["nodes"])
            found[name] = versions
        return found


def key(kind, number):
    return {"externalId": {"system": kind, "id": str(number)}}


def create(server):
    for begin in range(0, CUSTOMERS, CALL):
        rows = [{**key("c", number), "name": f"Customer {number}"} for number in range(begin, begin + CALL)]
        assert server.change("customersBulkUpsert", rows=rows) == []
    for begin in range(0, RECORDS, CALL):
        rows = [{**key("f", number), "kind": "PRAISE", "body": "Good", "customerRef": key("c", number % CUSTOMERS)}
                for number in range(begin, begin + CALL)]
        assert server.change("feedbackRecordsBulkUpsert", rows=rows) == []


def disturb(server, dice, ended):
    """Changes of every kind, until the event is set."""
    while not ended.is_set():
        customer, record = dice.randrange(CUSTOMERS), dice.randrange(RECORDS)
        kind = dice.random()
        # What is gone already is an error of the input, and changes nothing.
        if kind < 0.5:
            server.change("feedbackRecordUpdate", by=key("f", record), tags=[f"t{dice.randrange(5)}"])
        elif kind < 0.8:
            server.change("customerUpdate", by=key("c", customer), segment=f"s{dice.randrange(5)}")
        elif kind < 0.9:
            server.change("feedbackRecordDelete", by=key("f", record))
        elif kind < 0.95:
            server.change("customerMerge", winner=key("c", customer), loser=key("c", dice.randrange(CUSTOMERS)))
        else:
            server.change("customerErase", by=key("c", customer))


class Airbyte:
    def __init__(self, python, server, folder):
        self.command = str(Path(python).parent / "source-declarative-manifest")
        self.folder, self.rows, self.state = folder, {}, []
        self.write("config", {"url": server.url, "client_id": server.client["id"], "client_secret": server.client["secret"]})
        streams = [{"stream": {"name": name, "json_schema": {}, "supported_sync_modes": ["full_refresh", "incremental"]},
                    "sync_mode": "incremental", "destination_sync_mode": "append"}
                   for name in ("customer_changes", "feedback_record_changes")]
        self.write("catalog", {"streams": streams})

    def write(self, name, value):
        (self.folder / f"{name}.json").write_text(json.dumps(value))

    def arguments(self):
        self.write("state", self.state)
        files = [self.folder / f"{name}.json" for name in ("config", "catalog", "state")]
        return [self.command, "read", "--config", files[0], "--catalog", files[1], "--state", files[2],
                "--manifest-path", ROOT / "examples/sync/airbyte.yaml"]

    def run(self):
        """Returns the number of records."""
        read = subprocess.run(self.arguments(), capture_output=True, text=True)
        assert read.returncode == 0, read.stdout[-3_000:] + read.stderr[-3_000:]
        count, states = 0, {}
        for line in read.stdout.splitlines():
            message = json.loads(line)
            if message["type"] == "RECORD":
                count += 1
                self.take(message["record"]["data"])
            elif message["type"] == "STATE":
                states[message["state"]["stream"]["stream_descriptor"]["name"]] = message["state"]
        self.state = list(states.values()) or self.state
        return count

    def take(self, change):
        table = self.rows.setdefault(change["rowType"], {})
        if change["operation"] in ("DELETED", "MERGED"):
            table.pop(change["rowId"], None)
        else:
            table[change["rowId"]] = (change.get("row") or {}).get("version", change["rowVersion"])

    def copy(self):
        return self.rows


class Dlt:
    def __init__(self, python, server, folder):
        self.python, self.database = python, folder / "copy.duckdb"
        self.environment = {**os.environ, "HOME": str(folder), "DLT_DATA_DIR": str(folder), "RUNTIME__DLTHUB_TELEMETRY": "false"}
        self.command = [python, ROOT / "examples/sync/dlt_pipeline.py", server.url, server.token, self.database]

    def arguments(self):
        return self.command

    def run(self):
        before = self.loads()
        subprocess.run(self.command, check=True, env=self.environment, capture_output=True)
        return self.loads() - before

    def query(self, sql):
        code = "import duckdb, json, sys; print(json.dumps(duckdb.connect(sys.argv[1], read_only=True).execute(sys.argv[2]).fetchall()))"
        asked = subprocess.run([self.python, "-c", code, self.database, sql], capture_output=True, text=True, check=True)
        return json.loads(asked.stdout)

    def loads(self):
        if not self.database.exists():
            return 0
        known = self.query("SELECT count(*) FROM information_schema.tables WHERE table_name = '_dlt_loads'")[0][0]
        return self.query("SELECT count(*) FROM rapport._dlt_loads")[0][0] if known else 0

    def copy(self):
        tables = (("Customer", "customer"), ("FeedbackRecord", "feedback_record"))
        return {name: dict(self.query(f"SELECT id, version FROM rapport.{table}")) for name, table in tables}


def compare(name, copy, expected):
    for kind, rows in expected.items():
        missing = [id for id, version in rows.items() if copy.get(kind, {}).get(id) != version]
        extra = [id for id in copy.get(kind, {}) if id not in rows]
        if missing:
            print([(id, copy.get(kind, {}).get(id), rows[id]) for id in missing[:3]], {k: len(v) for k, v in copy.items()})
        assert not missing and not extra, f"{name}: {kind}: {len(missing)} other than in the API, {len(extra)} too many"


def main():
    program, airbyte, dlt = sys.argv[1:]
    server = Server(program)
    dice = random.Random(1)
    try:
        with tempfile.TemporaryDirectory() as folder:
            create(server)
            ended = threading.Event()
            writer = threading.Thread(target=disturb, args=(server, dice, ended))
            writer.start()
            copies = {}
            for name, python, tool in (("airbyte-cdk", airbyte, Airbyte), ("dlt", dlt, Dlt)):
                own = Path(folder) / name
                own.mkdir()
                copies[name] = copy = tool(python, server, own)
                environment = getattr(copy, "environment", os.environ)
                killed = subprocess.Popen(copy.arguments(), env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                time.sleep(3)
                killed.send_signal(signal.SIGKILL)
                killed.wait()
                copy.run()
            ended.set()
            writer.join()
            expected = server.rows()
            for name, copy in copies.items():
                copy.run()
                compare(name, copy.copy(), expected)
                assert copy.run() == 0, f"{name} has loaded something again"
                sizes = ", ".join(f"{len(rows)} of {kind}" for kind, rows in expected.items())
                print(f"{name}: {sizes} equal those of the API; nothing is loaded again")
    finally:
        server.process.kill()


if __name__ == "__main__":
    main()

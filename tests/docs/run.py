#!/usr/bin/env python3
"""Runs the commands and queries of README.md and docs/ as a reader would: run.py PROGRAM [DEMO_DATABASE].

Every ```sh block runs, each page's in one shell and in an empty folder; every ```graphql block of the guides and nouns
is sent to a server with the example organization. A comment above a block changes that:

  <!-- not run: REASON -->        the block is left out
  <!-- run: with a server -->     the organization acme and its server are there already
  <!-- run: errors expected -->   a mutation's payload holds errors; elsewhere that is a failure

`cargo run --`, `cargo build` and `cargo install` stand for the given program. DEMO_DATABASE is a file that `rapport demo`
has made, which saves half a minute.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"(?:<!-- (not run|run): (.*?) -->\n\s*)?^( *)```(sh|graphql)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
ALL_SCOPES = (
    "map:read map:write record:read record:write customers:read customers:write response:read response:write "
    "insight:read exchange:read exchange:write admin"
)

# Stands for cargo: the program is built already.
CARGO = """#!/usr/bin/env bash
case "$1" in
  build | install) ;;
  run) shift; [ "$1" = -- ] && shift; exec rapport "$@" ;;
  *) echo "cargo $1 is not known here" >&2; exit 1 ;;
esac
"""

# Stands for the program: servers go on in the background once they are ready.
RAPPORT = """#!/usr/bin/env bash
case "${1:-}" in serve | demo) ;; *) exec "$PROGRAM" "$@" ;; esac
# Who starts a server has ended the one before.
if [ -e "$SERVERS" ]; then
  while read -r pid; do
    kill -TERM "$pid" 2>/dev/null || continue
    while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
  done <"$SERVERS"
  rm "$SERVERS"
fi
"$PROGRAM" "$@" >server.log 2>&1 &
echo $! >>"$SERVERS"
for _ in $(seq 600); do
  kill -0 $! 2>/dev/null || { cat server.log >&2; exit 1; }
  curl --silent --fail --output /dev/null "http://$RAPPORT_LISTEN/readyz" && exit 0
  sleep 0.2
done
cat server.log >&2
exit 1
"""


def free_port() -> int:
    """A free port whose successor is free too: health and metrics are served there."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port


class Page:
    """The blocks of a page, and the folder and server they run in."""

    def __init__(self, path: Path, demo: Path | None) -> None:
        self.name = str(path.relative_to(ROOT))
        self.demo = demo
        self.commands: list[str] = []
        self.documents: list[tuple[str, bool]] = []
        for how, what, indent, language, text in BLOCK.findall(path.read_text()):
            if how == "not run":
                continue
            if what == "with a server":
                self.commands.append("rapport organization create --slug acme --name Acme\nrapport serve")
            text = "\n".join(line.removeprefix(indent) for line in text.splitlines())
            if language == "sh":
                self.commands.append(text)
            else:
                self.documents.append((text, what == "errors expected"))

    def prepare(self, program: Path) -> None:
        """Makes the folder, with what stands for cargo and for the program."""
        self.folder = Path(tempfile.mkdtemp(prefix="rapport-docs-"))
        port = free_port()
        self.address = f"127.0.0.1:{port}"
        shims = self.folder / "bin"
        shims.mkdir()
        for name, script in (("cargo", CARGO), ("rapport", RAPPORT)):
            (shims / name).write_text(script)
            (shims / name).chmod(0o755)
        built = self.folder / "work" / "target" / "debug"
        built.mkdir(parents=True)
        (built / "rapport").symlink_to(shims / "rapport")
        (self.folder / "work" / "examples").symlink_to(ROOT / "examples")
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("RAPPORT_")},
            "PATH": f"{shims}:{os.environ['PATH']}",
            "PROGRAM": str(program),
            "SERVERS": str(self.folder / "servers"),
            "RAPPORT_LISTEN": self.address,
            # Many requests in a moment are not what limits are there for.
            "RAPPORT_POINTS": "100000000",
            "NO_PROXY": "127.0.0.1",
            "RAPPORT_DRAIN_DELAY": "1s",
        }

    def shell(self, script: str) -> str:
        """Runs a script in the page's folder and gives what it prints."""
        script = script.replace("127.0.0.1:8080", self.address)
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self.folder / "work",
            env=self.environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=600,
        )
        if done.returncode != 0:
            raise SystemExit(f"{self.name}: failed with {done.returncode}\n--\n{script}\n--\n{done.stdout}")
        return done.stdout

    def start_demo(self) -> str:
        """Starts the example and gives a token for everything there."""
        if self.demo:
            shutil.copy(self.demo, self.folder / "work" / "rapport-demo.db")
        return self.shell(
            f"rapport demo && rapport token --organization consumer-desk --scope '{ALL_SCOPES}' "
            "--database-url sqlite://rapport-demo.db"
        ).strip()

    def ask(self, document: str, expects_errors: bool, token: str) -> None:
        body = json.dumps({"query": document}).encode()
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"http://{self.address}/graphql", body, headers)
        with urllib.request.urlopen(request, timeout=60) as response:
            answer = json.load(response)
        data = answer.get("data") or {}
        payloads = [value for value in data.values() if isinstance(value, dict)]
        if answer.get("errors") or not data or any(bool(one.get("errors")) != expects_errors for one in payloads):
            raise SystemExit(f"{self.name}: refused\n--\n{document}\n--\n{json.dumps(answer, indent=2)[:2000]}")

    def run(self) -> None:
        """Runs all blocks; ends servers and removes the folder whatever happens."""
        began = time.monotonic()
        try:
            if self.documents:
                token = self.start_demo()
                for document, expects_errors in self.documents:
                    self.ask(document, expects_errors, token)
                self.stop()
            if self.commands:
                self.shell("\n".join(self.commands))
            print(f"{self.name}: {len(self.commands)} + {len(self.documents)} blocks, {time.monotonic() - began:.1f} s")
        finally:
            self.stop()
            shutil.rmtree(self.folder)

    def stop(self) -> None:
        servers = self.folder / "servers"
        if not servers.exists():
            return
        for line in servers.read_text().split():
            try:
                os.kill(int(line), signal.SIGTERM)
            except ProcessLookupError:
                continue
            for _ in range(300):
                if not Path(f"/proc/{line}").exists():
                    break
                time.sleep(0.1)
        servers.unlink()


def main() -> None:
    program = Path(sys.argv[1]).resolve()
    demo = Path(sys.argv[2]).resolve() if len(sys.argv) > 2 else None
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    ran = 0
    for path in pages:
        page = Page(path, demo)
        if page.commands or page.documents:
            ran += len(page.commands) + len(page.documents)
            page.prepare(program)
            page.run()
    if ran < 20:
        raise SystemExit(f"Only {ran} blocks were found: is the pattern still right?")


if __name__ == "__main__":
    main()

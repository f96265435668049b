"""Random queries and mutations against a server, by schemathesis: as somebody who may do all, who may read, and who may do nothing.

schemathesis_run.py URL EXAMPLES TOKEN… – every operation is tried with so many random requests for each token. Nothing may
come back but answers and refusals of the documented shape and codes, and a run that has tested too little fails.
"""

import dataclasses
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import graphql

SEED = "20261122"
HERE = Path(__file__).parent
SCHEMA = HERE.parent.parent / "schema.graphql"
# Its check for server errors takes every error with a path for one, a refusal too: statuses and codes are judged below.
CHECKS = "content_type_conformance,response_schema_conformance,negative_data_rejection,unsupported_method"
# What a refusal may say: the contract's codes. INTERNAL_SERVER_ERROR, TIMEOUT and UNAVAILABLE are findings.
REFUSALS = {
    "GRAPHQL_PARSE_FAILED",
    "GRAPHQL_VALIDATION_FAILED",
    "BAD_USER_INPUT",
    "BAD_REQUEST",
    "FORBIDDEN",
    "UNAUTHENTICATED",
    "QUERY_TOO_COMPLEX",
    "TOO_MANY_ALIASES",
    "TOO_MANY_TOKENS",
    "TOO_MANY_SELECTIONS",
    "TOO_NESTED",
    "TOO_DEEP",
    "DOCUMENT_TOO_LARGE",
    "ANSWER_TOO_LARGE",
}


def pruned(sdl):
    """The schema without its circles, in which the generator would lose itself: one request would take it seconds.

    Objects keep what is not a noun of its own, filters what is not a filter again.
    """
    document = graphql.parse(sdl)
    fields = {known.name.value: known.fields for known in document.definitions if hasattr(known, "fields")}
    circles = {name for name, has in fields.items() if name.endswith("Connection") or f"{name}Connection" in fields}
    filters = {name for name, has in fields.items() if any(field.name.value == "and" for field in has)}

    def base(kind):
        return base(kind.type) if hasattr(kind, "type") else kind.name.value

    def cut(known):
        name = known.name.value
        if name in filters:
            return [field for field in known.fields if base(field.type) not in filters]
        if name in circles and not name.endswith("Connection"):
            return [field for field in known.fields if base(field.type) not in circles]
        return known.fields

    definitions = [
        dataclasses.replace(known, fields=tuple(cut(known))) if hasattr(known, "fields") else known
        for known in document.definitions
    ]
    return graphql.print_ast(dataclasses.replace(document, definitions=tuple(definitions)))


def run(url, examples, token, folder):
    """One run; answers its entries and its report."""
    schema, har, report = folder / "schema.graphql", folder / "run.har", folder / "run.json"
    schema.write_text(pruned(SCHEMA.read_text()))
    command = [
        str(Path(sys.executable).parent / "schemathesis"), "run", str(schema), "--url", url,
        "--header", f"Authorization: Bearer {token}", "--seed", SEED, "--max-examples", examples,
        "--phases", "fuzzing", "--checks", CHECKS, "--continue-on-failure", "--no-shrink", "--request-timeout", "10",
        "--suppress-health-check", "all", "--generation-database", "none", "--no-color", "--output-sanitize", "true",
        "--report", "har,json", "--report-har-path", str(har), "--report-json-path", str(report), "--report-dir", str(folder),
    ]
    environment = {**os.environ, "SCHEMATHESIS_HOOKS": "schemathesis_hooks", "PYTHONPATH": str(HERE)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        print(done.stdout[-6000:], done.stderr[-2000:])
    return done.returncode, json.loads(report.read_text()), json.loads(har.read_text())["log"]["entries"]


def judge(entries):
    """What came back: a count of each kind, and what must not be."""
    seen, wrong = Counter(), []
    for entry in entries:
        asked, status = entry["request"], entry["response"]["status"]
        try:
            query = json.loads(asked["postData"]["text"])["query"]
            answer = json.loads(entry["response"]["content"]["text"])
        except (KeyError, ValueError):
            query, answer = "", None
            if asked["method"] == "POST":
                wrong.append((status, "no JSON", entry["response"]["content"].get("text", "")[:200]))
                continue
        kind = "mutation" if query.lstrip().startswith("mutation") else "query"
        codes = {error["extensions"]["code"] for error in (answer or {}).get("errors", [])}
        seen[kind] += 1
        seen[f"{kind} answered" if (answer or {}).get("data") and not codes else f"{kind} refused"] += 1
        if status >= 500 or not codes <= REFUSALS:
            wrong.append((status, codes - REFUSALS, query))
    return seen, wrong


def main():
    url, examples, *tokens = sys.argv[1:]
    failed = False
    for name, token in zip(("all scopes", "read only", "no scope"), tokens, strict=True):
        with tempfile.TemporaryDirectory() as folder:
            code, report, entries = run(url, examples, token, Path(folder))
        seen, wrong = judge(entries)
        operations, cases = report["operations"], report["test_cases"]
        print(f"{name}: {operations['tested']} operations, {cases['generated']} cases, {dict(seen)}")
        for finding in wrong[:5]:
            print("  found", finding)
        is_whole = operations["tested"] == operations["total"] > 50 and cases["generated"] >= operations["total"]
        # Who may do all must have changed something, who may read must have read.
        wanted = {"all scopes": "mutation answered", "read only": "query answered", "no scope": "query refused"}[name]
        if code or wrong or not is_whole or not seen[wanted] or not seen["mutation"]:
            print(f"  {'tested too little' if not (code or wrong) else 'failed'}, exit code {code}")
            failed = True
    sys.exit(failed)


main()

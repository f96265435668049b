"""pandas and DuckDB read saved queries: table.py PROGRAM PYTHON

Settings of the database come from the environment. PYTHON has pandas and duckdb.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from sync import Server, key

QUERY = ("query Feedback($after: String, $first: Int = 100) { feedbackRecords(first: $first, after: $after) "
         "{ nodes { id nps customer { id segment } } pageInfo { hasNextPage endCursor } } }")
ROWS = 250
READ = """
import json, sys
import duckdb, pandas

url, token, file = sys.argv[1:]
headers = {"Authorization": f"Bearer {token}"}
page = pandas.read_csv(f"{url}/documents/Feedback.csv?first=50", storage_options=headers)
everything = pandas.read_csv(f"{url}/documents/Feedback/all.csv", storage_options=headers)
lines = pandas.read_json(f"{url}/documents/Feedback/all.ndjson", lines=True, storage_options=headers)
everything.to_csv(file, index=False)
by_segment = duckdb.sql(f"SELECT \\"customer.segment\\", count(*), avg(nps) FROM '{file}' GROUP BY 1 ORDER BY 1").fetchall()
print(json.dumps([len(page), len(everything), everything.id.nunique(), everything.nps.mean(), len(lines),
                  sorted(everything.columns), by_segment]))
"""


def main():
    program, python = sys.argv[1:]
    server = Server(program)
    try:
        with tempfile.TemporaryDirectory() as folder:
            manifest = Path(folder) / "documents.json"
            manifest.write_text(json.dumps({"x-table:feedback": QUERY}))
            server.run("documents", "push", "--organization", "sync", str(manifest))
            for place in range(2):
                assert server.change("customerUpsert", **key("c", place), name="Ann", segment=f"s{place}") == []
            rows = [{**key("f", place), "kind": "SURVEY", "nps": place % 11, "customerRef": key("c", place % 2)} for place in range(ROWS)]
            assert server.change("feedbackRecordsBulkUpsert", rows=rows) == []
            asked = subprocess.run([python, "-c", READ, server.url, server.token, f"{folder}/copy.csv"], capture_output=True, text=True)
            assert asked.returncode == 0, asked.stderr
            nps = [place % 11 for place in range(ROWS)]
            mean = lambda values: sum(values) / len(values)
            page, everything, ids, average, lines, columns, segments = json.loads(asked.stdout)
            assert (page, everything, ids, lines) == (50, ROWS, ROWS, ROWS)
            assert columns == ["customer.id", "customer.segment", "id", "nps"]
            assert abs(average - mean(nps)) < 1e-9
            expected = [[f"s{place}", ROWS // 2, mean(nps[place::2])] for place in range(2)]
            assert [row[:2] for row in segments] == [row[:2] for row in expected]
            assert all(abs(row[2] - wanted[2]) < 1e-9 for row, wanted in zip(segments, expected))
            print(f"pandas, DuckDB: {everything} rows of a saved query, with the means of what was written")
    finally:
        server.process.kill()


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Counts CDNOW_master.txt without Rapport. totals.py prints the same from the API, to be compared."""

from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from decimal import Decimal
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, help="CDNOW_master.txt; README.md says where it is found")
    rows = [line.split() for line in parser.parse_args().file.read_text().splitlines()[1:]]
    spent: defaultdict[str, Decimal] = defaultdict(Decimal)
    for customer, _, _, dollars in rows:
        spent[customer] += Decimal(dollars)
    often = Counter(row[0] for row in rows)
    months = Counter(f"{row[1][:4]}-{row[1][4:6]}" for row in rows)
    counts = {
        "customers": len(often),
        "purchases": len(rows),
        "distinct": len(set(map(tuple, rows))),
        "discs": sum(int(row[2]) for row in rows),
        "dollars": str(sum(Decimal(row[3]) for row in rows)),
        "free": sum(Decimal(row[3]) == 0 for row in rows),
        "from100Dollars": sum(Decimal(row[3]) >= 100 for row in rows),
        "months": dict(sorted(months.items())),
        "customersByPurchases": {str(key): value for key, value in sorted(Counter(often.values()).items())},
        "mostOften": {key: often[key] for key in sorted(often, key=lambda key: (-often[key], key))[:20]},
        "spentMost": {key: str(spent[key]) for key in sorted(spent, key=lambda key: (-spent[key], key))[:20]},
    }
    print(json.dumps(counts, indent=2))


if __name__ == "__main__":
    main()

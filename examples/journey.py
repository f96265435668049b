#!/usr/bin/env python3
"""Builds a journey from nothing and saves its picture.

Needs a token with map:read and map:write, and nothing but the Python standard library:

    python3 journey.py --url http://127.0.0.1:8080/graphql --token "$TOKEN" --picture journey.svg

The journey is an outline: stages, below them points, below those `<` what brings customers there, `>` over which
mediums, `-` what they expect, and `~` where else they may go. With --outline it is read from a file. Run again, the
same journey is drawn anew and nothing is made twice.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
from pathlib import Path
from typing import Any

from client import Api, Failure

TITLE = "A bicycle, from the wish to the second one"
OUTLINE = """
Wish
  A bicycle in the street [CONSIDERATION]
    < A friend who rides (5)
    < The price of petrol (3)
    > The product itself
    - I can see how it would fit into my day
  Test ride [PRE_SALES]
    < Advice in the shop (4)
    > Shop
    - I may ride it where I live, and not round the block
    - Somebody sets the saddle for me
Purchase
  Sale [POINT_OF_SALE]
    > Shop
    > Web
    - The price is whole: lights, lock and bell
    - It is mine on the day
Use
  First ride [PRODUCT_USE]
    > The product itself
    - Everything is tight
    - The gears shift as in the shop
  Inspection [POINT_OF_REPAIR]
    < A reminder (2)
    > Shop
    > Phone
    - Ready the same day
    - No surprise on the bill
    ~ LOOP First ride: every spring
End
  Trade-in [POINT_OF_DISPOSAL]
    < A new model (3)
    > Shop
    - Its price is told before I ask
"""

MAKE = """mutation Make($input: JourneyFromOutlineInput!) {
    made: journeyFromOutline(input: $input) { outcome isReplayed node { id title } errors { message path } } }"""
MISSING = """query Missing($id: ID!) { journey(by: { id: $id }) { diagram(format: SVG)
    steps(first: 500) { nodes { point { name expectations { totalCount } influencers { totalCount } } } } } }"""


def make(api: Api, title: str, outline: str) -> dict[str, Any]:
    """Makes the journey. The key is of its content: sent again, the call is known."""
    digest = hashlib.sha256(f"{title}\n{outline}".encode()).hexdigest()
    content = {"title": title, "outline": outline, "idempotencyKey": f"outline-{digest[:32]}"}
    made: dict[str, Any] = api.run(MAKE, {"input": content})["made"]
    if made["errors"]:
        raise Failure("; ".join(f"{' '.join(error['path'])}: {error['message']}" for error in made["errors"]))
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default="http://127.0.0.1:8080/graphql")
    parser.add_argument("--token", default=os.environ.get("RAPPORT_TOKEN", ""), help="or RAPPORT_TOKEN")
    parser.add_argument("--title", default=TITLE)
    parser.add_argument("--outline", type=Path, metavar="FILE", help="an outline of your own")
    parser.add_argument("--picture", type=Path, default=Path("journey.svg"), metavar="FILE")
    arguments = parser.parse_args()
    try:
        if not arguments.token:
            raise Failure("A token is needed: --token or RAPPORT_TOKEN. `rapport token` prints one.")
        api = Api(arguments.url, arguments.token)
        outline = arguments.outline.read_text(encoding="utf-8") if arguments.outline else OUTLINE
        made = make(api, arguments.title, outline)
        journey = api.run(MISSING, {"id": made["node"]["id"]})["journey"]
        arguments.picture.write_text(journey["diagram"], encoding="utf-8")
        print(f"{made['node']['title']}: {'known' if made['isReplayed'] else 'made'}, drawn in {arguments.picture}")
        for step in journey["steps"]["nodes"]:
            point = step["point"]
            for what in ("expectations", "influencers"):
                if point[what]["totalCount"] == 0:
                    print(f"  {point['name']} has no {what} yet")
    except (Failure, OSError, UnicodeDecodeError) as failure:
        sys.exit(str(failure))


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: GPL-2.0-or-later
"""prometheus_queries.py URL [SPAN STEP]: reads a list of queries in JSON, and prints the list of
the answers of that Prometheus: the series of each, or null where it refuses the query, or does not
answer. With SPAN and STEP, in seconds: the series of the last SPAN by this node's clock."""
from __future__ import annotations

import json
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

ANSWER_LIMIT_S = 10


def ask(url: str, query: str, span: dict[str, float]) -> list[Any] | None:
    words = urllib.parse.urlencode({"query": query, **span}).encode()
    verb = "query_range" if span else "query"
    try:
        with urllib.request.urlopen(f"{url}/api/v1/{verb}", words,
                                    timeout=ANSWER_LIMIT_S) as answer:
            return json.load(answer)["data"]["result"]
    except (urllib.error.URLError, OSError, KeyError, ValueError):
        return None


def span_of(arguments: list[str], now: float) -> dict[str, float]:
    if not arguments:
        return {}
    length, step = map(float, arguments)
    return {"start": now - length, "end": now, "step": step}


if __name__ == "__main__":
    asked = span_of(sys.argv[2:], time.time())
    json.dump([ask(sys.argv[1], each, asked) for each in json.load(sys.stdin)], sys.stdout)

# SPDX-License-Identifier: GPL-2.0-or-later
"""prometheus_queries.py URL: reads a list of queries in JSON, and prints the list of the answers of
that Prometheus: the series of each, or null where it refuses the query, or does not answer."""
from __future__ import annotations

import json
import sys
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

ANSWER_LIMIT_S = 10


def ask(url: str, query: str) -> list[Any] | None:
    words = urllib.parse.urlencode({"query": query}).encode()
    try:
        with urllib.request.urlopen(f"{url}/api/v1/query", words, timeout=ANSWER_LIMIT_S) as answer:
            return json.load(answer)["data"]["result"]
    except (urllib.error.URLError, OSError, KeyError, ValueError):
        return None


if __name__ == "__main__":
    json.dump([ask(sys.argv[1], each) for each in json.load(sys.stdin)], sys.stdout)

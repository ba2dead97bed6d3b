# SPDX-License-Identifier: GPL-2.0-or-later
"""What is kept of rounds."""
from __future__ import annotations

import json

from vpnbench import rounds


def test_results_are_kept_where_nothing_was_built(tmp_path):
    results = tmp_path / "bench" / "results.json"
    rounds.keep(results, "group", [{"a": 1}])
    rounds.keep(results, "idle", [{"b": 2}])
    assert json.loads(results.read_text(encoding="utf-8")) == {"group": [{"a": 1}],
                                                               "idle": [{"b": 2}]}

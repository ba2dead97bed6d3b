# SPDX-License-Identifier: GPL-2.0-or-later
"""The index must notice each kind of test that is gone."""
from __future__ import annotations

import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

# The path must be set first.
import index  # noqa: E402

HEAD = "| class | tests |\n|---|---|\n"


class IndexTest(unittest.TestCase):
    def setUp(self) -> None:
        self.root = Path(self.enterContext(tempfile.TemporaryDirectory()))
        (self.root / "test_a.py").write_text("def test_b(tmp_path):\n    pass\n", encoding="utf-8")
        (self.root / "lab").mkdir()
        (self.root / "lab" / "flood.py").write_text("", encoding="utf-8")

    def found(self, page: str) -> list[str]:
        return list(index.missing(HEAD + page, {"Suite.Test"}, self.root))

    def test_what_is_there_is_no_finding(self):
        self.assertEqual(self.found(
            "| x | `Suite.Test`, `test_a.py::test_b`, `lab/flood.py` |\n"), [])

    def test_what_is_gone_is_named(self):
        for gone in ("Suite.Other", "test_a.py::test_", "test_c.py::test_b", "lab/calm.py"):
            self.assertEqual(self.found(f"| x | `Suite.Test`, `{gone}` |\n"),
                             [f"x: there is no test {gone}"])

    def test_a_row_without_a_test_is_named(self):
        self.assertEqual(self.found("| x | `Suite.Test` |\n| y | – |\n"),
                         ["y: no test is named"])
        self.assertEqual(self.found(""), ["the page has no table"])


if __name__ == "__main__":
    unittest.main()

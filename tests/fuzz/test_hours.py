# SPDX-License-Identifier: GPL-2.0-or-later
"""Time of fuzzing must add up over sessions, and what was found must stay."""
from __future__ import annotations

import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

# The path must be set first.
from hours import Book, Turns  # noqa: E402
from targets import fuzz  # noqa: E402

# As libFuzzer. It finds something where the file `crash` is.
TARGET = """#!/bin/sh
for argument; do
    case $argument in -artifact_prefix=*) prefix=${argument#*=} ;; esac
done
if [ -e crash ]; then
    printf 'bad input' >"${prefix}crash-1"
    echo "artifact_prefix='$prefix'; Test unit written to ${prefix}crash-1" >&2
    exit 77
fi
echo "stat::number_of_executed_units: 1500000" >&2
"""


class HoursTest(unittest.TestCase):
    def setUp(self) -> None:
        self.root = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.fuzz = self.root / "tests" / "fuzz"
        self.corpus, self.seeds = self.fuzz / "corpus" / "lcp", self.root / "seeds"
        self.fuzz.mkdir(parents=True)
        (self.fuzz / "lcp_fuzz.cpp").touch()
        (self.root / "docs" / "reference").mkdir(parents=True)

    def test_sessions_add_up(self):
        Book(self.root).add("lcp", 1800, 1_500_000, "aaaaaaaa")
        Book(self.root).add("lcp", 900, 500_000, "bbbbbbbb")
        book = Book(self.root)
        self.assertEqual(book.seconds("lcp"), 2700)
        self.assertIn("| `lcp` | 0.75 | 2.0 | bbbbbbbb |", book.page())
        self.assertEqual(book.faults(), [])

    def test_each_target_has_a_row(self):
        (self.fuzz / "records").mkdir()
        (self.fuzz / "records" / "wire_fuzz.cpp").touch()
        Book(self.root).add("lcp", 1, 1, "aaaaaaaa")
        self.assertIn("| `wire` | 0.00 | 0.0 | – |", Book(self.root).page())

    def test_the_target_with_least_has_the_next_turn(self):
        book = Book(self.root)
        for target, seconds in (("lcp", 500), ("wire", 100), ("vici", 600)):
            book.add(target, seconds, 1, "aaaaaaaa")
        turns = Turns(book, ["lcp", "vici", "wire"], 600, 300)
        self.assertEqual(turns.take(), ("wire", 300))
        self.assertEqual(turns.take(), ("lcp", 100))
        # Another one works at each that is not done.
        self.assertIsNone(turns.take())
        book.add("wire", 300, 1, "aaaaaaaa")
        turns.give_back("wire", found=False)
        self.assertEqual(turns.take(), ("wire", 200))
        turns.give_back("lcp", found=True)
        self.assertIsNone(turns.take())
        self.assertEqual(turns.left(), ["wire"])

    def test_what_does_not_fit_is_named(self):
        Book(self.root).add("other", 1, 1, "aaaaaaaa")
        self.assertEqual(Book(self.root).faults(), ["hours.json: there is no target other"])
        (self.fuzz / "other_fuzz.cpp").touch()
        self.assertEqual(Book(self.root).faults(),
                         ["docs/reference/fuzzing.md is not what tests/fuzz/hours.py --page "
                          "writes"])

    def test_an_input_that_was_found_stays(self):
        binary, found = self.root / "fuzz_lcp", self.root / "found"
        binary.write_text(TARGET, encoding="utf-8")
        binary.chmod(0o755)
        run = fuzz(binary, 1, found, self.corpus, self.seeds)
        self.assertTrue(run.ok)
        self.assertEqual(run.inputs, 1_500_000)
        (found / "crash").touch()
        run = fuzz(binary, 1, found, self.corpus, self.seeds)
        self.assertFalse(run.ok)
        self.assertEqual(run.found.parent, self.corpus)
        self.assertEqual(run.found.read_bytes(), b"bad input")


if __name__ == "__main__":
    unittest.main()

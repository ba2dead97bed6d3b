# SPDX-License-Identifier: GPL-2.0-or-later
"""What counts as proven, without CBMC."""
from __future__ import annotations

import importlib.util
import sys
import unittest
from importlib.machinery import SourceFileLoader
from pathlib import Path

HERE = Path(__file__).resolve().parent
LOADER = SourceFileLoader("prove", str(HERE / "prove"))
SPEC = importlib.util.spec_from_loader("prove", LOADER)
assert SPEC is not None
prove = sys.modules["prove"] = importlib.util.module_from_spec(SPEC)
LOADER.exec_module(prove)

REACHED = "reached: a frame passes", "reached: a frame is dropped, or led elsewhere"


def output(covered: str = "SUCCESS", *reached: str) -> str:
    lines = [f"[check.assertion.{number}] line {number} {text}: "
             f"{'FAILURE' if text in reached else 'SUCCESS'}"
             for number, text in enumerate(REACHED)]
    return "\n".join(["** Results:", f"[check_passed.assertion.1] line 317 covered: {covered}",
                      *lines, "** 2 of 3 failed"])


class ProveTest(unittest.TestCase):
    def broken(self, entry: str, text: str) -> tuple[str, ...]:
        return prove.judge(entry, text, "", 1.0).broken

    def test_all_assertions_hold_and_all_outcomes_are_reached(self) -> None:
        self.assertEqual(self.broken("ipv4_in", output("SUCCESS", *REACHED)), ())

    def test_one_that_fails_or_is_not_decided_is_named(self) -> None:
        for status in ("FAILURE", "UNKNOWN", "ERROR"):
            self.assertEqual(self.broken("ipv4_in", output(status, *REACHED)), ("covered",))

    def test_an_outcome_that_nothing_reaches_is_no_proof(self) -> None:
        self.assertEqual(self.broken("ipv4_in", output("SUCCESS", REACHED[0])),
                         ("1 of 2 outcomes are reached",))
        self.assertEqual(self.broken("other_in", output("SUCCESS", REACHED[0])), ())

    def test_neither_is_a_program_that_does_not_compile(self) -> None:
        found = prove.judge("ipv4_in", "CONVERSION ERROR", "", 1.0)
        self.assertEqual((found.assertions, found.broken), (0, ("CONVERSION ERROR",)))

    def test_each_mutant_fits_into_the_program_of_today_once(self) -> None:
        text = (prove.SOURCES / prove.GATE).read_text(encoding="utf-8")
        for name, mutant in prove.MUTANTS.items():
            with self.subTest(name):
                self.assertEqual(text.count(mutant.old), 1)
                self.assertIn(mutant.entry, prove.ENTRIES)

    def test_each_entry_and_each_broken_assertion_is_in_the_harness(self) -> None:
        text = (HERE / "proof.c").read_text(encoding="utf-8")
        for entry in prove.ENTRIES:
            self.assertIn(f"void {entry}(void)", text)
        for mutant in prove.MUTANTS.values():
            self.assertIn(f'"{mutant.broken}', text)


if __name__ == "__main__":
    unittest.main()

# SPDX-License-Identifier: GPL-2.0-or-later
"""setup/packages must print the packages of one release, and refuse what it does not know."""
from __future__ import annotations

import subprocess
import unittest
from pathlib import Path

SETUP = Path(__file__).resolve().parents[2] / "setup"
RELEASES = ("bookworm", "trixie")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(SETUP / "packages"), *arguments], capture_output=True, text=True,
                          check=False)


def names(*arguments: str) -> list[str]:
    done = run(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


class ListsTest(unittest.TestCase):
    def test_each_release_has_its_own_packages_and_what_both_have(self):
        self.assertIn("linux-source-6.1", names("bookworm"))
        self.assertNotIn("linux-source-6.1", names("trixie"))
        self.assertIn("linux-source-6.12", names("trixie"))
        for release in RELEASES:
            self.assertIn("corosync", names(release))

    def test_rollout_adds_to_it_and_names_nothing_twice(self):
        for release in RELEASES:
            plain, all_of_it = names(release), names(release, "--rollout")
            self.assertEqual(all_of_it[:len(plain)], plain)
            self.assertIn("mmdebstrap", all_of_it[len(plain):])
            self.assertEqual(len(all_of_it), len(set(all_of_it)))

    def test_each_mark_is_a_release(self):
        for file in SETUP.glob("packages*.txt"):
            for line in file.read_text(encoding="utf-8").splitlines():
                for word in line.split() if not line.startswith("#") else ():
                    self.assertIn(word.rpartition(":")[0], ("", *RELEASES), word)

    def test_another_release_or_option_is_refused(self):
        self.assertEqual(run("sid").returncode, 11)
        self.assertIn("'sid'", run("sid").stderr)
        self.assertEqual(run("trixie", "--all").returncode, 2)


if __name__ == "__main__":
    unittest.main()

# SPDX-License-Identifier: GPL-2.0-or-later
"""Few lines for a newcomer, out of what takes minutes."""
from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest
from vpnlab.host import progress

APT_PROGRESS = Path(__file__).resolve().parents[2] / "setup" / "apt-progress"
APT = """\
Reading package lists...
The following NEW packages will be installed:
  a b
2 upgraded, 18 newly installed, 0 to remove and 3 not upgraded.
""" + "".join(f"Get:{n} http://deb.debian.org/debian bookworm/main amd64 p{n} amd64 1 [9 kB]\n"
              for n in range(1, 21)) + "".join(
    f"Unpacking p{n} (1) ...\n" for n in range(1, 21)) + "".join(
    f"Setting up p{n} (1) ...\n" for n in range(1, 21))


def noted_of(lines: list[str]) -> list[str]:
    noted: list[str] = []
    taken = progress.Progress(noted.append)
    for line in lines:
        taken.take(line)
    return noted


def test_each_tenth_of_a_build_is_noted():
    noted = noted_of([f"[{n}/196] Building CXX object x{n}.o" for n in range(1, 197)])
    assert len(noted) == 10
    assert noted[0] == "object 20 of 196" and noted[-1] == "object 196 of 196"


def test_each_tenth_of_the_tests_is_noted():
    noted = noted_of([f"{n:4}/300 Test #{n}: X ....   Passed    0.01 sec" for n in range(1, 301)])
    assert noted[0] == "test 30 of 300" and noted[-1] == "test 300 of 300"


def test_other_lines_note_nothing():
    assert noted_of(["-- Configuring done", "", "x [1/2] y", "12/x Test"]) == []


def test_what_setup_prints_is_noted():
    lines = ["setup/root: Debian trixie is made\n", "packages to install: 92, and more\n",
             "package 72 of 719 fetched\n"]
    assert noted_of(lines) == [line.rstrip() for line in lines]


def test_slow_progress_is_noted_all_the_same(monkeypatch):
    now = 0.0
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    noted: list[str] = []
    taken = progress.Progress(noted.append)
    for n in range(1, 5):
        now += progress.NOTE_EVERY_S
        taken.take(f"[{n}/1000] Building")
    assert noted == [f"object {n} of 1000" for n in range(1, 5)]


def test_a_command_s_output_is_kept_and_its_code_returned(tmp_path):
    noted: list[str] = []
    log = io.StringIO()
    code = progress.run_logged(
        [sys.executable, "-c", "import sys; print('[1/1] x'); print('bad', file=sys.stderr);"
                               "sys.exit(3)"], tmp_path, log, noted.append)
    assert code == 3 and noted == ["object 1 of 1"]
    assert sorted(log.getvalue().splitlines()) == ["[1/1] x", "bad"]
    with pytest.raises(OSError):
        progress.run_logged([str(tmp_path / "none")], tmp_path, log, noted.append)


def test_apt_shows_each_tenth_of_its_turns(tmp_path):
    log = tmp_path / "log"
    done = subprocess.run([APT_PROGRESS, log], input=APT, capture_output=True, text=True,
                          check=True)
    assert done.stdout.splitlines() == [f"package {n} of 20 {turn}"
                                        for turn in ("fetched", "unpacked", "configured")
                                        for n in range(2, 21, 2)]
    assert log.read_text(encoding="utf-8") == APT


def test_apt_that_installs_nothing_shows_nothing(tmp_path):
    done = subprocess.run([APT_PROGRESS, tmp_path / "log"], capture_output=True, text=True,
                          input="Setting up a (1) ...\nE: broken\n", check=True)
    assert done.stdout == ""

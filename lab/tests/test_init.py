# SPDX-License-Identifier: GPL-2.0-or-later
"""What a node's first process does with directories."""
import os

from node import init


def test_directories_are_made_anew_with_their_modes_and_without_files(tmp_path):
    (tmp_path / "log-1" / "pacemaker" / "bundles").mkdir(parents=True)
    (tmp_path / "log-1" / "pacemaker").chmod(0o770)
    (tmp_path / "log-1" / "pacemaker" / "pacemaker.log").touch()
    (tmp_path / "log-2").mkdir()
    init.make_directories(init.skeleton(str(tmp_path / "log-1")), str(tmp_path / "log-2"))
    assert sorted(path.name for path in (tmp_path / "log-2").rglob("*")) == ["bundles", "pacemaker"]
    assert os.stat(tmp_path / "log-2" / "pacemaker").st_mode & 0o7777 == 0o770


def test_a_node_gets_the_programs_of_directories_below_too(tmp_path):
    init.write_tools(init.read_tools(), str(tmp_path))
    assert (tmp_path / "agent.py").read_bytes()
    assert (tmp_path / "hostile" / "flood.py").read_bytes()

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


def test_devices_of_modules_that_are_not_loaded_yet_are_made(tmp_path, monkeypatch):
    made = []
    monkeypatch.setattr(init.os, "mknod", lambda *what: made.append(what))
    monkeypatch.setattr(init.os, "makedirs", lambda path, exist_ok: None)
    listed = tmp_path / "modules.devname"
    listed.write_text("# Device nodes to trigger on-demand module loading.\n"
                      "ppp_generic lab-ppp c108:0\nloop lab/loop-control c10:237\n"
                      "brd lab-ram b1:0\nfuse null c1:3\n")
    init.make_devices(str(listed))
    assert made == [("/dev/lab-ppp", 0o020600, os.makedev(108, 0)),
                    ("/dev/lab/loop-control", 0o020600, os.makedev(10, 237)),
                    ("/dev/lab-ram", 0o060600, os.makedev(1, 0))]

# SPDX-License-Identifier: GPL-2.0-or-later
"""Commands in the root of another release."""
import pytest

from vpnlab.host import roots, stage
from vpnlab.host.errors import LabError
from vpnlab.host.release import RELEASES, THIS_RELEASE

OTHER = next(each for each in RELEASES.values() if each != THIS_RELEASE)


@pytest.fixture(autouse=True)
def tree(monkeypatch, tmp_path):
    """With a setup/root that prints what it is asked for."""
    script = tmp_path / "setup" / "root"
    script.parent.mkdir()
    script.write_text('#!/bin/sh\necho "setup/root: made"\nprintf "<%s>" "$@"\n[ "$3" != bad ]\n')
    script.chmod(0o755)
    monkeypatch.setattr(roots, "TREE", tmp_path)
    monkeypatch.setenv("VPNHA_LAB_CACHE", str(tmp_path / "cache"))
    return tmp_path


def log_of(tree):
    return (tree / "build" / OTHER.name / "root.log").read_text()


def test_a_command_is_run_in_the_root_of_the_release(tree, capsys):
    roots.run_in_root(OTHER, "cmake", "--preset release")
    root = tree / "cache" / "roots" / OTHER.name
    assert log_of(tree).endswith(f"<{OTHER.name}><{root}><cmake><--preset release>")
    assert f"{OTHER.name}: setup/root: made" in capsys.readouterr().err


def test_a_command_that_fails_is_named_with_its_last_lines(tree):
    with pytest.raises(LabError, match="bad failed with 1.*root.log:\n(.|\n)*<bad>"):
        roots.run_in_root(OTHER, "bad")


def test_what_nodes_of_another_release_run_is_built_in_its_root(tree):
    assert stage.install_stage(OTHER) == tree / "build" / OTHER.name / "stage"
    assert "cmake --install" in log_of(tree) and "<product><vpnhad-next>" in log_of(tree)

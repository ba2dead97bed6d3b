# SPDX-License-Identifier: GPL-2.0-or-later
"""The project's Debian packages on a node that has a Debian of its own, by apt."""
from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..host.debian import ARCHIVE_MOUNT, PRODUCT_MOUNT, index
from ..host.errors import LabError
from ..host.lab import Lab
from ..host.node import Node

PRODUCT = ("libvpnha0", "libvpnha-dev", "vpnha", "vpnha-agents", "vpnha-ppp", "fence-agents-vpnha",
           "vpnha-doc")
SOURCE = f"deb [trusted=yes] file:{PRODUCT_MOUNT} ./"
SOURCE_FILE = "/etc/apt/sources.list.d/vpnha.list"
NEXT_VERSION = "0.1.1"
NEXT_MOUNT = "/srv/vpnha-next"
NEXT_SOURCE = f"deb [trusted=yes] file:{NEXT_MOUNT} ./"
APT_LIMIT_S = 600.0
APT = {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}


def install(node: Node, *names: str) -> None:
    _install_from(SOURCE, node, names)


def upgrade(lab: Lab, node: Node, *names: str) -> None:
    """The same packages under the next version."""
    put_next(lab)
    _install_from(NEXT_SOURCE, node, names)


def _install_from(source: str, node: Node, names: Sequence[str]) -> None:
    node.put(SOURCE_FILE, f"{source}\n")
    apt(node, "update")
    apt(node, "install", *names)


def apt(node: Node, *arguments: str) -> None:
    """Its words are in the node's /var/log/apt."""
    node.run("apt-get", "-y", "-q", "--no-install-recommends", *arguments, env=APT,
             timeout=APT_LIMIT_S)


def put_next(lab: Lab, programs: Mapping[str, Path] = {}) -> None:
    """All packages under the next version, as the archive NEXT_SOURCE of the gateways. `programs`:
    files of the host in the place of the packages' own, by these' paths without the first slash."""
    with tempfile.TemporaryDirectory(prefix="vpnha-next-") as directory:
        archive = Path(directory) / "archive"
        archive.mkdir()
        for name in PRODUCT:
            _raise(lab.shared(PRODUCT_MOUNT), name, NEXT_VERSION, archive, programs)
        _hand_out(archive, lab.gateways)


def put_security(lab: Lab, versions: Mapping[str, str]) -> None:
    """Debian's packages of these names under those versions, as the archive NEXT_SOURCE of the
    gateways."""
    with tempfile.TemporaryDirectory(prefix="vpnha-security-") as directory:
        archive = Path(directory) / "archive"
        archive.mkdir()
        for name, raised in versions.items():
            _raise(lab.shared(ARCHIVE_MOUNT), name, raised, archive, {})
        _hand_out(archive, lab.gateways)


def _hand_out(archive: Path, nodes: Sequence[Node]) -> None:
    index(archive)
    for node in nodes:
        for path in archive.iterdir():
            node.put(f"{NEXT_MOUNT}/{path.name}", path.read_bytes())


def version(node: Node, name: str) -> str:
    """Of a package that is installed."""
    return node.run("dpkg-query", "-W", "-f", "${Version}", name).stdout


def _raise(source: Path, name: str, raised: str, archive: Path,
           programs: Mapping[str, Path]) -> None:
    found = list(source.glob(f"{name}_*.deb"))
    if len(found) != 1:
        raise LabError(f"{len(found)} packages {name} in {source}: setup/debs")
    tree = archive.parent / name
    _call("dpkg-deb", "--raw-extract", str(found[0]), str(tree))
    for path, program in programs.items():
        if (tree / path).exists():
            shutil.copy(program, tree / path)
            _call("strip", str(tree / path))
    control = tree / "DEBIAN" / "control"
    text = control.read_text(encoding="utf-8")
    old = re.search(r"^Version: (.*)$", text, re.MULTILINE)
    assert old is not None
    control.write_text(text.replace(old[1], raised), encoding="utf-8")
    _call("dpkg-deb", "-Znone", "--root-owner-group", "--build", str(tree),
          str(archive / f"{name}.deb"))


def _call(*argv: str) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LabError(f"{argv[0]}: {done.stderr.strip()}")

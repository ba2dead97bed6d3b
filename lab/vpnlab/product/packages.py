# SPDX-License-Identifier: GPL-2.0-or-later
"""The project's Debian packages on a node that has a Debian of its own, by apt."""
from __future__ import annotations

import re
import subprocess
import tempfile
from pathlib import Path

from ..host.debian import PRODUCT_MOUNT
from ..host.errors import LabError
from ..host.node import Node
from ..host.stage import PACKAGES

PRODUCT = ("libvpnha0", "libvpnha-dev", "vpnha", "vpnha-agents", "vpnha-ppp", "fence-agents-vpnha",
           "vpnha-doc")
SOURCE = f"deb [trusted=yes] file:{PRODUCT_MOUNT} ./"
SOURCE_FILE = "/etc/apt/sources.list.d/vpnha.list"
NEXT_VERSION = "0.1.1"
APT_LIMIT_S = 600.0
APT = {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
UPGRADES = "/root/upgrades"


def install(node: Node, *names: str) -> None:
    node.put(SOURCE_FILE, f"{SOURCE}\n")
    apt(node, "update")
    apt(node, "install", *names)


def apt(node: Node, *arguments: str) -> None:
    """Its words are in the node's /var/log/apt."""
    node.run("apt-get", "-y", "-q", "--no-install-recommends", *arguments, env=APT,
             timeout=APT_LIMIT_S)


def upgrade(node: Node, *names: str) -> None:
    """The same packages under the next version."""
    with tempfile.TemporaryDirectory(prefix="vpnha-upgrade-") as directory:
        for name in names:
            made = _raised(name, Path(directory))
            node.put(f"{UPGRADES}/{made.name}", made.read_bytes())
    apt(node, "install", *(f"{UPGRADES}/{name}_{NEXT_VERSION}.deb" for name in names))


def _raised(name: str, directory: Path) -> Path:
    found = list(PACKAGES.glob(f"{name}_*.deb"))
    if len(found) != 1:
        raise LabError(f"{len(found)} packages {name} in {PACKAGES}: setup/debs")
    tree, made = directory / name, directory / f"{name}_{NEXT_VERSION}.deb"
    _dpkg_deb("--raw-extract", str(found[0]), str(tree))
    control = tree / "DEBIAN" / "control"
    text = control.read_text(encoding="utf-8")
    version = re.search(r"^Version: (.*)$", text, re.MULTILINE)
    assert version is not None
    control.write_text(text.replace(version[1], NEXT_VERSION), encoding="utf-8")
    _dpkg_deb("--root-owner-group", "--build", str(tree), str(made))
    return made


def _dpkg_deb(*arguments: str) -> None:
    done = subprocess.run(["dpkg-deb", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise LabError(f"dpkg-deb: {done.stderr.strip()}")

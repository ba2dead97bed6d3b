# SPDX-License-Identifier: GPL-2.0-or-later
"""A freshly installed Debian 12 with systemd and sshd, as the root of a node, and an archive of all
packages that a gateway may need: a node has no way to Debian's servers.

Both are made once and kept beside the kernels, under a name made of what is in them.
"""
from __future__ import annotations

import dataclasses
import hashlib
import shutil
import subprocess
from pathlib import Path

from .errors import LabError, PackageMissing
from .kernel import cache_dir
from .progress import say

# Of a machine as the installer leaves it: sshd, and Python for Ansible.
SYSTEM = ("systemd", "systemd-sysv", "dbus", "openssh-server", "python3", "python3-apt", "iproute2",
          "kmod", "procps", "iputils-ping", "ca-certificates", "netbase", "less")
# What a gateway consists of, with what each of these needs.
ARCHIVE = ("charon-systemd", "chrony", "conntrack", "corosync", "crmsh", "ethtool", "fence-agents",
           "libcharon-extauth-plugins", "libcharon-extra-plugins",
           "libstrongswan-extra-plugins", "libstrongswan-standard-plugins", "logrotate", "nftables",
           "pacemaker", "pacemaker-cli-utils", "pcs", "ppp", "pptpd", "prometheus-node-exporter",
           "resource-agents", "strongswan-swanctl", "tcpdump", "xl2tpd",
           "libbpf1", "libcfg7", "libexpected-dev", "libcmap4", "libcpg4", "libfmt9", "libmnl0",
           "libnetfilter-conntrack3", "libnftables1", "libqb100", "libquorum5",
           "libseccomp2", "libsodium23")
MIRROR = "http://deb.debian.org/debian"
SOURCES = (MIRROR, f"deb {MIRROR} bookworm-updates main",
           "deb http://deb.debian.org/debian-security bookworm-security main")
# Where a node has the archive, and the packages of the project.
ARCHIVE_MOUNT = "/srv/debian"
PRODUCT_MOUNT = "/srv/vpnha"
# Nothing of these can be done in a node, or is to be done while something is measured.
NOT_IN_A_NODE = ("apt-daily.timer", "apt-daily-upgrade.timer", "e2scrub_all.timer",
                 "e2scrub_reap.service", "fstrim.timer", "getty@tty1.service")
SET_UP = f"""\
set -e
chroot "$1" apt-get install -y -q --no-install-recommends --download-only {' '.join(ARCHIVE)}
mkdir "$1.archive"
mv "$1"/var/cache/apt/archives/*.deb "$1.archive/"
rm -f "$1"/etc/apt/sources.list "$1"/etc/apt/sources.list.d/* "$1"/var/lib/apt/lists/*_*
echo 'deb [trusted=yes] file:{ARCHIVE_MOUNT} ./' >"$1/etc/apt/sources.list"
chroot "$1" systemctl mask {' '.join(NOT_IN_A_NODE)}
mkdir -p -m 700 "$1/root/.ssh"
"""


@dataclasses.dataclass(frozen=True)
class Debian:
    """Directories of the host."""

    root: Path
    archive: Path


def ensure_debian() -> Debian:
    """From the cache, or made now."""
    recipe = "\n".join((*SYSTEM, *SOURCES, SET_UP))
    top = cache_dir() / f"debian-12-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"
    made = Debian(top / "root", top / "root.archive")
    if not top.exists():
        partial = top.with_name(top.name + ".partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        _make(partial)
        partial.rename(top)
    return made


def index(directory: Path) -> None:
    """Makes a directory of packages an archive that apt can read."""
    with open(directory / "Packages", "wb") as file:
        done = subprocess.run(["apt-ftparchive", "packages", "."], cwd=directory, stdout=file,
                              stderr=subprocess.PIPE, check=False)
    if done.returncode:
        raise LabError(f"apt-ftparchive: {done.stderr.decode(errors='replace').strip()}")


def _make(directory: Path) -> None:
    missing = [tool for tool in ("mmdebstrap", "apt-ftparchive") if shutil.which(tool) is None]
    if missing:
        raise PackageMissing(f"{' '.join(missing)}: setup/install --rollout")
    say("a fresh Debian 12 for the nodes is made, once: two minutes")
    done = subprocess.run(["mmdebstrap", "--quiet", "--variant=minbase",
                           f"--include={','.join(SYSTEM)}", f"--customize-hook={SET_UP}",
                           "bookworm", str(directory / "root"), *SOURCES],
                          capture_output=True, text=True, check=False)
    if done.returncode:
        raise LabError(f"mmdebstrap: {done.stderr.strip()[-2000:]}")
    index(directory / "root.archive")

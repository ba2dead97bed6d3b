# SPDX-License-Identifier: GPL-2.0-or-later
"""A freshly installed Debian with systemd and sshd, as the root of a node, and an archive of all
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
from .progress import emit
from .release import Release

# Of a machine as the installer leaves it: sshd, and Python for Ansible.
SYSTEM = ("systemd", "systemd-sysv", "dbus", "openssh-server", "python3", "python3-apt", "iproute2",
          "kmod", "procps", "iputils-ping", "ca-certificates", "netbase", "less")
# What a gateway consists of, with what each of these needs.
ARCHIVE = ("charon-systemd", "chrony", "conntrack", "corosync", "crmsh", "ethtool", "fence-agents",
           "libcharon-extauth-plugins", "libcharon-extra-plugins",
           "libstrongswan-extra-plugins", "libstrongswan-standard-plugins", "logrotate", "nftables",
           "pacemaker", "pacemaker-cli-utils", "pcs", "ppp", "pptpd", "prometheus-node-exporter",
           "resource-agents", "strongswan-swanctl", "tcpdump", "xl2tpd",
           "libbpf1", "libcfg7", "libexpected-dev", "libcmap4", "libcpg4", "libmnl0",
           "libnetfilter-conntrack3", "libnftables1", "libqb100", "libquorum5",
           "libseccomp2", "libsodium23")
# The same, by release, where the names differ.
ARCHIVE_OF = {"bookworm": ("libfmt9",), "trixie": ("libfmt10",)}
MIRROR = "http://deb.debian.org/debian"
# Where a node has the archive, and the packages of the project.
ARCHIVE_MOUNT = "/srv/debian"
PRODUCT_MOUNT = "/srv/vpnha"
# Nothing of these can be done in a node, or is to be done while something is measured.
NOT_IN_A_NODE = ("apt-daily.timer", "apt-daily-upgrade.timer", "e2scrub_all.timer",
                 "e2scrub_reap.service", "fstrim.timer", "getty@tty1.service")


@dataclasses.dataclass(frozen=True)
class Debian:
    """Directories of the host."""

    root: Path
    archive: Path


def ensure_debian(release: Release) -> Debian:
    """From the cache, or made now."""
    recipe = "\n".join((*SYSTEM, *_sources(release), _set_up(release)))
    top = cache_dir() / f"debian-{release.name}-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"
    made = Debian(top / "root", top / "root.archive")
    if not top.exists():
        partial = top.with_name(top.name + ".partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        _make(partial, release)
        partial.rename(top)
    return made


def index(directory: Path) -> None:
    """Makes a directory of packages an archive that apt can read."""
    with open(directory / "Packages", "wb") as file:
        done = subprocess.run(["apt-ftparchive", "packages", "."], cwd=directory, stdout=file,
                              stderr=subprocess.PIPE, check=False)
    if done.returncode:
        raise LabError(f"apt-ftparchive: {done.stderr.decode(errors='replace').strip()}")


def _sources(release: Release) -> tuple[str, ...]:
    return (MIRROR, f"deb {MIRROR} {release.name}-updates main",
            f"deb http://deb.debian.org/debian-security {release.name}-security main")


def _set_up(release: Release) -> str:
    """Of a root, $1: the archive beside it, and what a node of the lab is without."""
    packages = " ".join((*ARCHIVE, *ARCHIVE_OF[release.name]))
    return f"""\
set -e
chroot "$1" apt-get install -y -q --no-install-recommends --download-only {packages}
mkdir "$1.archive"
mv "$1"/var/cache/apt/archives/*.deb "$1.archive/"
rm -f "$1"/etc/apt/sources.list "$1"/etc/apt/sources.list.d/* "$1"/var/lib/apt/lists/*_*
echo 'deb [trusted=yes] file:{ARCHIVE_MOUNT} ./' >"$1/etc/apt/sources.list"
chroot "$1" systemctl mask {' '.join(NOT_IN_A_NODE)}
mkdir -p -m 700 "$1/root/.ssh"
"""


def _make(directory: Path, release: Release) -> None:
    missing = [tool for tool in ("mmdebstrap", "apt-ftparchive") if shutil.which(tool) is None]
    if missing:
        raise PackageMissing(f"{' '.join(missing)}: setup/install --rollout")
    emit(f"a fresh Debian ({release.name}) for the nodes is made, once: two minutes")
    done = subprocess.run(["mmdebstrap", "--quiet", "--variant=minbase",
                           f"--include={','.join(SYSTEM)}", f"--customize-hook={_set_up(release)}",
                           release.name, str(directory / "root"), *_sources(release)],
                          capture_output=True, text=True, check=False)
    if done.returncode:
        raise LabError(f"mmdebstrap: {done.stderr.strip()[-2000:]}")
    index(directory / "root.archive")

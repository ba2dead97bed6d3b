# SPDX-License-Identifier: GPL-2.0-or-later
"""systemd in a node, for what depends on the order of units: Debian's own units of nftables,
Corosync and Pacemaker, with what the project adds to them.

The node's first process stays the lab's agent; systemd is the first process of a namespace of
process numbers beside it, as in a container, and has the node's network, files and logs.
"""
from __future__ import annotations

import signal
from pathlib import Path

from ..host.errors import PackageMissing
from ..host.node import Background, Node
from .cluster import PACEMAKER_ENVIRONMENT

SYSTEMD = "/lib/systemd/systemd"
UNITS = "/etc/systemd/system"
TARGET = "lab.target"
LOG = "/var/log/systemd.log"
# Ends all units in their order, then the first process.
HALT = signal.SIGRTMIN + 3
HALT_LIMIT_S = 120.0
TARGET_UNIT = """\
[Unit]
Requires=sysinit.target
After=sysinit.target
Wants=corosync.service pacemaker.service
"""
# Of an early boot only what has to do with the node: the host's other units are not its own.
SET_UP = f"""\
set -e
cd {UNITS}
rm -rf ./*.wants
for unit in /lib/systemd/system/sysinit.target.wants/*; do
    [ "${{unit##*/}}" = systemd-journald.service ] || ln -sf /dev/null "${{unit##*/}}"
done
mkdir sysinit.target.wants
ln -s /lib/systemd/system/nftables.service sysinit.target.wants/
# As the package does by sysusers.d.
getent group vpnha >/dev/null || groupadd --system vpnha
"""


class Systemd:
    """Of one node, whose daemons have their files and do not run yet."""

    def __init__(self, node: Node) -> None:
        if not Path(SYSTEMD).exists():
            raise PackageMissing("apt-get install systemd")
        self._node = node
        self._process: Background | None = None
        # Enables nftables.service as `systemctl enable` would.
        node.run("sh", "-c", SET_UP)
        node.put(f"{UNITS}/{TARGET}", TARGET_UNIT)
        node.put("/etc/default/pacemaker",
                 "".join(f"{name}={value}\n" for name, value in PACEMAKER_ENVIRONMENT.items()))

    def drop_in(self, unit: str, text: str) -> None:
        """What an administrator changes of a unit."""
        self._node.put(f"{UNITS}/{unit}.d/lab.conf", text)

    def start(self) -> None:
        """Does not wait for anything."""
        self._process = self._node.start(
            "/usr/bin/unshare", "--pid", "--fork", "--mount", "--mount-proc", "--kill-child",
            SYSTEMD, "--system", f"--unit={TARGET}", "--log-target=console", "--show-status=no",
            stdout=LOG, stderr=LOG, env={"container": "vpnha-lab"})

    def halt(self) -> None:
        """Stops all units in their order and waits for the end."""
        assert self._process is not None
        self._node.run("pkill", f"-{int(HALT)}", "-o", "-x", "systemd")
        self._process.wait(HALT_LIMIT_S)

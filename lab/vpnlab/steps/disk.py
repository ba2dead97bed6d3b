# SPDX-License-Identifier: GPL-2.0-or-later
"""Disks below vpnhad's state directory that are small, slow, refuse writes, or stand still."""
from __future__ import annotations

from ..host.node import Node
from .run import Run

STATE_DIRECTORY = "/var/lib/vpnha"
SMALL = "256k"
_CONTROL = "/run/stalling-fs"
_LOG = "/run/stalling-fs.log"
MOUNT_LIMIT_S = 10


def use_small_disk(node: Node) -> None:
    """Before vpnhad starts there."""
    node.run("mkdir", "-p", STATE_DIRECTORY)
    node.run("mount", "-t", "tmpfs", "-o", f"size={SMALL},mode=0700", "state", STATE_DIRECTORY)


def fill_disk(node: Node) -> None:
    """Not a block is left; what is written in place is taken."""
    node.note_fault("disk-full")
    node.run("dd", "if=/dev/zero", f"of={STATE_DIRECTORY}/hog", "bs=4096", check=False)


def refuse_writes(node: Node) -> None:
    """Read-only, as after an error, before take_writes(). The mount alone: the lab's own disk does
    not know the option."""
    node.note_fault("disk-refuses")
    node.run("mount", "-o", "remount,bind,ro", STATE_DIRECTORY)


def take_writes(node: Node) -> None:
    node.run("mount", "-o", "remount,bind,rw", STATE_DIRECTORY)


def use_stalling_disk(run: Run, node: Node) -> None:
    """Before vpnhad starts there."""
    node.start_tool("stalling_fs.py", STATE_DIRECTORY, _CONTROL, output=_LOG)
    run.wait_for(f"the stalling disk of {node.name} is there",
                 lambda: f" {STATE_DIRECTORY} fuse " in (node.read("/proc/mounts") or ""),
                 MOUNT_LIMIT_S)


def slow_disk(node: Node, fsync_ms: int) -> None:
    """Each fsync takes so long."""
    node.note_fault(f"disk-slow {fsync_ms} ms")
    node.put(_CONTROL, str(fsync_ms))


def stick_disk(node: Node) -> None:
    """No fsync ends before good_disk()."""
    node.note_fault("disk-stuck")
    node.put(_CONTROL, "stuck")


def good_disk(node: Node) -> None:
    node.put(_CONTROL, "0")

# SPDX-License-Identifier: GPL-2.0-or-later
"""A monitoring host asks a gateway by vpnha-probe with a test account, and what it reports."""
from __future__ import annotations

import json
from collections.abc import Sequence

from ...evidence.expectation import equals, is_empty, is_true
from ...host.node import Node
from ...host.topology import L2TP
from ...product.l2tp_gateway import USER
from ..run import Run

ACCOUNT = "/etc/probe.account"
OK, CRITICAL = 0, 2
# A pppd or a charon starts in each, on nodes that share a core.
PROBE_S = 10


def ask(host: Node, protocol: str, account: str, *more: str, timeout_s: int = PROBE_S) -> dict:
    """`account`: the text of its file."""
    host.put(ACCOUNT, account, mode=0o600)
    return json.loads(host.run("vpnha-probe", protocol, L2TP.vip_outside, "--account", ACCOUNT,
                               "--timeout", str(timeout_s), "--json", *more, check=False).stdout)


def expect_whole(run: Run, whole: dict, steps: Sequence[str]) -> None:
    """The gateway has answered each step, in that order."""
    run.expect("text", "has answered" in whole["text"], is_true())
    run.expect("steps", [each["name"] for each in whole["steps"]], equals(steps))


def expect_refused(run: Run, refused: dict) -> None:
    """pppd has refused the user's password."""
    run.expect("refused", refused["exit_code"], equals(CRITICAL))
    run.expect("reason", f"refuses the login of '{USER}'" in refused["text"], is_true())


def expect_no_device(run: Run, host: Node) -> None:
    """No PPP device is there."""
    run.expect("devices_of_the_probe", [
        name for name in host.run("ls", "/sys/class/net").stdout.split()
        if name.startswith("ppp")], is_empty())

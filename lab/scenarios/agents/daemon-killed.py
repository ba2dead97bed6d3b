# SPDX-License-Identifier: GPL-2.0-or-later
"""vpnhad crashes on the promoted node, and another node serves.

Purpose: a session's sockets go with the daemon that holds them; every other node holds the session
hot, so its death is a failover. Corosync notifies the standbys at once, and one of them notifies
Pacemaker. A vpnhad that crashes must not leave its memory on a disk, where its keys would be found.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 dials and makes traffic; vpnhad of the promoted node crashes (SIGABRT), where core
dumps go through a pipe to a program. A shell crashes before, as the proof that this program takes
dumps.

Expected: a silence of at most 2.5 s and nothing else; exactly one standby notifies Pacemaker; never
two owners; the node is a standby in sync again by itself. The shell's dump was taken, and none of
vpnhad.
"""
from vpnlab.evidence.expectation import equals
from vpnlab.host.node import Node
from vpnlab.product.vpnha_stack import DAEMON
from vpnlab.steps.promise import REPORTED_MS
from vpnlab.steps.promoted.fault import expect_moved, strike_daemon
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=1, vpnha=True)
TAKER = "/run/take-dump"
TAKEN = "/run/dumps"


def crash(node: Node) -> None:
    node.run("mkdir", TAKEN)
    node.put(TAKER, f"#!/bin/sh\ncat >{TAKEN}/$1\n", mode=0o755)
    node.run("sysctl", "-q", f"kernel.core_pattern=|{TAKER} %e")
    node.run("sh", "-c", "kill -ABRT $$", check=False)
    node.signal_process(DAEMON, "ABRT")


def steps(run: Run) -> None:
    live = strike_daemon(run, "crash of vpnhad", crash)
    run.expect("dumps", live.active.run("ls", TAKEN).stdout.split(), equals(["sh"]))
    run.expect("reports", sum(live.stack.daemon_log(node).count("event=reported")
                              for node in run.lab.gateways), equals(1))
    expect_moved(run, live, REPORTED_MS)

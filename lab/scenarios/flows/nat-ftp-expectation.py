# SPDX-License-Identifier: GPL-2.0-or-later
"""A file that was asked for by FTP in active mode comes from another gateway than it was asked by.

Purpose: between a client's PORT command and the server's connection the kernel remembers whom the
connection is for: its helper expects it. Through a gateway that does not know it the server's
connection ends at the VIP, refused.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server; the rules of nftables/gateway.nft
on all gateways; the server has no route to the clients.

Steps: client1 connects to the server's FTP, and asks for a file; the server answers, and does not
connect yet; all standbys expect its connection; the power of the promoted gateway is cut; the
server connects to where the client asked it to; the client asks for another file.

Expected: both files arrive, the first one by a connection that its control connection is the parent
of; the new gateway expects nothing more then, and what it expected had its own few minutes to live
instead of a standby's week; a silence of at most 1 s and nothing else.
"""
from vpnlab.evidence.expectation import equals, is_empty
from vpnlab.host.node import Node
from vpnlab.steps.live import begin
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.traffic.ftp import FTP_PORT, HELD, Ftp
from vpnlab.traffic.nat import expect_hot, expectations, flows, moved, prepare

SCENARIO = Scenario(faults=1, vpnha=True)
HOT_LIMIT_S = 5
# The client of ftp.py waits 20 s for the server's connection.
REVIVED_LIMIT_S = 8
# Of the kernel's helper: nf_conntrack_ftp.c.
EXPECTED_S = 300


def steps(run: Run) -> None:
    prepare(run.lab)
    live = begin(run)
    ftp = Ftp(live, HELD, "file")
    ftp.wait_held()
    before = flows(live.active, port=FTP_PORT)
    announced = tuples(live.active)
    run.expect("announced", len(announced), equals(1))
    expect_hot(run, live, before, HOT_LIMIT_S)
    for node in live.standbys:
        run.wait_for(f"{node.name} expects the server", lambda: tuples(node) == announced,
                     HOT_LIMIT_S)
    successor = live.cut_power(live.active)
    run.expect("flows_with_another_port", moved(before, flows(successor, port=FTP_PORT)),
               is_empty())
    run.expect("expected_after", tuples(successor), equals(announced))
    run.wait_for("it has its own time to live", lambda: all(
        each.timeout_s <= EXPECTED_S for each in expectations(successor)), REVIVED_LIMIT_S)

    run.step("the server connects")
    ftp.connect()
    ftp.wait_fetched(1)
    run.expect("expected_twice", tuples(successor), is_empty())
    ftp.ask_once_more()
    ftp.wait_fetched(2)
    ftp.expect_fetched(2)

    expect_only_silence(run, live.end().client("client1"), TAKEOVER_MS)


def tuples(node: Node) -> list[tuple[str, str]]:
    """Whose connections the node expects, and which."""
    return sorted((each.original, each.expected) for each in expectations(node))

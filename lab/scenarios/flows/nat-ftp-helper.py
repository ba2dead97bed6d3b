# SPDX-License-Identifier: GPL-2.0-or-later
"""A file is fetched by FTP in active mode on a control connection that outlived its gateway.

Purpose: NAT rewrites the address in a client's PORT command, which changes the length of what the
client sent: from then on the control connection needs the helper, and sequence numbers adjusted by
what was added. Both are part of the flow on every standby.

Kept: the control connection, its helper, its adjustments. What was announced in the moment of the
failure is nat-ftp-expectation's.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server; the rules of nftables/gateway.nft
on all gateways; the server has no route to the clients.

Steps: client1 connects to the server's FTP, and fetches a file; the power of the promoted gateway
is cut; it fetches another on the same control connection.

Expected: both files arrive; the server was given the VIP both times; the new gateway's flow has the
helper and the adjustments of the old one; a silence of at most 1 s and nothing else.
"""
from vpnlab.evidence.expectation import equals, is_empty
from vpnlab.steps.live import begin
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.traffic.ftp import FTP_PORT, Ftp
from vpnlab.traffic.nat import Flow, expect_hot, flows, inside_captures, moved, prepare, resets_sent

SCENARIO = Scenario(faults=1, vpnha=True)
HOT_LIMIT_S = 5


def steps(run: Run) -> None:
    prepare(run.lab)
    live = begin(run)
    ftp = Ftp(live, "file")
    ftp.wait_fetched(1)
    before = flows(live.active, port=FTP_PORT)
    run.expect("helpers", [each.helper for each in before], equals(["ftp"]))
    run.expect("adjusted", [any(each.adjusted_original) for each in before], equals([True]))
    expect_hot(run, live, before, HOT_LIMIT_S)
    successor = live.cut_power(live.active)
    after = flows(successor, port=FTP_PORT)
    run.expect("flows_with_another_port", moved(before, after), is_empty())
    run.expect("control_connection", [kept(each) for each in after],
               equals([kept(each) for each in before]))

    ftp.ask_once_more()
    ftp.wait_fetched(2)
    ftp.expect_fetched(2)

    seen = live.end()
    run.expect("resets_to_the_server", resets_sent(inside_captures(run.lab, run.out), FTP_PORT),
               equals(0))
    expect_only_silence(run, seen.client("client1"), TAKEOVER_MS)


def kept(control: Flow) -> tuple[str, tuple[int, ...], tuple[int, ...]]:
    """What the helper needs of a control connection."""
    return control.helper, control.adjusted_original, control.adjusted_reply

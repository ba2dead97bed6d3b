# SPDX-License-Identifier: GPL-2.0-or-later
"""Whoever sends too much through a resumed tunnel gets an error, as before the failover.

Purpose: path MTU discovery through sessions that the gateway has resumed: the PPP interface has the
MTU that pppd gave it on the dead gateway, and the gateway's ICMP "fragmentation needed" gets out.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: the server pings client1 with 1 500 octets that must not be fragmented, then with what it has
learned; the power of the promoted gateway is cut; the same again, by a server that has forgotten
it.

Expected: both times the server is sent the same MTU, and what fits is answered.
"""
from vpnlab.evidence.expectation import at_least, equals
from vpnlab.steps.live import begin
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.sessions.options import ping, reported_mtu

SCENARIO = Scenario(faults=1, vpnha=True)


def steps(run: Run) -> None:
    live = begin(run)
    server, address = run.lab.node("server"), live.client.dialled()[-1].local
    before = reported_mtu(server, address)
    run.expect("reported_mtu", before, at_least(1000))
    live.cut_power(live.active)
    live.stack.wait_protected(1)
    server.run("ip", "route", "flush", "cache")
    run.expect("reported_mtu_after_the_failover", reported_mtu(server, address), equals(before))
    run.expect("what_fits_is_answered", " 0% packet loss" in ping(server, address, before),
               equals(True))
    seen = live.end()
    expect_only_silence(run, seen.client("client1"), TAKEOVER_MS)

# SPDX-License-Identifier: GPL-2.0-or-later
"""Accounting of a WireGuard client continues over two power cuts: one Start, one Stop, all octets.

Purpose: WireGuard knows no begin and no end of a session. An accounting server gets one Start while
the client is there, whichever gateway serves it, and one Stop when its keys are too old.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server, with FreeRADIUS.

Steps: client1 shakes hands, and moves some megabytes. The power of the promoted gateway is cut
under light traffic; twice, with megabytes in between. Then client1 removes its device, which
notifies nobody.

Expected: as in wireguard-power-cut. In what the server wrote down: one Start and one Stop under one
Acct-Session-Id, with client1's public key as the user and its addresses; counters that never go
back; octets within 1 % of what client1's own WireGuard received, and at least 95 % of what it sent;
no counters of packets. The Stop has Idle-Timeout, and comes 270 s after the last handshake or
later.
"""
from vpnlab.evidence.expectation import at_least, between, equals
from vpnlab.host.topology import NODES
from vpnlab.product.wireguard.stock import CLIENT_KEYS, address_of
from vpnlab.steps.accounts import (CHECKPOINT_S, MOVE_S, begin_server, cut_power_and_rejoin,
                                   expect_growth, move_octets)
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.wireguard.live import begin_wireguard, transfer

SCENARIO = Scenario(faults=2, vpnha=True)
NAME = "client1"
# New keys are made every 190 s at the latest; a session is over 270 s behind its last ones.
SILENT_S, STOP_LIMIT_S = 270 - 190, 290


def steps(run: Run) -> None:
    radius = begin_server(run)
    live = begin_wireguard(run, accounts=True)
    for _ in range(2):
        move_octets(live, MOVE_S)
        cut_power_and_rejoin(live)
        live.stack.wait_protected(1)
    move_octets(live, MOVE_S)
    live.client.stop_traffic()
    run.observe(CHECKPOINT_S)
    counted = transfer(live.client.node)
    live.hang_up()
    silent_at = run.lab.now()
    run.wait_for("the server was notified of the end",
                 lambda: any(each.kind == "Stop" for each in radius.reports()), STOP_LIMIT_S)
    run.expect("stop_after_s", round(run.lab.now() - silent_at, 1), at_least(SILENT_S))
    reports = radius.reports()
    kinds = [each.kind for each in reports]
    run.expect("sessions", len({each.session for each in reports}), equals(1))
    run.expect("in_order", (kinds[0], kinds[-1]), equals(("Start", "Stop")))
    run.expect("starts", kinds.count("Start"), equals(1))
    run.expect("interims", len(kinds) - 2, at_least(2))
    run.expect("who", sorted({(each.fields["User-Name"], each.fields["Framed-IP-Address"],
                               each.fields["Calling-Station-Id"]) for each in reports}),
               equals([(CLIENT_KEYS[NAME].public, address_of(NAME),
                        NODES[NAME].address("outside"))]))
    run.expect("packets", [each.fields for each in reports if "Acct-Input-Packets" in each.fields
                           or "Framed-Protocol" in each.fields], equals([]))
    expect_growth(run, NAME, [[int(each.fields["Acct-Session-Time"]), each.octets("Input"),
                               each.octets("Output")] for each in reports[1:]])
    stop = reports[-1]
    run.expect("cause", stop.fields["Acct-Terminate-Cause"], equals("Idle-Timeout"))
    for direction, low in (("Output", 99.0), ("Input", 95.0)):
        run.expect(f"{direction.lower()}_percent",
                   round(100 * stop.octets(direction) / counted[direction], 2), between(low, 101.0))
    seen = live.measure()
    expect_only_silence(run, seen.client(NAME), TAKEOVER_MS)

# SPDX-License-Identifier: GPL-2.0-or-later
"""What an accounting server receives of sessions that outlive power cuts and moves, held against
what their clients counted."""
from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

from ..evidence.expectation import at_least, between, equals, is_empty, is_true
from ..product.client import VpnClient
from ..product.dialler import MakeDialler
from ..product.radius import CLASS, DETAIL, RadiusServer, Report
from ..product.radius_stack import RadiusStack
from .live import Live, begin
from .promise import TAKEOVER_MS, expect_only_silence
from .run import Run
from .sessions import bulk

# A rate that leaves the host calm: where its cores are busy, leases lapse, and gates drop.
MOVE_S, MBIT = 5, 8
# The counters are read each second, and sent 0.1 s later.
CHECKPOINT_S = 1.5
NOTICE_LIMIT_S = 30


def begin_server(run: Run, *users: str) -> RadiusServer:
    """On the server, which answers bulk.py as well. `users`: in place of the usual one."""
    radius = RadiusServer(run.lab, run.lab.node("server"), *users)
    bulk.serve(run)
    return radius


def move_octets(live: Live, seconds: int) -> None:
    """Each client receives and sends some megabytes; then little is on its way, and the counters
    have been read."""
    for client in live.clients:
        for direction in ("down", "up"):
            bulk.move(client.node, direction, seconds, MBIT)
    live.run.observe(CHECKPOINT_S)


def octets(client: VpnClient, interface: str = "ppp0") -> dict[str, int]:
    """What the client's own interface has counted."""
    links = json.loads(client.node.run("ip", "-s", "-j", "link", "show", interface).stdout)
    stats = links[0]["stats64"]
    return {"Output": stats["rx"]["bytes"], "Input": stats["tx"]["bytes"]}


def expect_account(run: Run, name: str, reports: list[Report], counted: Mapping[str, int],
                   lost_percent: float = 0.0, merged_percent: float = 0.0,
                   has_class: bool = True) -> None:
    """Of one session, all reports to the server. `lost_percent`: of its octets, by deaths of
    gateways amid its traffic. `merged_percent`: as of expect_octets(). `has_class`: a session of
    pppd, which knows its Class."""
    kinds = [each.kind for each in reports]
    run.expect(f"{name}_starts", kinds.count("Start"), equals(1))
    run.expect(f"{name}_stops", kinds.count("Stop"), equals(1))
    run.expect(f"{name}_in_order", (kinds[0], kinds[-1]), equals(("Start", "Stop")))
    run.expect(f"{name}_interims", len(kinds) - 2, at_least(2))
    run.expect(f"{name}_classes", sorted({each.fields.get("Class", "") for each in reports}),
               equals(["0x" + CLASS.encode().hex() if has_class else ""]))
    expect_growth(run, name, [[int(each.fields["Acct-Session-Time"]), each.octets("Input"),
                               each.octets("Output"), int(each.fields["Acct-Input-Packets"]),
                               int(each.fields["Acct-Output-Packets"])] for each in reports[1:]])
    stop = reports[-1]
    run.expect(f"{name}_cause", stop.fields["Acct-Terminate-Cause"], equals("User-Request"))
    expect_octets(run, name, stop, counted, lost_percent, merged_percent)


def expect_octets(run: Run, name: str, stop: Report, counted: Mapping[str, int],
                  lost_percent: float = 0.0, merged_percent: float = 0.0) -> None:
    """All that the client received, and nearly all that it sent: what it sends to a dead gateway
    reaches nobody. `merged_percent`: its interface counts the headers of segments once that its
    kernel sends together."""
    for direction, low, high in (("Output", 99.0 - lost_percent, 101.0),
                                 ("Input", 95.0 - lost_percent, 101.0 + merged_percent)):
        run.expect(f"{name}_{direction.lower()}_percent",
                   round(100 * stop.octets(direction) / counted[direction], 2), between(low, high))


def expect_growth(run: Run, name: str, counters: Sequence[Sequence[int]]) -> None:
    run.expect(f"{name}_counters_never_go_back",
               all(before <= after for earlier, later in zip(counters, counters[1:])
                   for before, after in zip(earlier, later)), is_true())


def cut_power_and_rejoin(live: Live) -> None:
    active = live.stack.wait_in_sync()
    live.cut_power(active)
    live.stack.rejoin(active.name)


def account_over_power_cuts(run: Run, diallers: Mapping[str, MakeDialler],
                            ipsec: bool = False) -> None:
    """The clients dial, each by its dialler. `ipsec`: L2TP within IPsec only."""
    account_over(run, diallers, [cut_power_and_rejoin] * 2, ipsec)


def account_over(run: Run, diallers: Mapping[str, MakeDialler],
                 moves: Sequence[Callable[[Live], None]], ipsec: bool = False,
                 move_s: int = MOVE_S) -> None:
    """The same. Before each move of the role, and after the last, the clients move octets for
    `move_s` seconds in each direction; a client's captures of all that stay in its memory."""
    radius = begin_server(run)
    live = begin(run, clients=(), observe_s=0, stack=RadiusStack(run.lab, ipsec=ipsec))
    live.dial_all(diallers)
    addresses = {client.name: client.dialled()[-1].local for client in live.clients}
    for move in moves:
        move_octets(live, move_s)
        move(live)
        live.stack.wait_protected(len(diallers))
    move_octets(live, move_s)
    for client in live.clients:
        client.stop_traffic()
    run.observe(CHECKPOINT_S)
    counted = {client.name: octets(client) for client in live.clients}
    live.hang_up()
    run.wait_for("the server was notified of all ends", lambda: sum(
        each.kind == "Stop" for each in radius.reports()) >= len(diallers), NOTICE_LIMIT_S)
    reports = radius.reports()
    (run.out / "detail").write_bytes(run.lab.node("server").get(DETAIL))
    run.expect("sessions", len({each.session for each in reports}), equals(len(diallers)))
    run.expect("waiting", [live.stack.status(node)["accounting"]["waiting"]
                           for node in run.lab.gateways], equals([0, 0, 0]))
    for client in live.clients:
        own = [each for each in reports
               if each.fields["Framed-IP-Address"] == addresses[client.name]]
        run.expect(f"{client.name}_ids", len({each.session for each in own}), equals(1))
        expect_account(run, client.name, own, counted[client.name])
    run.expect("of_nobody", [each.fields for each in reports if each.fields["Framed-IP-Address"]
                             not in addresses.values()], is_empty())
    run.expect_nothing_left(run.lab.gateways, live.stack.leftovers, 15)
    seen = live.measure()
    for client in live.clients:
        expect_only_silence(run, seen.client(client.name), TAKEOVER_MS)

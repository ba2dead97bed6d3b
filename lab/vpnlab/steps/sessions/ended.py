# SPDX-License-Identifier: GPL-2.0-or-later
"""Sessions that the operator ends, each in turn: of stock daemons, and of a gateway that took them
over. Their clients are notified."""
from __future__ import annotations

from ...evidence.expectation import at_most, equals
from ...host.node import Node
from ...product.client import VpnClient
from ..live import LEFTOVERS_LIMIT_S, Live
from ..promise import TAKEOVER_MS, expect_only_silence
from ..run import Run

# A client that nobody notifies finds out after a minute.
NOTICE_LIMIT_S = 10


def end_each(run: Run, live: Live) -> None:
    """Of three clients the second one's session is ended where it was negotiated, the first one's
    where it was taken over, and what is left then by `vpnha drain`."""
    first, second, third = live.clients
    end(run, live, live.active, second)
    run.step(f"{second.name} dials again")
    second.dial()
    live.stack.wait_protected(3)

    successor = live.cut_power(live.active)
    live.stack.wait_protected(3)
    run.observe(2)
    end(run, live, successor, first)

    run.step(f"{successor.name} is drained, and what is left is ended after a second")
    third.stop_traffic()
    done = successor.run("vpnha", "drain", third.gateway.name, "--deadline", "1s", "--end",
                         check=False, timeout=60)
    run.step(done.stdout.replace("\n", "; "))
    run.expect("drained", [done.code, "no session is left" in done.stdout], equals([0, True]))
    for client in (second, third):
        run.wait_for(f"{client.name} is notified", client.gone, NOTICE_LIMIT_S)
    run.expect_nothing_left(run.lab.gateways, live.stack.leftovers, LEFTOVERS_LIMIT_S)
    seen = live.measure()
    for client in (first, third):
        expect_only_silence(run, seen.client(client.name), TAKEOVER_MS)


def end(run: Run, live: Live, node: Node, client: VpnClient) -> None:
    """By the first digits of its id, which another node knows as well, and does not end."""
    address = client.dialled()[-1].local
    ended = next(each["id"] for each in live.stack.sessions(node) if each["address"] == address)
    standby = next(each for each in live.stack.cluster.nodes if each is not node
                   and each.powered())
    refused = standby.run("vpnha", "session", "end", ended, check=False)
    run.expect(f"{client.name}_standby_refuses",
               [refused.code, f"{node.name} is promoted" in refused.stderr], equals([1, True]))
    client.stop_traffic()
    run.step(f"{client.name}'s session {ended} is ended on {node.name}")
    since = run.lab.now()
    done = node.run("vpnha", "session", "end", ended[:8], check=False, timeout=60)
    run.step((done.stdout or done.stderr).strip())
    run.expect(f"{client.name}_ended", done.code, equals(0))
    run.wait_for(f"{client.name} is notified", client.gone, NOTICE_LIMIT_S)
    run.expect(f"{client.name}_notified_s", run.lab.now() - since, at_most(NOTICE_LIMIT_S))

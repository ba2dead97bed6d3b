# SPDX-License-Identifier: GPL-2.0-or-later
"""Sessions come back to a node that has had them before; nothing is accounted for twice.

Purpose: a demoted node keeps the devices of its sessions, with their counters. When a session comes
back, what those counted in an earlier tenure belongs to that one.

Topology: client1 and client2 -- outside -- gw1, gw2, gw3 -- inside -- server, with FreeRADIUS;
stock xl2tpd and pptpd beside each other.

Steps: client1 dials by L2TP, client2 by PPTP. Both move some megabytes in each tenure. The power of
the promoted gateway is cut. The role moves from its successor to the third gateway, back to the
successor, and to the first one, which has rejoined. They hang up.

Expected: as in radius-continuity: of each session one Start and one Stop under one Acct-Session-Id,
and octets within 1 % of what the client's own interface received.
"""
from vpnlab.host.topology import DEFAULT_NODES
from vpnlab.product.l2tp_client import L2tpClient
from vpnlab.product.pptp_client import PptpDialler
from vpnlab.steps.accounts import account_over, cut_power_and_rejoin
from vpnlab.steps.live import Live
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=(*DEFAULT_NODES, "client2"), faults=1, vpnha=True)


def steps(run: Run) -> None:
    had: list[str] = []

    def cut(live: Live) -> None:
        had.append(live.active.name)
        cut_power_and_rejoin(live)
        had.append(live.stack.wait_in_sync().name)

    def move_on(live: Live) -> None:
        run.step("the role moves to the third gateway")
        live.stack.move_role(lambda name: name not in had)

    def move_back(live: Live) -> None:
        run.step(f"the role moves back to {had[1]}")
        live.stack.move_role(lambda name: name == had[1])

    def move_home(live: Live) -> None:
        run.step(f"the role moves back to {had[0]}")
        live.stack.move_role(lambda name: name == had[0])

    account_over(run, {"client1": L2tpClient, "client2": PptpDialler},
                 [cut, move_on, move_back, move_home], move_s=2)

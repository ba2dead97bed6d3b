# SPDX-License-Identifier: GPL-2.0-or-later
"""From three empty machines to gateways of IKEv2 alone, by the site play.

Purpose: what the role sets up of IKEv2 without L2TP: connection, certificates, users of EAP, the
pool of virtual addresses in charon and in vpnhad, whose route is vpnhad's; and the rule for clients
that move.

Topology: gw1, gw2, gw3, each a newly installed Debian; client1 and server. The play comes from the
lab's place on the management network, by ssh.

Steps: the play runs, and runs again; client1 dials in by IKEv2 with EAP-MSCHAPv2; the power of the
promoted gateway is cut under its traffic.

Expected: the second play changes nothing; no secret is in Ansible's output; xl2tpd is not
installed. The node that serves, and no other one, has the route to the virtual addresses. The
session continues within 1 s: no IKE, the same address, no TCP reset.
"""
import functools

from vpnlab.evidence.expectation import equals, is_empty
from vpnlab.host.node import Node
from vpnlab.host.topology import DEFAULT_NODES, L2TP
from vpnlab.product import pki
from vpnlab.product.ipsec_client import EAP_GCM, Ikev2Client
from vpnlab.product.ipsec_gateway import SERVER_ID
from vpnlab.rollout.ansible import Site
from vpnlab.steps.live import off_dc
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence
from vpnlab.steps.rollout import FRESH, begin, play_again, prepare
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=DEFAULT_NODES, fresh=FRESH, faults=1)
SITE = Site(gateway={
    "pools": [L2TP.virtual_pool], "common_pool": None, "ip_range": None, "l2tp": False,
    "pptp": None, "ipsec": None,
    "ikev2": {"pools": [L2TP.virtual_pool], "id": SERVER_ID, "certs": ["own.pem"]}})
TABLE = str(1000 + L2TP.id)
AFTERWARDS_S = 5


def steps(run: Run) -> None:
    ansible = prepare(run, SITE)
    ansible.put_secrets(files=pki.files(SERVER_ID))
    live = begin(run, ansible, off_dc)
    stack = live.stack
    play_again(run, ansible)
    run.expect("xl2tpd_is_installed", [node.name for node in run.lab.gateways if node.run(
        "test", "-e", "/usr/sbin/xl2tpd", check=False).code == 0], is_empty())

    stack.cluster.tune()
    stack.cluster.spare_successors(live.active)
    live.dial("client1", dialler=functools.partial(Ikev2Client, kind=EAP_GCM))
    run.observe(AFTERWARDS_S)
    run.expect("routes_to_virtual_addresses", routes(run.lab.gateways),
               equals([live.active.name]))
    successor = live.cut_power(live.active)
    stack.wait_protected(1)
    run.expect("routes_at_the_successor", routes([successor]), equals([successor.name]))
    run.observe(AFTERWARDS_S)
    seen = live.end()
    expect_only_silence(run, seen.client("client1"), TAKEOVER_MS)


def routes(nodes: list[Node]) -> list[str]:
    """Nodes that lead the virtual addresses outside."""
    return [node.name for node in nodes if L2TP.virtual_pool in node.run(
        "ip", "route", "show", "table", TABLE, check=False).stdout]

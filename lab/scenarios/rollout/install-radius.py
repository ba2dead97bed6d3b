# SPDX-License-Identifier: GPL-2.0-or-later
"""From three empty machines to gateways whose users RADIUS alone knows, by the site play.

Purpose: what the role sets up of RADIUS: radius.so with MS-CHAPv2, which an Active Directory behind
the server takes, its dictionary and secret, and vpnhad's accounts beside it. Two users sit behind
one NAT, as in an office or a hotel.

Topology: gw1, gw2, gw3, each a newly installed Debian; home1, home2 -- nat1 -- outside; client1 --
outside; server, with FreeRADIUS. The play comes from the lab's place on the management network.

Steps: the play runs, and runs again; home1 and home2 dial in by L2TP/IPsec, client1 by PPTP with
MPPE-128; the power of the promoted gateway is cut under their traffic; all hang up.

Expected: no node knows a password; the second play changes nothing; no secret is in
Ansible's output. All three sessions continue within 1 s. The server receives of each one Start and
one Stop, with one Acct-Session-Id.
"""
from collections.abc import Mapping

from vpnlab.evidence.expectation import equals, is_empty, is_true
from vpnlab.host.topology import L2TP
from vpnlab.product.dialler import MakeDialler
from vpnlab.product.ipsec_client import L2tpIpsecClient
from vpnlab.product.l2tp_gateway import SECRETS
from vpnlab.product.pptp_client import PptpDialler
from vpnlab.product.probes import SERVER_ADDRESS
from vpnlab.product.radius import ACCT_PORT, AUTH_PORT, SECRET, RadiusServer
from vpnlab.product.sites.home import start_nat
from vpnlab.rollout.ansible import Site
from vpnlab.steps.live import off_dc
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence
from vpnlab.steps.rollout import FRESH, begin, play_again, prepare
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

HOMES = ("home1", "home2")
SCENARIO = Scenario(nodes=(*FRESH, "client1", "server", "nat1", *HOMES), fresh=FRESH, faults=1)
SITE = Site(
    gateway={"accounting": True},
    values={"vpnha_ppp_auth": "mschap-v2",
            "vpnha_radius_auth_servers": [f"{SERVER_ADDRESS}:{AUTH_PORT}"],
            "vpnha_radius": {"accounting_servers": [f"{SERVER_ADDRESS}:{ACCT_PORT}"]}},
    secrets={"vpnha_radius_secret": SECRET, "vpnha_users": []})
DIALLERS: Mapping[str, MakeDialler] = {**dict.fromkeys(HOMES, L2tpIpsecClient),
                                       "client1": PptpDialler}
AFTERWARDS_S, NOTICE_LIMIT_S = 5, 30


def steps(run: Run) -> None:
    start_nat(run.lab)
    server = RadiusServer(run.lab, run.lab.node("server"))
    ansible = prepare(run, SITE)
    live = begin(run, ansible, off_dc)
    stack = live.stack
    play_again(run, ansible)
    run.expect("users_on_the_nodes", [line for node in run.lab.gateways
                                      for line in (node.read(SECRETS) or "").splitlines()
                                      if not line.startswith("#")], is_empty())
    options = run.lab.gateways[0].read(f"/etc/ppp/options.{L2TP.name}") or ""
    run.expect("asks_for_mschap_v2", "require-mschap-v2" in options.splitlines(), is_true())

    stack.cluster.tune()
    stack.cluster.spare_successors(live.active)
    live.dial_all(DIALLERS)
    run.observe(AFTERWARDS_S)
    live.cut_power(live.active)
    stack.wait_protected(len(DIALLERS))
    run.observe(AFTERWARDS_S)
    seen = live.end()
    run.wait_for("the server is notified of all Stops", lambda: kinds(server).count("Stop") >= len(
        DIALLERS), NOTICE_LIMIT_S)
    run.expect("starts", kinds(server).count("Start"), equals(len(DIALLERS)))
    run.expect("stops", kinds(server).count("Stop"), equals(len(DIALLERS)))
    run.expect("accounts", len({each.session for each in server.reports()}), equals(len(DIALLERS)))
    for client in live.clients:
        expect_only_silence(run, seen.client(client.name), TAKEOVER_MS)


def kinds(server: RadiusServer) -> list[str]:
    return [each.kind for each in server.reports()]

# SPDX-License-Identifier: GPL-2.0-or-later
"""vpnha-probe logs in with test accounts of IKE, by a charon of its own, and makes no SA of ESP.

Purpose: a wrong pre-shared key and an empty pool answer IKE_SA_INIT like a healthy gateway. A login
finds them. It leaves nothing behind, neither on the gateway nor in the machine's own charon.

Topology: home1 -- home -- nat1 -- outside -- gw1, gw2, gw3 -- inside -- server; client1, client2 --
outside. home1 speaks L2TP/IPsec, client1 IKEv2; client2 is the monitoring host.

Steps: both dial and make traffic; client2 probes IKEv2 with a key and a virtual IP, IKEv1 with a
key, and IKEv2 with a wrong key. client1 probes IKEv2, too, beside its own charon.

Expected: OK with login, address and hang_up; OK with login and hang_up; CRITICAL, as the key is
refused; OK. The clients have no gap longer than 50 ms, or twice the longest of a calm time,
and make no IKE exchange except those of client1's probe.
"""
from vpnlab.evidence.expectation import equals, is_true
from vpnlab.host.node import Node
from vpnlab.host.topology import L2TP
from vpnlab.product.ipsec_client import IKE_PROPOSALS
from vpnlab.product.ipsec_gateway import SECRET, SERVER_ID
from vpnlab.steps.ipsec.live import CLIENTS, IPSEC_NODES, begin_ipsec
from vpnlab.steps.promise import expect_no_gap, expect_nothing_else
from vpnlab.steps.promoted.probe_login import CRITICAL, OK, ask
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=(*IPSEC_NODES, "client2"), vpnha=True)
# Has a charon of its own, and probes as well: IKE_SA_INIT and IKE_AUTH.
BESIDE, OF_A_PROBE = "client1", 2
CALM_S = 10
IKEV2 = ("vips = 0.0.0.0", "id = probe@example.com", SERVER_ID)
IKEV1 = ("", "", L2TP.vip_outside)


def account(kind: tuple[str, str, str], secret: str) -> str:
    wanted, own, server = kind
    return f"""\
connections {{
    probe {{
        proposals = {IKE_PROPOSALS}
        {wanted}
        local {{
            auth = psk
            {own}
        }}
        remote {{
            auth = psk
            id = {server}
        }}
    }}
}}
secrets {{
    ike-probe {{
        secret = "{secret}"
    }}
}}
"""


def probe(host: Node, protocol: str, kind: tuple[str, str, str], secret: str = SECRET) -> dict:
    return ask(host, protocol, account(kind, secret))


def steps(run: Run) -> None:
    live = begin_ipsec(run)
    live.spare_from_promoted()
    host = run.lab.node("client2")
    calm_from = run.lab.now()
    run.observe(CALM_S)
    begun = run.lab.now()
    for protocol, kind, names in (("ikev2", IKEV2, ["login", "address", "hang_up"]),
                                  ("ikev1", IKEV1, ["login", "hang_up"])):
        run.step(f"client2 logs in by {protocol}")
        done = probe(host, protocol, kind)
        run.expect(f"{protocol}_text", "has answered" in done["text"], is_true())
        run.expect(f"{protocol}_steps", [each["name"] for each in done["steps"]], equals(names))
    run.step("client2 probes with a wrong key")
    refused = probe(host, "ikev2", IKEV2, "another key")
    run.expect("refused", refused["exit_code"], equals(CRITICAL))
    run.expect("reason", "AUTHENTICATION_FAILED" in refused["text"], is_true())
    run.step(f"{BESIDE} probes beside its own charon")
    run.expect("beside_a_charon", probe(run.lab.node(BESIDE), "ikev2", IKEV2)["exit_code"],
               equals(OK))
    until = run.lab.now()
    live.stack.wait_protected(len(CLIENTS))
    seen = live.end()
    for name in CLIENTS:
        expect_no_gap(run, seen.client(name), (calm_from, begun), (begun, until))
        expect_nothing_else(run, seen.client(name),
                            ike_exchanges=OF_A_PROBE if name == BESIDE else 0)

# SPDX-License-Identifier: GPL-2.0-or-later
"""vpnha-probe logs in by L2TP within IPsec with test accounts, pings through, and hangs up.

Purpose: most phones and old Windows dial so. IKE, ESP, L2TP and PPP have to work together, and a
gateway that serves L2TP within IPsec only answers no L2TP in the clear. The probe's SAs are in a
network namespace of its own.

Topology: home1 -- home -- nat1 -- outside -- gw1, gw2, gw3 -- inside -- server; client1, client2 --
outside. home1 speaks L2TP/IPsec, client1 IKEv2; client2 is the monitoring host.

Steps: both dial and make traffic; client2 probes with the accounts, with a ping to the server
inside, then with a wrong secret of PPP, and with a wrong pre-shared key.

Expected: OK with each step in its order; CRITICAL with the refusal of PPP; CRITICAL. client2 has no
SA, no policy and no further device then. The sessions are
protected after it. The clients have no gap longer than 50 ms, or twice the longest of a calm time.
"""
from vpnlab.evidence.expectation import equals, is_empty
from vpnlab.host.node import Node
from vpnlab.host.topology import L2TP
from vpnlab.product.ipsec_gateway import SECRET
from vpnlab.product.ipsec_client import IKE_PROPOSALS
from vpnlab.product.l2tp_gateway import PASSWORD, USER, chap_secrets
from vpnlab.product.probes import SERVER_ADDRESS
from vpnlab.steps.ipsec.live import CLIENTS, IPSEC_NODES, begin_ipsec
from vpnlab.steps.promise import expect_unnoticed
from vpnlab.steps.promoted.probe_login import CRITICAL, ask, expect_refused, expect_whole
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=(*IPSEC_NODES, "client2"), vpnha=True)
IKE_ACCOUNT = "/etc/probe.ike"
CALM_S = 10
# A charon starts in each, and pppd on nodes that share a core.
PROBE_S = 20
STEPS = ["ipsec", "sccrq", "scccn", "icrq", "iccn", "lcp", "login", "address", "ping", "hang_up",
         "stopccn", "ipsec_end"]


def ike_account(secret: str) -> str:
    return f"""\
connections {{
    probe {{
        proposals = {IKE_PROPOSALS}
        local {{
            auth = psk
        }}
        remote {{
            auth = psk
            id = {L2TP.vip_outside}
        }}
        children {{
            probe {{
                esp_proposals = aes256-sha256
            }}
        }}
    }}
}}
secrets {{
    ike-probe {{
        secret = "{secret}"
    }}
}}
"""


def probe(host: Node, *more: str, password: str = PASSWORD, secret: str = SECRET) -> dict:
    host.put(IKE_ACCOUNT, ike_account(secret), mode=0o600)
    return ask(host, "l2tp-ipsec", chap_secrets(USER, password), "--ike-account", IKE_ACCOUNT,
               *more, timeout_s=PROBE_S)


def steps(run: Run) -> None:
    live = begin_ipsec(run)
    live.spare_from_promoted()
    host = run.lab.node("client2")
    devices = host.run("ls", "/sys/class/net").stdout.split()
    calm_from = run.lab.now()
    run.observe(CALM_S)
    begun = run.lab.now()
    run.step("client2 logs in by L2TP within IPsec")
    expect_whole(run, probe(host, "--ping", SERVER_ADDRESS), STEPS)
    expect_refused(run, probe(host, password="another"))
    run.expect("wrong_key", probe(host, secret="another key")["exit_code"], equals(CRITICAL))
    run.expect("sas", host.run("ip", "xfrm", "state").stdout.split(), is_empty())
    run.expect("policies", host.run("ip", "xfrm", "policy").stdout.split(), is_empty())
    run.expect("devices", host.run("ls", "/sys/class/net").stdout.split(), equals(devices))
    until = run.lab.now()
    live.stack.wait_protected(len(CLIENTS))
    seen = live.end()
    for name in CLIENTS:
        expect_unnoticed(run, seen.client(name), (calm_from, begun), (begun, until))

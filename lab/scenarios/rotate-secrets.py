# SPDX-License-Identifier: GPL-2.0-or-later
"""The rotate play changes the pre-shared key and a certificate under a live session.

Purpose: what the play vpnha.gateway.rotate promises: whoever dials in from now on needs the new
key, who is there goes on, and no standby is worth less afterwards.

Topology: gw1, gw2, gw3, each a newly installed Debian that the site play has set up; client1,
client2, client3 and server.

Steps: client1 dials in by L2TP/IPsec; the play runs under its traffic, with another key and another
certificate of the gateways, and runs again; client3 dials with the old key, client2 with the new
one. No fault.

Expected: the charons of all nodes have the new certificate, and the old one no more; client3 is
refused, client2 is served; client1 notices nothing, and both sessions are protected by both
standbys. No set-up differs, the second play changes nothing.
"""
import functools
import re

from vpnlab.evidence.expectation import equals, is_empty, is_true
from vpnlab.host.node import Node
from vpnlab.host.topology import DEFAULT_NODES
from vpnlab.product import pki
from vpnlab.product.charon import Charon
from vpnlab.product.ipsec_client import CONNECTION, L2tpIpsecClient
from vpnlab.product.ipsec_gateway import SECRET
from vpnlab.steps.promise import FAULT_FREE_MS, expect_only_silence
from vpnlab.steps.rollout import FRESH, begin, prepare
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=(*DEFAULT_NODES, "client2", "client3"), fresh=FRESH, faults=0)
NEW_SECRET = "another-lab-pre-shared-key"
OLD_NAME, NEW_NAME = "old.example.com", "new.example.com"
SUBJECT = re.compile(r"subject: +\"CN=([^\"]+)\"")
READY_S, REFUSED_S = 15, 10
AFTERWARDS_S = 5


def steps(run: Run) -> None:
    ansible = prepare(run)
    ansible.put_secrets(SECRET, pki.files(OLD_NAME))
    live = begin(run, ansible)
    live.dial("client1", dialler=L2tpIpsecClient)
    run.expect("certificates_before", certificates(run.lab.gateways), equals([OLD_NAME]))
    run.observe(AFTERWARDS_S)

    run.step("the rotate play")
    ansible.put_secrets(NEW_SECRET, pki.files(NEW_NAME))
    run.expect("rotate_play", ansible.play("rotate", "ansible-rotate.log").ok, is_true())
    run.expect("certificates", certificates(run.lab.gateways), equals([NEW_NAME]))
    run.expect("differences", [live.stack.differences(node) for node in run.lab.gateways],
               equals([[]] * len(FRESH)))
    run.step("client3 dials with the old key, client2 with the new one")
    run.expect("old_key_is_refused", refused(run, run.lab.node("client3")), is_true())
    live.dial("client2", dialler=functools.partial(L2tpIpsecClient, secret=NEW_SECRET))

    run.step("the rotate play once more")
    run.expect("changed_by_the_second", ansible.play("rotate", "ansible-again.log").changed,
               equals(dict.fromkeys(FRESH, 0)))
    run.expect("secrets_in_the_logs", ansible.secret_words(), is_empty())
    seen = live.end()
    for client in live.clients:
        expect_only_silence(run, seen.client(client.name), FAULT_FREE_MS)


def certificates(nodes: list[Node]) -> list[str]:
    """Whom the gateways' charons have certificates of, but for the authority's."""
    listed = "".join(node.run("swanctl", "--list-certs").stdout for node in nodes)
    return sorted({name for name in SUBJECT.findall(listed) if f"CN={name}" != pki.CA_NAME})


def refused(run: Run, node: Node) -> bool:
    """Whether a client with the old key gets no SA."""
    client = L2tpIpsecClient(node)
    client.start()
    run.wait_for(f"the daemons of {node.name} are ready", client.ready, READY_S)
    charon = Charon(node)
    charon.load()
    done = node.run("swanctl", "--initiate", "--child", CONNECTION, "--timeout", str(REFUSED_S),
                    check=False)
    charon.terminate(CONNECTION)
    return done.code != 0

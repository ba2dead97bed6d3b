# SPDX-License-Identifier: GPL-2.0-or-later
"""The rotate play: other secrets under a live session; and the window for the cluster's key.

Purpose: what docs/operate/upgrade.md promises of new secrets. Of the play vpnha.gateway.rotate:
whoever dials in from now on needs the new ones, who is there continues, and no standby is worth
less afterwards. Of the cluster's key: one window, and all is as before.

Topology: gw1, gw2, gw3, each a newly installed Debian that the site play has set up; client1,
client2, client3 and server.

Steps: client1 dials in by L2TP/IPsec; the play runs under its traffic, with another pre-shared key,
another password and another certificate, and runs again; client1 rekeys ESP; client3 dials with the
old secrets, client2 with the new ones. All hang up. Then the window: the cluster stops, standbys
first; the site play brings another key; client3, with the new secrets, dials in. No fault.

Expected: the charons of all nodes have the new certificate, and the old one no more; client3 is
refused, client2 is served; client1 notices no more than of a play that changes nothing, which keeps
a node's only CPU busy, too; both sessions are protected by both standbys. No set-up differs, the
second play changes nothing. After the window all nodes have the new key, one serves, the others are
in sync.
"""
import functools
import re

from vpnlab.evidence.expectation import at_most, equals, is_empty, is_true
from vpnlab.host.errors import LabError
from vpnlab.host.node import Node
from vpnlab.host.topology import DEFAULT_NODES, L2TP
from vpnlab.product import pki
from vpnlab.rollout.ansible import Ansible, Played
from vpnlab.product.charon import LOG, Charon
from vpnlab.product.dialler import MakeDialler
from vpnlab.product.ipsec_client import CONNECTION, L2tpIpsecClient
from vpnlab.product.probes import SERVER_ADDRESS
from vpnlab.steps.live import LEFTOVERS_LIMIT_S, Live
from vpnlab.steps.promise import (FAULT_FREE_MS, TAKEOVER_MS, Span, expect_only_silence,
                                  worst_gap_ms)
from vpnlab.steps.rollout import FRESH, begin, prepare
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=(*DEFAULT_NODES, "client2", "client3"), fresh=FRESH, faults=0)
NEW_SECRET, NEW_PASSWORD = "another-lab-pre-shared-key", "another-lab-password"
OLD_NAME, NEW_NAME = "old.example.com", "new.example.com"
SUBJECT = re.compile(r"subject: +\"(CN=[^\"]+)\"")
CHILD = re.compile(r"CHILD_SA (\S+) established")
CLUSTER_KEY = "/etc/corosync/authkey"
READY_S, REKEY_S, STOP_S = 15, 20, 120
AFTERWARDS_S = 5


def steps(run: Run) -> None:
    ansible = prepare(run)
    ansible.put_secrets(files=pki.files(OLD_NAME))
    live = begin(run, ansible)
    live.dial("client1", dialler=L2tpIpsecClient)
    live.spare_promoted()
    run.expect("certificates_before", certificates(run.lab.gateways), equals([f"CN={OLD_NAME}"]))
    run.observe(AFTERWARDS_S)

    run.step("the rotate play")
    ansible.put_secrets(NEW_SECRET, NEW_PASSWORD, pki.files(NEW_NAME))
    played, rotated = play(run, ansible, "ansible-rotate.log")
    run.expect("rotate_play", played.ok, is_true())
    run.expect("certificates", certificates(run.lab.gateways), equals([f"CN={NEW_NAME}"]))
    run.expect("differences", [live.stack.differences(node) for node in run.lab.gateways],
               equals([[]] * len(FRESH)))
    live.stack.wait_protected(1)
    run.step("client3 dials with the old secrets, client2 with the new ones")
    run.expect("old_secrets_are_refused", dials(run, L2tpIpsecClient), equals(False))
    with_new = functools.partial(L2tpIpsecClient, secret=NEW_SECRET, password=NEW_PASSWORD)
    live.dial("client2", dialler=with_new)

    run.step("the rotate play once more")
    played, calm = play(run, ansible, "ansible-again.log")
    run.expect("changed_by_the_second", played.changed, equals(dict.fromkeys(FRESH, 0)))
    run.observe(AFTERWARDS_S)
    rekey(run, live)
    live.hang_up()
    run.expect_nothing_left(run.lab.gateways, live.stack.leftovers, LEFTOVERS_LIMIT_S)

    change_cluster_key(run, live, ansible)
    run.expect("new_secrets_are_served", dials(run, with_new), is_true())
    run.expect("secrets_in_the_logs", ansible.secret_words(), is_empty())
    seen = live.measure()
    limit = max(FAULT_FREE_MS, 2 * (worst_gap_ms(seen.client("client1"), calm) or 0))
    run.expect("client1_gap_ms", worst_gap_ms(seen.client("client1"), rotated), at_most(limit))
    for client in live.clients:
        expect_only_silence(run, seen.client(client.name), TAKEOVER_MS)


def play(run: Run, ansible: Ansible, log: str) -> tuple[Played, Span]:
    """The rotate play, from when to when."""
    begun_at = run.lab.now()
    return ansible.play("rotate", log), (begun_at, run.lab.now())


def certificates(nodes: list[Node]) -> list[str]:
    """Whom the gateways' charons have certificates of, without the authority's."""
    listed = "".join(node.run("swanctl", "--list-certs").stdout for node in nodes)
    return sorted(set(SUBJECT.findall(listed)) - {pki.CA_NAME})


def dials(run: Run, make: MakeDialler) -> bool:
    """Whether client3, which is switched on for it, gets a session."""
    node = run.lab.node("client3")
    if not node.powered():
        run.lab.power_on(node.name)
    client = make(node, gateway=L2TP)
    client.start()
    run.wait_for(f"the daemons of {node.name} are ready", client.ready, READY_S)
    try:
        client.dial()
        run.wait_for(f"{node.name} has a session", client.dialled, READY_S)
    except LabError:
        return False
    finally:
        client.hang_up()
        run.wait_for(f"{node.name} has hung up", client.gone, READY_S)
        client.close()
        node.kill()
    return True


def rekey(run: Run, live: Live) -> None:
    """The session of before continues by new keys of ESP. They are exchanged by the IKE SA of
    before, which the old secret has made; so its client is measured no more."""
    run.step("client1 rekeys ESP")
    live.client.stop_traffic()
    node = live.client.node
    before = children(node)
    Charon(node).rekey(CONNECTION)
    run.wait_for("client1 has its new CHILD SA", lambda: children(node) > before, REKEY_S)
    run.expect("client1_answered", node.run("ping", "-c", "3", "-W", "2", SERVER_ADDRESS,
                                            check=False).code, equals(0))


def children(node: Node) -> int:
    return len(set(CHILD.findall(node.read_log(LOG))))


def change_cluster_key(run: Run, live: Live, ansible: Ansible) -> None:
    """As docs/operate/upgrade.md has it."""
    run.step("the window: all nodes stop, the site play brings another key")
    promoted = live.stack.wait_in_sync()
    before = promoted.get(CLUSTER_KEY)
    for node in (*(node for node in run.lab.gateways if node is not promoted), promoted):
        node.run("systemctl", "stop", "pacemaker.service", "corosync.service", timeout=STOP_S)
    ansible.put_cluster_key()
    run.expect("site_play_with_the_key", ansible.play("site", "ansible-key.log").ok, is_true())
    keys = {node.get(CLUSTER_KEY) for node in run.lab.gateways}
    run.expect("keys", [len(keys), before in keys], equals([1, False]))
    live.stack.wait_in_sync()

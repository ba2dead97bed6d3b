# SPDX-License-Identifier: GPL-2.0-or-later
"""Fresh Debian nodes that the collection's site play has made a cluster of gateways for L2TP/IPsec
and PPTP. They keep the relaxed token: what plays do to a cluster needs no fast one."""
from __future__ import annotations

from collections.abc import Sequence

from ..evidence.expectation import equals, is_empty, is_true
from ..host.node import Node
from ..host.power import node_files
from ..rollout.ansible import Ansible, Site, fence_device
from ..product.cluster import Cluster
from ..product.vpnha_stack import VpnhaStack
from .live import Live, Place, anywhere
from .run import Run

FRESH = ("gw1", "gw2", "gw3")
BOOT_LIMIT_S = 60
PAIR = ("gw1", "gw2")


# What two nodes have of fencing, as inventory/two-nodes.yml: a board each.
_DEVICES = [*(fence_device(f"fencing-{name}", "fence_lab", pcmk_host_list=name) for name in PAIR),
            fence_device("fencing-yield", "fence_vpnha", mode="yield", delay_ms="1700")]


def _levels(*levels: Sequence[str]) -> list[dict]:
    """Of each node; its own board is meant by `fencing`."""
    return [{"level": number, "target": name,
             "resource_ids": [f"fencing-{name}" if each == "fencing" else each for each in ids]}
            for name in PAIR for number, ids in enumerate(levels, 1)]


PAIR_FENCING = {
    "vpnha_fence_agent": "",
    "ha_cluster_resource_primitives": [
        *_DEVICES, fence_device("fencing-confirm", "fence_vpnha", mode="confirm")],
    "ha_cluster_stonith_levels": _levels(("fencing-yield", "fencing", "fencing-confirm"))}
# The same beside a witness, as the collection's README has it.
WITNESS_FENCING = {
    "vpnha_fence_agent": "",
    "ha_cluster_resource_primitives": [
        *_DEVICES, fence_device("fencing-duel", "fence_vpnha", mode="duel")],
    "ha_cluster_stonith_levels": _levels(("fencing-duel", "fencing"), ("fencing-yield", "fencing"))}


def connect_power(run: Run) -> None:
    """What the nodes need of the lab: its power switch, and the switch's agent. Returns when they
    let somebody in by ssh, too: systemd has more to start than what answers the lab."""
    Cluster(run.lab).prepare()
    for node in run.lab.gateways:
        wait_for_ssh(run, node)
        for path, (content, mode) in node_files(run.lab).items():
            node.put(path, content, mode=mode)


def wait_for_ssh(run: Run, node: Node) -> None:
    run.wait_for(f"sshd of {node.name} runs", lambda: node.run(
        "systemctl", "is-active", "ssh.service", check=False).code == 0, BOOT_LIMIT_S)


def prepare(run: Run, site: Site = Site()) -> Ansible:
    """The same, and an inventory of the nodes; nothing is installed yet."""
    connect_power(run)
    if site.witness:
        wait_for_ssh(run, run.lab.node(site.witness))
    ansible = Ansible(run.lab, run.lab.private_directory("ansible"), run.out, site)
    ansible.set_up()
    return ansible


def begin(run: Run, ansible: Ansible, place: Place = anywhere) -> Live:
    """The site play; the promoted role is at the wanted place, and nobody has dialled."""
    run.step("the site play")
    run.expect("site_play", ansible.play("site", "ansible-1.log").ok, is_true())
    stack = VpnhaStack(run.lab, Cluster(run.lab), ipsec=True)
    stack.wait_in_sync()
    dc = stack.cluster.status().dc
    active = stack.move_role(lambda name: place(name, dc))
    run.start_echo_server()
    return Live(run, stack, active, dc)


def play_again(run: Run, ansible: Ansible, in_check_mode: bool = False) -> None:
    """The site play once more changes nothing; nor would it once more, if `in_check_mode`. No
    secret is in Ansible's output so far."""
    run.step("the site play once more" + (", and in check mode" if in_check_mode else ""))
    nothing = {node.name: 0 for node in ansible.managed()}
    run.expect("changed_by_the_second", ansible.play("site", "ansible-2.log").changed,
               equals(nothing))
    if in_check_mode:
        run.expect("changed_in_check_mode", ansible.play(
            "site", "ansible-3.log", "--check", "--diff").changed, equals(nothing))
    run.expect("secrets_in_the_logs", ansible.secret_words(), is_empty())

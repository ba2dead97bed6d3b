# SPDX-License-Identifier: GPL-2.0-or-later
"""What clients who have dialled in have no business to send, and what of it gets past the rules of
the gateways: to a program of a node, or on to somebody else."""
from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterable, Sequence

from ..host.node import Node
from ..host.topology import L2TP
from ..product.client import VpnClient
from ..product.dialler import IKEV2
from ..product.ipsec_client import TUNNEL_ID
from ..product.probes import ECHO_PORT, SERVER_ADDRESS
from ..product.vpnha_stack import LEASE_PORT

TABLE = "lab_reached"
COROSYNC_PORT, SSH_PORT = 5405, 22
# As dialled_in.py has them.
FIRST_PORT = 30_000
# Behind all rules of the template. The translation of ports comes later.
COUNTING = f"""\
table inet {TABLE} {{
    set seen {{
        typeof th sport
        size 1000
        flags dynamic
    }}
    chain input {{
        type filter hook input priority 200; policy accept;
        th sport {FIRST_PORT}-{FIRST_PORT + 999} add @seen {{ th sport }}
    }}
    chain forward {{
        type filter hook forward priority 200; policy accept;
        th sport {FIRST_PORT}-{FIRST_PORT + 999} add @seen {{ th sport }}
    }}
}}
"""
REQID = re.compile(r"^src (\S+) dst (\S+)\n.*\breqid (\d+)", re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class Attempt:
    protocol: str
    source: str
    target: str
    port: int

    def __str__(self) -> str:
        return f"{self.protocol},{self.source},{self.target},{self.port}"


def own_ports(source: str, node: Node) -> list[Attempt]:
    """To ports of the node itself, at each address of it that a client knows or may guess."""
    return [Attempt(protocol, source, target, port)
            for target in (L2TP.ppp_local, L2TP.vip_inside, node.address("cluster0"))
            for port in (SSH_PORT, COROSYNC_PORT, LEASE_PORT) for protocol in ("udp", "tcp")]


def forged(others: Iterable[str], node: Node, other: Node) -> list[Attempt]:
    """With the address of an inside server, of other clients, and of another node."""
    return [Attempt("udp", source, target, port)
            for source in (SERVER_ADDRESS, *others, other.address("cluster0"))
            for target, port in ((SERVER_ADDRESS, ECHO_PORT), (L2TP.vip_inside, SSH_PORT),
                                 (node.address("cluster0"), LEASE_PORT))]


def to_other_node(source: str, other: Node) -> list[Attempt]:
    return [Attempt("udp", source, other.address("cluster0"), port)
            for port in (SSH_PORT, COROSYNC_PORT, LEASE_PORT)]


def lawful(source: str) -> Attempt:
    return Attempt("udp", source, SERVER_ADDRESS, ECHO_PORT)


def count(node: Node) -> None:
    """From now on passed() knows what passes through the node or reaches it."""
    node.run("nft", "-f", "-", stdin=COUNTING)


def try_all(client: VpnClient, attempts: Sequence[Attempt], gateways: Iterable[Node]
            ) -> list[str]:
    """Those that any of the nodes let pass."""
    nodes = [node for node in gateways if node.powered()]
    for node in nodes:
        node.run("nft", "flush", "set", "inet", TABLE, "seen")
    if client.protocol == IKEV2:
        open_tunnel(client.node, attempts)
    client.node.run_tool("hostile/dialled_in.py", client.dialled()[-1].interface,
                         *map(str, attempts))
    seen = set().union(*(passed(node) for node in nodes))
    return [str(each) for index, each in enumerate(attempts) if FIRST_PORT + index in seen]


def passed(node: Node) -> set[int]:
    """The source ports."""
    listed = json.loads(node.run("nft", "--json", "list", "set", "inet", TABLE, "seen").stdout)
    found = next(each["set"] for each in listed["nftables"] if "set" in each)
    return {each["elem"]["val"] if isinstance(each, dict) else each
            for each in found.get("elem", [])}


def open_tunnel(node: Node, attempts: Iterable[Attempt]) -> None:
    """The node's own policies let all of it into its ESP SA, as a hostile client's would."""
    source, target, reqid = next(
        found for found in REQID.findall(node.run("ip", "xfrm", "state").stdout)
        if found[1] == L2TP.vip_outside)
    for pair in dict.fromkeys((each.source, each.target) for each in attempts):
        node.run("ip", "xfrm", "policy", "update", "src", f"{pair[0]}/32", "dst", f"{pair[1]}/32",
                 "dir", "out", "if_id", str(TUNNEL_ID), "tmpl", "src", source, "dst", target,
                 "proto", "esp", "reqid", reqid, "mode", "tunnel")


def answers(node: Node, device: str, target: str) -> bool:
    """Whether the target answers an echo request by that device."""
    return node.run("ping", "-c", "3", "-i", "0.2", "-W", "1", "-I", device, target,
                    check=False).code == 0

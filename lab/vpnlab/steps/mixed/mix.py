# SPDX-License-Identifier: GPL-2.0-or-later
"""One gateway with clients of each protocol under traffic, users that RADIUS knows, accounts of
their sessions, and flows through NAT."""
from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping

from ...evidence.expectation import equals, is_empty
from ...host.node import Node
from ...host.topology import DEFAULT_NODES, L2TP, NAT
from ...product.client import VpnClient
from ...product.dialler import MakeDialler
from ...product.ipsec_client import (CERTIFICATE_ESN, EAP_GCM, Ikev2Client, Ikev2Kind,
                                     L2tpIpsecClient)
from ...product.l2tp_client import L2tpClient
from ...product.pptp_client import PptpDialler
from ...product.probes import ECHO_PORT, Pace
from ...product.radius_stack import RadiusStack
from ...product.vpnha_stack import CONFIG_FILE
from ...product.wireguard.stock import WireguardClient, peers_file
from ...traffic.nat import Streams, inside_captures, resets_sent, sources_seen
from ..live import Live
from ..run import Run

# Who has the flows through the gateway's NAT as well; and who shakes hands first, since a peer has
# a record before it does.
FLOWING, PEER = "client1", "client4"
# Of its client of IKEv2, slices have each in turn.
IKEV2_KINDS = (Ikev2Kind(), EAP_GCM, CERTIFICATE_ESN)
NODES = (*DEFAULT_NODES, "client2", "client3", PEER, NAT, "home1", "home2")
# Together so many clients ask as often as two of other scenarios do.
PACE = Pace(ping_s=0.05, record_s=0.1)
FIRST_PORT, STREAMS, INTERVAL_S = 40000, 10, 0.5
PORTS = f"{FIRST_PORT}-{FIRST_PORT + STREAMS - 1}"
# In place of nftables/gateway.nft: the server has a way to the clients, as the probes need it.
NAT_RULES = f"""\
table ip lab-flows {{
}}
delete table ip lab-flows
table ip lab-flows {{
    chain post {{
        type nat hook postrouting priority srcnat; policy accept;
        oifname "inside" ip saddr {L2TP.addresses} tcp sport {PORTS} snat to {L2TP.vip_inside}
    }}
}}
"""


def ikev2_kind(number: int) -> Ikev2Kind:
    """Of the slice, counted from 0 on."""
    return IKEV2_KINDS[number % len(IKEV2_KINDS)]


def clients(ikev2: Ikev2Kind) -> Mapping[str, MakeDialler]:
    """In the order in which they dial. Two of L2TP/IPsec are behind one NAT."""
    return {PEER: WireguardClient, FLOWING: L2tpClient, "home1": L2tpIpsecClient,
            "home2": L2tpIpsecClient, "client2": functools.partial(Ikev2Client, kind=ikev2),
            "client3": PptpDialler}


def serve_plain_l2tp(node: Node) -> None:
    """Beside L2TP within IPsec; after VpnhaStack.configure()."""
    toml = (node.read(CONFIG_FILE) or "").replace("required = true", "required = false", 1)
    node.put(CONFIG_FILE, toml, mode=0o640)


class MixedStack(RadiusStack):
    """L2TP both within IPsec and without, IKEv2, PPTP, WireGuard; accounting; NAT for some
    flows."""

    def __init__(self, run: Run) -> None:
        super().__init__(run.lab, ipsec=True, wireguard=peers_file([PEER]))

    def configure(self, node: Node) -> None:
        super().configure(node)
        serve_plain_l2tp(node)
        node.run("nft", "-f", "-", stdin=NAT_RULES)


@dataclasses.dataclass
class Flows:
    """Streams through NAT of one client, from beginning to end."""

    client: VpnClient
    streams: Streams

    @classmethod
    def begin(cls, live: Live) -> Flows:
        client = next(each for each in live.clients if each.name == FLOWING)
        return cls(client, Streams(live.run.lab, client.node, FIRST_PORT, STREAMS, INTERVAL_S,
                                   (client.interface,)))

    def end(self, run: Run) -> None:
        end = self.streams.stop()
        run.expect("streams_alive", end["alive"], equals(STREAMS))
        run.expect("streams_reset", end["resets"], equals(0))

    @staticmethod
    def expect_translated(run: Run) -> None:
        """In the captures of a run that was measured: the server knows each stream by one address
        and port, and no gateway has reset one."""
        captures = inside_captures(run.lab, run.out)
        own = {str(port) for port in range(FIRST_PORT, FIRST_PORT + STREAMS)}
        seen = {source for source in sources_seen(captures, ECHO_PORT)
                if source.rpartition(":")[2] in own}
        run.expect("flows_with_another_source",
                   sorted(seen ^ {f"{L2TP.vip_inside}:{port}" for port in own}), is_empty())
        run.expect("resets_to_the_server", resets_sent(captures, ECHO_PORT), equals(0))

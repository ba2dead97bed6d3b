# SPDX-License-Identifier: GPL-2.0-or-later
"""Stock charon, xl2tpd and pppd with the settings of a profile: players, not the real clients."""
from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping, Sequence

from ...host.node import Node
from ...host.topology import L2TP, VpnGateway
from ..dialler import Dialler, MakeDialler
from ..ipsec_client import (CBC, EAP_GCM, IKE_PROPOSALS, IKEV2_SETTINGS, L2TP_MTU, Ikev2Client,
                            L2tpIpsecClient, TransportOffer, authentication_of,
                            l2tp_ipsec_connections, tunnel_connections)
from ..l2tp_client import L2tpClient
from .profile import Play, Profile

L2TP_PORT = 1701
HOURS_S = 3600
# Bits of L2TP's header (RFC 2661 3.1), and its version.
HEADER_BITS = {"T": 0x8000, "L": 0x4000, "S": 0x0800, "O": 0x0200, "P": 0x0100}
VERSION_BITS = 0x000F
FILTER = "player"


def charon_settings(play: Play) -> str:
    """How often and when charon repeats a request."""
    options = [f"    {name} = {play.settings[setting]}\n" for name, setting in (
        ("retransmit_timeout", "retransmit_timeout_s"), ("retransmit_base", "retransmit_base"),
        ("retransmit_tries", "retransmit_tries")) if setting in play.settings]
    return f"charon {{\n{''.join(options)}}}\n" if options else ""


def transport_offer(play: Play) -> TransportOffer:
    """What the client of L2TP/IPsec asks charon for."""
    port = int(play.number("source_port", L2TP_PORT))
    return TransportOffer(
        ike=",".join(play.texts("ike_proposals", (IKE_PROPOSALS,))),
        esp=",".join(play.texts("esp_proposals", (CBC,))),
        selector=play.settings.get("selector", f"udp/{port}"),
        ike_rekey=_seconds(play, "ike_rekey_s", 8 * HOURS_S),
        child_rekey=_seconds(play, "child_rekey_s", HOURS_S),
        dpd=_seconds(play, "dpd_s", 0), child_options=_inactivity(play))


def ikev2_options(play: Play) -> Sequence[str]:
    mobike = "yes" if play.settings.get("mobike") else "no"
    return f"dpd_delay = {_seconds(play, 'dpd_s', 0)}", f"mobike = {mobike}"


def ppp_options(play: Play) -> list[str]:
    """Of pppd, beside those of every client; a later one wins."""
    options = [f"lcp-echo-interval {play.number('lcp_echo_s'):g}",
               f"lcp-echo-failure {play.number('lcp_echo_failures'):g}"]
    if "mru" in play.settings:
        options.append(f"mru {play.number('mru'):g}")
    if play.settings.get("lcp_echo_only_when_silent"):
        options.append("lcp-echo-adaptive")
    return options


def without_options(play: Play) -> list[str]:
    """Of pppd, that other clients of the lab have."""
    return ["novj"] if play.settings.get("vj") else []


def header_filter(bits: Sequence[str]) -> str:
    """Rules of nft by which a client loses each packet of L2TP with any other bit in its header,
    and counts what it loses and what comes."""
    others = 0xFFFF & ~(VERSION_BITS | sum(HEADER_BITS[bit] for bit in bits))
    return (f"add table inet {FILTER}\n"
            f"add counter inet {FILTER} came\nadd counter inet {FILTER} lost\n"
            f"add chain inet {FILTER} in {{ type filter hook input priority 0; }}\n"
            f"add rule inet {FILTER} in udp sport {L2TP_PORT} counter name came\n"
            f"add rule inet {FILTER} in udp sport {L2TP_PORT} "
            f"@th,64,16 & {others:#06x} != 0x0 counter name lost drop\n")


def counted(node: Node, table: str = FILTER) -> dict[str, int]:
    """The packets of each counter of an nftables table."""
    listed = json.loads(node.run("nft", "-j", "list", "counters", "table", "inet", table).stdout)
    return {each["counter"]["name"]: each["counter"]["packets"]
            for each in listed["nftables"] if "counter" in each}


def _seconds(play: Play, setting: str, otherwise: float) -> str:
    return f"{play.number(setting, otherwise):g}s"


def _inactivity(play: Play) -> Sequence[str]:
    return ((f"inactivity = {_seconds(play, 'inactivity_s', 0)}",)
            if play.number("inactivity_s") else ())


class PlayedIkev2(Ikev2Client):
    """A client of IKEv2 with EAP-MSCHAPv2, as phones and Windows log in."""

    def __init__(self, node: Node, play: Play, gateway: VpnGateway = L2TP) -> None:
        super().__init__(node, gateway, EAP_GCM)
        self._play = play

    def connections(self) -> str:
        play = self._play
        return tunnel_connections(
            self.gateway, ",".join(play.texts("ike_proposals", (IKE_PROPOSALS,))),
            ikev2_options(play), authentication_of(EAP_GCM.auth),
            ",".join(play.texts("esp_proposals", (CBC,))),
            _seconds(play, "child_rekey_s", HOURS_S), _inactivity(play),
            ike_rekey=_seconds(play, "ike_rekey_s", 8 * HOURS_S))

    def settings(self) -> str:
        return IKEV2_SETTINGS + charon_settings(self._play)


class PlayedL2tpIpsec(L2tpIpsecClient):
    """A client of L2TP/IPsec."""

    def __init__(self, node: Node, play: Play, gateway: VpnGateway = L2TP) -> None:
        super().__init__(node, gateway, ppp=ppp_options(play), without=without_options(play),
                         mtu=int(play.number("mtu", L2TP_MTU)),
                         port=int(play.number("source_port", L2TP_PORT)))
        self._play = play

    def start(self) -> None:
        super().start()
        bits = self._play.texts("header_bits")
        if bits:
            self.node.run("nft", "-f", "-", stdin=header_filter(bits))

    def connections(self) -> str:
        return l2tp_ipsec_connections(self.gateway, offer=transport_offer(self._play))

    def settings(self) -> str:
        return charon_settings(self._play)


def dialler_of(profile: Profile) -> MakeDialler:
    """What plays the client."""
    assert profile.play is not None
    if profile.protocol == "l2tp":
        return L2tpClient
    played: Mapping[str, Callable[..., Dialler]] = {"ikev2": PlayedIkev2,
                                                    "l2tp-ipsec": PlayedL2tpIpsec}
    return functools.partial(played[profile.protocol], play=profile.play)

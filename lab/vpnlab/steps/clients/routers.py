# SPDX-License-Identifier: GPL-2.0-or-later
"""What routers send within PPP, and pppd does not."""
from __future__ import annotations

from ...host.node import Node
from ...product.clients.profile import Play, Profile
from ..live import Live

MPLSCP, CCP = 0x8281, 0x80FD
CONFIGURE_REQUEST, TERMINATE_REQUEST = 1, 5
PPPD_LOG = "pppd.log"
# What the client's pppd logs of a Protocol-Reject and of a Terminate-Ack.
ANSWERS = ("rcvd [LCP ProtRej", "rcvd [CCP TermAck")
ANSWERED_S = 10


def control_packet(protocol: int, code: int, identifier: int, data: bytes = b"") -> bytes:
    """RFC 1661 5."""
    return b"".join((protocol.to_bytes(2, "big"), bytes((code, identifier)),
                     (4 + len(data)).to_bytes(2, "big"), data))


def frames_of(play: Play) -> list[bytes]:
    frames = []
    if play.settings.get("offers_mplscp"):
        frames.append(control_packet(MPLSCP, CONFIGURE_REQUEST, 1))
    if "ccp_terminate" in play.settings:
        frames.append(control_packet(CCP, TERMINATE_REQUEST, 2,
                                     play.settings["ccp_terminate"].encode("ascii")))
    return frames


def send_frames(live: Live, gateway: Node, profile: Profile) -> None:
    """To the gateway, within the client's session. Returns when each has an answer."""
    assert profile.play is not None
    frames = frames_of(profile.play)
    if not frames:
        return
    client = live.client
    session = next(each for each in live.stack.sessions(gateway) if each["protocol"] == "l2tp")
    live.run.step(f"{client.name} sends what no pppd sends: {len(frames)} frames of PPP")
    before = answers(client.node)
    client.node.run_tool("players/ppp_frames.py", client.gateway.vip_outside, "1701",
                         str(session["tunnel"]), str(session["session"]),
                         *(frame.hex() for frame in frames))
    live.run.wait_for("each frame is answered",
                      lambda: answers(client.node) >= before + len(frames), ANSWERED_S)


def answers(client: Node) -> int:
    log = client.read_log(PPPD_LOG)
    return sum(log.count(answer) for answer in ANSWERS)

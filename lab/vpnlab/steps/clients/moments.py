# SPDX-License-Identifier: GPL-2.0-or-later
"""Moments of a client at which its gateway loses its power: its request has been sent, and the
answer is lost with the gateway. The client repeats the request, which the next gateway answers."""
from __future__ import annotations

import re
from collections.abc import Callable
from typing import Protocol

from ...host.node import Node
from ...product.charon import (CREATE_CHILD_SA, LOG, LOST, QUICK_MODE, Charon, lose_ike,
                               lose_no_ike)
from ...product.clients.player import counted
from ...product.clients.profile import Profile
from ...product.dialler import IKEV2
from ...product.ipsec_client import CONNECTION
from ..live import Live
from ..promise import Span

# The gateway has taken the request up, and the standbys know what it may have made of it.
TAKEN_UP_S = 1.0
ASKED_S = 10
# Behind the time of a timer.
LATE_S = 15
# A message that is open is repeated 8 s after the third time at the latest.
QUIET_S = 10
ANSWER_S = 60
CALM_S = 3
CHILD = re.compile(r"CHILD_SA (\S+) established")
HELLO = "player_hello"
# A control message has the highest bit of the header set. One without content is as long as UDP's
# and L2TP's headers.
CONTROL, EMPTY_LENGTH = "@th,64,1 1", 20


class Moment(Protocol):
    """Cuts the power of the promoted gateway at that moment, and waits until the client's request
    is answered by the next one. Returns when that began and ended."""

    def __call__(self, live: Live, profile: Profile) -> Span: ...


def amid_rekey(live: Live, profile: Profile) -> Span:
    """The client asks for a new CHILD SA."""
    node = live.client.node
    exchange = CREATE_CHILD_SA if profile.protocol == IKEV2 else QUICK_MODE
    made = children(node)
    live.run.step(f"{node.name} asks for a new CHILD SA; the answer is lost with the gateway")
    active = live.stack.wait_in_sync()
    lose_ike(node, exchange)
    Charon(node).rekey(CONNECTION)
    live.run.wait_for("an answer is lost", lambda: counted(node, LOST).get("lost"), ASKED_S)
    return cut_amid(live, active, lambda: lose_no_ike(node),
                    "the next gateway has made the CHILD SA", lambda: children(node) > made)


def amid_hello(live: Live, profile: Profile) -> Span:
    """The client's L2TP asks whether the gateway lives. Its acknowledgements are lost."""
    assert profile.play is not None
    node = live.client.node
    active = live.stack.wait_in_sync()
    node.run("nft", "-f", "-", stdin=hello_filter())
    live.run.step(f"{node.name} sends a HELLO; the acknowledgement is lost with the gateway")
    live.run.wait_for("a HELLO is sent, and its acknowledgement lost",
                      lambda: sent_and_lost(node), profile.play.number("hello_s") + LATE_S)

    def let_in() -> None:
        node.run("nft", "flush", "chain", "inet", HELLO, "in")
    span = cut_amid(live, active, let_in, "nothing is open any more",
                    lambda: calm(live, node))
    node.run("nft", "delete", "table", "inet", HELLO)
    return span


MOMENTS: dict[str, Moment] = {"rekey": amid_rekey, "hello": amid_hello}


def cut_amid(live: Live, active: Node, let_in: Callable[[], None], what: str,
             is_answered: Callable[[], bool]) -> Span:
    """`let_in` ends the loss of answers: when the gateway that had sent them is dead."""
    live.run.observe(TAKEN_UP_S)
    begun = live.run.lab.now()
    live.cut_power(active, let_in)
    live.run.wait_for(what, is_answered, ANSWER_S)
    live.stack.wait_protected(1)
    live.run.observe(CALM_S)
    return begun, live.run.lab.now()


def children(client: Node) -> int:
    """CHILD SAs that the client has had."""
    return len(set(CHILD.findall(client.read_log(LOG))))


def hello_filter() -> str:
    """Rules of nft by which the client loses every control message, and counts its own."""
    return (f"add table inet {HELLO}\n"
            f"add counter inet {HELLO} lost\nadd counter inet {HELLO} sent\n"
            f"add chain inet {HELLO} in {{ type filter hook input priority 0; }}\n"
            f"add chain inet {HELLO} out {{ type filter hook output priority 0; }}\n"
            f"add rule inet {HELLO} in udp sport 1701 {CONTROL} counter name lost drop\n"
            f"add rule inet {HELLO} out udp dport 1701 {CONTROL} udp length > {EMPTY_LENGTH} "
            "counter name sent\n")


def sent_and_lost(client: Node) -> bool:
    counters = counted(client, HELLO)
    return bool(counters["sent"] and counters["lost"])


def calm(live: Live, client: Node) -> bool:
    """The client has not repeated a message for so long as it would have if it were open."""
    before = counted(client, HELLO)["sent"]
    live.run.observe(QUIET_S)
    return counted(client, HELLO)["sent"] == before

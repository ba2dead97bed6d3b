# SPDX-License-Identifier: GPL-2.0-or-later
"""The router between a home and the network outside: all who live there have one address."""
from __future__ import annotations

from ..host.lab import Lab
from ..host.topology import NAT

MASQUERADE = """\
table ip home {
    ct helper pptp {
        type "pptp" protocol tcp
    }
    chain helpers {
        type filter hook prerouting priority filter;
        iifname "home" tcp dport 1723 ct helper set "pptp"
    }
    chain post {
        type nat hook postrouting priority srcnat;
        oifname "outside" masquerade
    }
}
"""


def start_nat(lab: Lab) -> None:
    lab.node(NAT).run("nft", "-f", "-", stdin=MASQUERADE)

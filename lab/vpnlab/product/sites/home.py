# SPDX-License-Identifier: GPL-2.0-or-later
"""The router between a home and the network outside: all who live there have one address."""
from __future__ import annotations

from ...host.lab import Lab
from ...host.topology import NAT

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


def rebind(lab: Lab, first_port: int, gateway_port: int = 4500) -> None:
    """From now on who speaks from home to that port, IPsec's, has another port outside, of a
    thousand from that one on: a router that was started again, or forgot a flow."""
    nat = lab.node(NAT)
    nat.run("nft", "insert", "rule", "ip", "home", "post", "oifname", "outside", "udp", "dport",
            str(gateway_port), "masquerade", "to", f":{first_port}-{first_port + 999}")
    nat.run("conntrack", "--flush")

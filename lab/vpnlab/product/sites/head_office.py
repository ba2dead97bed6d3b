# SPDX-License-Identifier: GPL-2.0-or-later
"""Another site that gateways dial out to: stock pptpd and xl2tpd on a client's node, a net behind
each of the two, and the way back to a host of this site through the link that came up last. No
extension of ours is on it."""
from __future__ import annotations

import dataclasses

from ...host.node import Node
from ..l2tp_gateway import SECRETS, SERVER_NAME
from ..pptp_gateway import SERVER_OPTIONS, listens

USER, PASSWORD = "site one", "office-password"
SECRET_FILE = "/etc/vpnha/office.secret"
IP_UP = "/etc/ppp/ip-up"
LOG = "head-office.log"
PPTPD_CONF, PPTPD_OPTIONS = "/etc/office/pptpd.conf", "/etc/office/pptpd-options"
XL2TPD_CONF, L2TP_OPTIONS = "/etc/office/xl2tpd.conf", "/etc/office/l2tp-options"
XL2TPD_LOG = "office-xl2tpd.log"
XL2TPD_COMMAND = ("/usr/sbin/xl2tpd", "-D", "-c", XL2TPD_CONF, "-p", "/run/office/xl2tpd.pid",
                  "-C", "/run/office/l2tp-control")


@dataclasses.dataclass(frozen=True)
class Site:
    """What is reached through one link: the office's net, its end of the link, the address of a
    host of ours that the office reaches by it."""

    protocol: str
    net: str
    host: str
    local: str
    remotes: tuple[str, str]
    ours: str


PPTP_SITE = Site("pptp", "10.71.0.0/24", "10.71.0.1", "10.99.1.1", ("10.99.1.10", "50"),
                 "198.51.100.21")
L2TP_SITE = Site("l2tp", "10.72.0.0/24", "10.72.0.1", "10.99.2.1", ("10.99.2.10", "50"),
                 "198.51.100.22")
SITES = (PPTP_SITE, L2TP_SITE)


def secret_file(password: str = PASSWORD) -> str:
    """What pppd of the gateways reads."""
    return f'password "{password}"\n'


def ip_up() -> str:
    """The way back: by the link whose end of ours it is."""
    cases = "".join(f"{site.local}) ip route replace {site.ours}/32 dev $1 ;;\n" for site in SITES)
    return f"#!/bin/sh\ncase $4 in\n{cases}esac\n"


def options(mppe: bool) -> str:
    kept = [each for each in SERVER_OPTIONS if not each.startswith("lcp-echo")]
    words = ("require-mppe-128",) if mppe else ("noccp",)
    return "\n".join((f"name {SERVER_NAME}", *kept, *words, "lcp-echo-interval 10",
                      "lcp-echo-failure 3", f"logfile /var/log/{LOG}")) + "\n"


class HeadOffice:
    def __init__(self, node: Node) -> None:
        self.node = node

    @property
    def address(self) -> str:
        return self.node.address("outside")

    def configure(self) -> None:
        node = self.node
        for site in SITES:
            node.run("ip", "address", "add", f"{site.host}/24", "dev", "lo")
        node.put(SECRETS, f'"{USER}" * "{PASSWORD}" *\n', mode=0o600)
        node.put(IP_UP, ip_up(), mode=0o755)
        node.put("/etc/ppp/ip-down", "#!/bin/sh\n", mode=0o755)
        node.put(PPTPD_OPTIONS, options(mppe=True))
        node.put(L2TP_OPTIONS, options(mppe=False))
        node.put(PPTPD_CONF, f"option {PPTPD_OPTIONS}\nlisten {self.address}\n"
                 f"localip {PPTP_SITE.local}\nremoteip {'-'.join(PPTP_SITE.remotes)}\n")
        first, last = L2TP_SITE.remotes
        last = f"{first.rpartition('.')[0]}.{last}"
        node.put(XL2TPD_CONF, f"""\
[global]
listen-addr = {self.address}
port = 1701
[lns default]
ip range = {first}-{last}
local ip = {L2TP_SITE.local}
require chap = yes
refuse pap = yes
require authentication = yes
name = {SERVER_NAME}
length bit = yes
pppoptfile = {L2TP_OPTIONS}
""")
        node.run("mkdir", "-p", "/run/office")

    def start_pptpd(self) -> None:
        self.node.start("/usr/sbin/pptpd", "-f", "-c", PPTPD_CONF, stdout="/var/log/pptpd.log",
                        stderr="/var/log/pptpd.log")

    def start_xl2tpd(self) -> None:
        self.node.run("rm", "-f", "/run/office/l2tp-control")
        self.node.start(*XL2TPD_COMMAND, stdout=f"/var/log/{XL2TPD_LOG}",
                        stderr=f"/var/log/{XL2TPD_LOG}")

    def ready(self) -> bool:
        return listens(self.node) and self.node.read("/run/office/xl2tpd.pid") is not None

    def log(self) -> str:
        """Of all its pppds."""
        return self.node.read_log(LOG)

    def xl2tpd_log(self) -> str:
        return self.node.read_log(XL2TPD_LOG)

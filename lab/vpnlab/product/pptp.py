# SPDX-License-Identifier: GPL-2.0-or-later
"""Stock pptpd on the server and pptp-linux on a client: a session that crosses the gateway from the
inside, as any other flow of the client."""
from __future__ import annotations

import shutil

from ..host.errors import PackageMissing
from ..host.lab import Lab
from ..host.node import Background, Node
from .pptp_gateway import listens
from .probes import SERVER_ADDRESS

SERVER_END, CLIENT_END = "10.99.0.1", "10.99.0.10"
INTERFACE = "pptp0"
SERVER_OPTIONS = "/etc/ppp/options.pptp-server"
SERVER_CONFIG = "/run/lab/pptpd.conf"
CLIENT_LOG = "/var/log/pptp-pppd.log"
START_LIMIT_S = 15.0
DIAL_LIMIT_S = 20.0
# Smaller than what the outer session has room for. No MPPE: it is the path that is tested.
PPP_OPTIONS = ("noauth", "noccp", "novj", "nodefaultroute", "mtu 1200", "mru 1200", "debug")


class PptpServer:
    def __init__(self, lab: Lab, node: Node) -> None:
        """Returns when it listens."""
        for program, package in (("pptpd", "pptpd"), ("pptp", "pptp-linux")):
            if shutil.which(program, path="/usr/sbin:/usr/bin") is None:
                raise PackageMissing(f"apt-get install {package}")
        node.put(SERVER_OPTIONS, "\n".join(PPP_OPTIONS) + "\nlogfile /var/log/pptpd-pppd.log\n")
        node.put(SERVER_CONFIG, f"option {SERVER_OPTIONS}\nlisten {SERVER_ADDRESS}\n"
                 f"localip {SERVER_END}\nremoteip {CLIENT_END}\n")
        node.start("/usr/sbin/pptpd", "-f", "-c", SERVER_CONFIG, stdout="/var/log/pptpd.log",
                   stderr="/var/log/pptpd.log")
        lab.wait_for(f"pptpd of {node.name} listens", lambda: listens(node), START_LIMIT_S)


class PptpClient:
    def __init__(self, lab: Lab, node: Node) -> None:
        self._lab = lab
        self._node = node
        self._pppd: Background | None = None

    def dial(self) -> None:
        """Returns when the tunnel interface is up."""
        # The outer session's script would route the server into the inner one.
        self._pppd = self._node.start(
            "/usr/sbin/pppd", "pty", f"pptp {SERVER_ADDRESS} --nolaunchpppd --nohostroute",
            "nodetach", "noipdefault", "ifname", INTERFACE, "ip-up-script", "/bin/true",
            "ip-down-script", "/bin/true", "lcp-echo-interval", "2", "lcp-echo-failure", "10",
            "logfile", CLIENT_LOG, *(word for option in PPP_OPTIONS for word in option.split()),
            stdout="/var/log/pptp.log", stderr="/var/log/pptp.log")
        self._lab.wait_for(f"{INTERFACE} of {self._node.name} is up",
                           lambda: "remote IP address" in self.log(), DIAL_LIMIT_S)

    def hang_up(self) -> None:
        """Returns when pppd has ended; pptp clears the call and closes its connection."""
        assert self._pppd is not None
        self._pppd.stop()

    def log(self) -> str:
        return self._node.read(CLIENT_LOG) or ""

    def handshakes(self) -> int:
        """LCP and IPCP requests so far, of both sides."""
        return sum("ConfReq" in line for line in self.log().splitlines())

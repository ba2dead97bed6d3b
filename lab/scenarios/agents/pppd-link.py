# SPDX-License-Identifier: GPL-2.0-or-later
"""Two nodes keep a PPTP and an L2TP link to a head office; whoever has them redials, or the other.

Purpose: ocf:vpnha:pppd mode=link and cib-templates/pppd-link.crm. A link that dials out is no
session of a client: no node can resume it, so it is dialled again, and its routes are
rebuilt.

Topology: server -- inside -- gw1, gw2 (two_node) -- outside -- client1, the head office, with stock
pptpd and xl2tpd and a net behind each. server routes these nets by the addresses of the template.

Steps: both links come up on one node, and server pings a host in each net, ten times a second. The
head office's pptpd and its processes are killed, and come back 12 s later. Its xl2tpd and pppd are
killed, and xl2tpd is back at once. The power of the node with the links is cut. At the end both
are stopped as an administrator does it.

Expected: each time both nets answer again through rebuilt routes: after the peer's return within
BROKEN_PPTP_S, where only LCP's echoes show its loss within BROKEN_L2TP_S, after the power cut
within POWER_CUT_S. While the peer is away, Pacemaker has got 190, not a failure, and the link
stays where it is; the log has each redial. The stop ends PPP, the call and the tunnel towards
the head office, and leaves nothing.
"""
import re

from vpnlab.evidence.expectation import at_least, at_most, equals, is_empty
from vpnlab.host.node import Background, Node
from vpnlab.product.cluster import TEMPLATES, Cluster
from vpnlab.product.ipsec_client import SYSLOG
from vpnlab.product.pptp_gateway import pptp_leftovers
from vpnlab.product.sites.head_office import (L2TP_SITE, PPTP_SITE, SECRET_FILE, SITES, USER,
                                              HeadOffice, Site, secret_file)
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=("gw1", "gw2", "client1", "server"), faults=3, vpnha=True)
AWAY_S = 12
# From the return of the peer: redialled each 5 s, and a dial takes 1 to 2 s.
BROKEN_PPTP_S = 10
# From the loss: three echoes in 30 to 40 s, 5 s until the redial, the dial.
BROKEN_L2TP_S = 60
# From the power cut: Corosync's token, fencing, the dial.
POWER_CUT_S = 10
UP_LIMIT_S = 90.0
ENDED_LIMIT_S = 5.0
SUFFIX = {PPTP_SITE: "", L2TP_SITE: "-l2tp"}
VIPS = {PPTP_SITE: "198.51.100.100", L2TP_SITE: "198.51.100.101"}
TOGETHER = ('<rsc_colocation id="links-together" score="INFINITY" rsc="pppd-link-l2tp" '
            'with-rsc="pppd-link"/>')


class Pings:
    """Of a host behind a link, by the address that the head office answers through that link."""

    def __init__(self, node: Node, site: Site) -> None:
        self._node = node
        self._log = f"ping-{site.protocol}.log"
        self._process: Background = node.start(
            "ping", "-n", "-D", "-i", "0.1", "-I", site.ours, site.host,
            stdout=f"/var/log/{self._log}", stderr=f"/var/log/{self._log}")

    def answers(self) -> list[float]:
        return [float(found[1]) for found in
                re.finditer(r"^\[([\d.]+)\] \d+ bytes from", self._node.read_log(self._log), re.M)]

    def answered_since(self, t: float) -> bool:
        return any(answer > t for answer in self.answers())

    def silence_s(self, since: float) -> float:
        """The longest one that ended since then."""
        times = self.answers()
        gaps = [late - early for early, late in zip(times, times[1:]) if late >= since]
        return round(max(gaps, default=float("inf")), 1)

    def stop(self) -> None:
        self._process.stop()


def steps(run: Run) -> None:
    cluster = Cluster(run.lab)
    server = run.lab.node("server")
    office = HeadOffice(run.lab.node("client1"))

    def holder(site: Site) -> str:
        return ",".join(cluster.status().on("pppd-link" + SUFFIX[site]))

    def reported_degraded(node: Node, site: Site) -> bool:
        """Was 190 the last that the monitor of the link has reported to Pacemaker? That logs what
        has changed, and keeps in the CIB that it once was so."""
        seen = re.findall(rf"Result of monitor operation for pppd-link{SUFFIX[site]} on \S+: (\S+)",
                          node.read_log("pacemaker/pacemaker.log"))
        return seen[-1:] == ["OCF_DEGRADED"]

    def log_of(node: Node) -> str:
        return node.read_log(SYSLOG)

    run.step("the head office, and corosync and pacemaker on two gateways")
    office.configure()
    office.start_pptpd()
    office.start_xl2tpd()
    run.wait_for("the head office listens", office.ready, 15)
    cluster.up()
    for node in cluster.nodes:
        node.run_tool("syslog.py", f"/var/log/{SYSLOG}")
        node.put(SECRET_FILE, secret_file(), mode=0o600)
    server.run("ip", "address", "add", f"{L2TP_SITE.ours}/24", "dev", "inside")
    for site in SITES:
        server.run("ip", "route", "add", site.net, "via", VIPS[site])
    cluster.configure(TEMPLATES / "pppd-link.crm", *(
        {"SUFFIX": SUFFIX[site], "PROTOCOL": site.protocol, "PEER": office.address, "LOGIN": USER,
         "SECRET_FILE": SECRET_FILE, "LINK": f"link-{site.protocol}", "ROUTES": site.net,
         "ADDRESSES": f"{VIPS[site]}/24", "INTERFACE": "inside"} for site in SITES))
    cluster.nodes[0].run("cibadmin", "--create", "--scope=constraints", "--xml-text", TOGETHER)
    cluster.wait_status("both links are up on one node", lambda seen: (
        len(seen.on("pppd-link")) == 1 and seen.on("pppd-link") == seen.on("pppd-link-l2tp")
        == seen.on("vip-link") == seen.on("vip-link-l2tp")), UP_LIMIT_S)
    cluster.tune()
    first = run.lab.gateway(holder(PPTP_SITE))
    pings = {site: Pings(server, site) for site in SITES}
    for site in SITES:
        run.wait_for(f"{site.host} answers", pings[site].answers, 10)
    run.observe(2)

    run.step("pptpd of the head office dies with its calls")
    office.node.kill_processes("pptpd|pptpctrl")
    lost_at = run.lab.now()
    run.wait_for("a monitor has reported that the link is redialled",
                 lambda: reported_degraded(first, PPTP_SITE), 30)
    run.observe(max(0.0, lost_at + AWAY_S - run.lab.now()))
    run.step("pptpd is back")
    office.start_pptpd()
    back_at = run.lab.now()
    run.wait_for("the PPTP net answers again", lambda: pings[PPTP_SITE].answered_since(back_at), 60)
    run.expect("broken_pptp_s", round(min(t for t in pings[PPTP_SITE].answers() if t > back_at)
                                      - back_at, 1), at_most(BROKEN_PPTP_S))
    run.wait_for("the monitor is content again",
                 lambda: not reported_degraded(first, PPTP_SITE), 30)
    run.expect("stayed", holder(PPTP_SITE), equals(first.name))

    run.step("xl2tpd of the head office dies with its sessions, and is back at once")
    lost_at = run.lab.now()
    office.node.kill_processes("xl2tpd")
    # Those that it started: PPTP's have died with pptpctrl and come anew.
    office.node.run("pkill", "-KILL", "-f", "pppd.*l2tp-options")
    office.start_xl2tpd()
    run.observe(3)
    run.wait_for("the L2TP net answers again", lambda: pings[L2TP_SITE].answered_since(lost_at + 3),
                 BROKEN_L2TP_S + 60)
    run.expect("broken_l2tp_s", pings[L2TP_SITE].silence_s(lost_at), at_most(BROKEN_L2TP_S))
    run.wait_for("the monitor is content", lambda: not reported_degraded(first, L2TP_SITE), 30)
    run.expect("stayed_l2tp", holder(L2TP_SITE), equals(first.name))
    # crm_mon lists a degraded monitor among the failures; it counts as none.
    run.expect("failures", [each for each in cluster.status().failures
                            if "OCF_DEGRADED" not in each], is_empty())
    for site in SITES:
        name = "pppd-link" + SUFFIX[site]
        run.expect(f"logged_lost_{site.protocol}", log_of(first).count(f"{name}: lost after"),
                   at_least(1))
        run.expect(f"logged_redialled_{site.protocol}",
                   len(re.findall(rf"{name}: up on link-\S+ after \d+ s, redialled",
                                  log_of(first))), at_least(1))

    other = next(node for node in cluster.nodes if node is not first)
    run.observe(2)
    run.step(f"power cut of {first.name}, which has the links; the DC is {cluster.status().dc}")
    cut_at = run.lab.now()
    first.power_off()
    for site in SITES:
        run.wait_for(f"the {site.protocol} net answers through {other.name}",
                     lambda: pings[site].answered_since(cut_at + 1), 90)
    run.observe(1)
    for site in SITES:
        run.expect(f"power_cut_{site.protocol}_s", pings[site].silence_s(cut_at),
                   at_most(POWER_CUT_S))
        run.expect(f"holder_after_{site.protocol}", holder(site), equals(other.name))
        routes = other.run("ip", "route", "show", site.net).stdout
        run.expect(f"route_{site.protocol}", f"dev link-{site.protocol}" in routes, equals(True))

    run.step("an administrator stops both links")
    for each in pings.values():
        each.stop()
    before = office.log(), office.xl2tpd_log()
    for site in SITES:
        other.run("crm_resource", "--resource", "pppd-link" + SUFFIX[site], "--meta",
                  "--set-parameter", "target-role", "--parameter-value", "Stopped")
    cluster.wait_status("both have stopped", lambda seen: not (
        seen.on("pppd-link") or seen.on("pppd-link-l2tp")))
    office_log = office.log()[len(before[0]):]
    run.expect("terminated_by_peer", office_log.count("LCP terminated by peer"), at_least(2))

    def tunnels_ended() -> int:
        return office.xl2tpd_log()[len(before[1]):].count("(Server closing)")
    run.wait_for("the head office's tunnel has ended", tunnels_ended, ENDED_LIMIT_S)
    run.expect("tunnels_ended", tunnels_ended(), equals(1))
    run.expect("failures_at_the_end", cluster.status().failures, is_empty())
    run.expect_nothing_left([other], lambda node: pptp_leftovers(node) + [
        f"process: xl2tpd {pid}" for pid in node.processes("xl2tpd")], deadline_s=5)
    run.measure()

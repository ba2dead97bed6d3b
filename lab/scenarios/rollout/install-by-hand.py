# SPDX-License-Identifier: GPL-2.0-or-later
"""From three empty machines to a gateway whose sessions survive, by install-by-hand.md alone.

Purpose: the page holds, word for word. The commands are taken from it, so it cannot drift from what
is run here.

Topology: gw1, gw2, gw3, each a newly installed Debian with the packages of setup/debs in
/srv/vpnha; root of gw1 may log in at the others; client1 and server.

Steps: each block of the page runs where it has to; client1 dials in before the last one. Then the
power of the promoted gateway is cut under client1's traffic. The lab changes five values of the
page: fence agent and its parameters, the user's password, token and consensus; the last two are the
page's own before the power cut.

Expected: no command fails. The session continues within 1 s as after any power cut: no setup of
L2TP, no PPP negotiation, no TCP reset.
"""
import dataclasses
from concurrent.futures import ThreadPoolExecutor

from vpnlab.host.node import Node
from vpnlab.host.topology import L2TP
from vpnlab.rollout.by_hand import DOCUMENT, Block, blocks, with_values
from vpnlab.product.cluster import COROSYNC_CONF_PATH, RELAXED, TUNED, Cluster
from vpnlab.product.l2tp_gateway import PASSWORD
from vpnlab.rollout.packages import APT, APT_LIMIT_S
from vpnlab.product.vpnha_stack import VpnhaStack
from vpnlab.steps.live import Live
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence
from vpnlab.steps.rollout import FRESH, connect_power
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(fresh=FRESH, faults=1)
GATEWAY = dataclasses.replace(L2TP, name="dialin")
EVERY, SERVING = "every node", "the node that serves"
TIMING = {f"token: {TUNED[0]}\n": f"token: {RELAXED[0]}\n",
          f"consensus: {TUNED[1]}\n": f"consensus: {RELAXED[1]}\n"}
VALUES = {**TIMING, "fence_virsh": "fence_lab", "secret-of-alice": PASSWORD,
          "ip=hypervisor username=fence identity_file=/etc/vpnha/fence.key": ""}
# Blocks for which an administrator waits, or of whom the page wants more than commands.
STARTED = "pacemaker.service"
STATUS = "vpnha status --check\n"
SESSIONS = "vpnha sessions\n"
NEWLINE = "\n"
WAIT_LIMIT_S = 180
AFTERWARDS_S = 5


def steps(run: Run) -> None:
    connect_power(run)
    let_in(run.lab.gateways[0], run.lab.gateways[1:])
    run.start_echo_server()
    stack = VpnhaStack(run.lab, Cluster(run.lab), gateways=(GATEWAY,))
    page = blocks(DOCUMENT.read_text(encoding="utf-8"))
    live = None
    for block in with_values(page, VALUES):
        run.step(f"on {block.place}: {block.commands.partition(NEWLINE)[0]}")
        if block.commands == STATUS:
            look(run, stack, block)
        elif block.commands == SESSIONS:
            live = dial(run, stack, block)
        else:
            do(run, block, places(run)[block.place])
            if STARTED in block.commands:
                stack.cluster.wait_status("crm_mon shows three nodes online",
                                          lambda status: status.quorate
                                          and status.online >= set(FRESH), WAIT_LIMIT_S)
    assert live is not None
    tune(run, next(block for block in page if f">{COROSYNC_CONF_PATH}" in block.commands))
    run.observe(AFTERWARDS_S)
    live.cut_power(live.active)
    stack.wait_protected(1)
    run.observe(AFTERWARDS_S)
    expect_only_silence(run, live.end().client("client1"), TAKEOVER_MS)


def let_in(node: Node, others: list[Node]) -> None:
    """As an administrator's root has it: from one node into the others by ssh."""
    node.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/root/.ssh/id_ed25519")
    node.put("/root/.ssh/config", "StrictHostKeyChecking accept-new\n", mode=0o600)
    for other in others:
        other.put("/root/.ssh/authorized_keys", node.get("/root/.ssh/id_ed25519.pub"), mode=0o600)


def places(run: Run) -> dict[str, list[Node]]:
    """What the page calls them."""
    return {EVERY: run.lab.gateways, **{node.name: [node] for node in run.lab.gateways}}


def do(run: Run, block: Block, nodes: list[Node]) -> None:
    """The commands of a block, as root's shell takes them; what they print goes to the run's
    directory. The first that fails is an error."""
    def on(node: Node) -> None:
        done = node.run("bash", "-ec", block.commands, env=APT, timeout=APT_LIMIT_S, cwd="/root")
        with open(run.out / f"by-hand-{node.name}.log", "a", encoding="utf-8") as log:
            log.write(f"# on {block.place}\n{block.commands}{done.stdout}{done.stderr}")
    with ThreadPoolExecutor(max_workers=len(nodes)) as pool:
        list(pool.map(on, nodes))


def look(run: Run, stack: VpnhaStack, block: Block) -> None:
    """Until nothing is amiss."""
    stack.wait_in_sync(WAIT_LIMIT_S)
    run.wait_for("nothing is amiss", lambda: all(
        node.run("bash", "-ec", block.commands, check=False).code == 0
        for node in places(run)[block.place]), WAIT_LIMIT_S)


def dial(run: Run, stack: VpnhaStack, block: Block) -> Live:
    """client1's session, as the page has it shown."""
    active = stack.wait_in_sync()
    live = Live(run, stack, active, stack.cluster.status().dc)
    live.dial("client1", gateway=GATEWAY)
    do(run, block, [active])
    return live


def tune(run: Run, block: Block) -> None:
    """The page's own token, from now on."""
    do(run, block, run.lab.gateways)
    run.lab.gateways[0].run("corosync-cfgtool", "-R")

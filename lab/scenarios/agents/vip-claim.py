# SPDX-License-Identifier: GPL-2.0-or-later
"""Three nodes share an address without sessions; whoever has it answers, and the next one soon.

Purpose: ocf:vpnha:vip and cib-templates/vip-gateway.crm, for services that need no session of the
dead node: an address moves when its service or its node dies, and for no other reason.

Topology: client1 -- outside -- gw1, gw2, gw3; the service that sends its host's name runs on all.

Steps: client1 asks the address 50 times a second. The service of the holder is killed (SIGKILL);
that node's failure is forgotten; so ROUNDS times, each time where the address is then. The power of
the next holder is cut; it is switched on again. The preference of the primary is raised above the
stickiness.

Expected: the primary starts; after the death of its service another node answers within
SERVICE_OUTAGE_MS (the median; the worst within SERVICE_OUTAGE_MAX_MS), after the power cut within
WAITING_MS; a node that recovered or came back is a candidate by itself and takes nothing; the
primary is back when asked; never two owners.
"""
import statistics

from vpnlab.evidence.expectation import at_most, equals, is_empty
from vpnlab.host.node import Node
from vpnlab.host.topology import VIP_OUTSIDE
from vpnlab.product.cluster import DIRECTORY, TEMPLATES, Cluster
from vpnlab.steps.promise import WAITING_MS
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.traffic.names import NameClient, longest_silence_ms

SCENARIO = Scenario(nodes=("gw1", "gw2", "gw3", "client1"), faults=1, vpnha=True)
PRIMARY = "gw2"
PREFERRED = ('<rsc_location id="vip-primary" rsc="vip" score="200" node="' + PRIMARY + '"/>')
# 0.05 to 0.2 s until the monitor has failed, which runs every 150 ms; 0.28 s until Pacemaker acts;
# then the stop, the metadata and the start of the address, which take 0.45 s in nodes of the lab
# that share cores, and 0.1 s on a machine: the second that was promised is measured there, by
# tests/bench/run --only address.
SERVICE_OUTAGE_MS = 1150
SERVICE_OUTAGE_MAX_MS = 1500
ROUNDS = 3
MOVE_OUTAGE_MS = 600
SETTLE_S = 3
PORT = 7003


def steps(run: Run) -> None:
    cluster = Cluster(run.lab)
    client = NameClient(run.lab.node("client1"), VIP_OUTSIDE, PORT)

    def prepare(node: Node) -> None:
        node.put("/etc/init.d/names", (DIRECTORY / "cluster" / "names.lsb").read_bytes(),
                 mode=0o755)

    def holder() -> str:
        return ",".join(cluster.status().on("vip"))

    def wait_settled(what: str, count: int) -> None:
        cluster.wait_status(what, lambda seen: len(seen.on("vip")) == 1
                            and len(seen.on("service")) == count)

    def silence_since(t: float) -> float:
        """The longest silence from then on; returns when another one may not still begin."""
        run.observe(SETTLE_S)
        return longest_silence_ms(client.answers(), t, run.lab.now())

    run.step("corosync and pacemaker start on three gateways, the address on one")
    cluster.up()
    for node in cluster.nodes:
        prepare(node)
    cluster.configure(TEMPLATES / "vip-gateway.crm", {
        "SUFFIX": "", "ADDRESSES": f"{VIP_OUTSIDE}/24 2001:db8::100/64", "INTERFACE": "outside",
        "SERVICE": "lsb:names", "PRIMARY": PRIMARY})
    wait_settled("one node has the address, all run the service", 3)
    run.expect("first_holder", holder(), equals(PRIMARY))
    cluster.tune()
    client.start()
    run.wait_for("client1 is answered", client.answers, 10)
    begun = run.lab.now()
    run.expect("calm_ms", silence_since(begun), at_most(200))

    outages = []
    for number in range(1, ROUNDS + 1):
        struck = run.lab.gateway(holder())
        cluster.spare_successors(struck)
        run.step(f"the service of {struck.name} is killed")
        killed_at = run.lab.now()
        struck.run("sh", "-c", "kill -KILL $(cat /run/names.pid)")
        client.wait_other(run, struck.name)
        outages.append(silence_since(killed_at))
        next_holder = client.answers()[-1].name
        run.step(f"{next_holder} has the address; the failure of {struck.name} is forgotten")
        struck.run("crm_resource", "--cleanup")
        wait_settled(f"{struck.name} is a candidate again", 3)
        run.observe(SETTLE_S)
        run.expect(f"sticky_after_failure_{number}", holder(), equals(next_holder))
    run.expect("service_outage_ms", statistics.median(outages), at_most(SERVICE_OUTAGE_MS))
    run.expect("service_outage_max_ms", max(outages), at_most(SERVICE_OUTAGE_MAX_MS))

    second = run.lab.gateway(holder())
    cluster.spare_successors(second)
    run.step(f"power cut of {second.name}; the DC is {cluster.status().dc}")
    cut_at = run.lab.now()
    second.power_off()
    client.wait_other(run, second.name)
    run.expect("outage_ms", silence_since(cut_at), at_most(WAITING_MS))
    third = client.answers()[-1].name

    run.step(f"{third} has the address; {second.name} is switched on again")
    cluster.power_on(second.name)
    prepare(second)
    cluster.join(second.name)
    wait_settled(f"{second.name} is a candidate again", 3)
    cluster.tune()
    run.observe(SETTLE_S)
    run.expect("sticky_after_return", holder(), equals(third))

    other = next(node for node in cluster.nodes if node.name != third)
    wanted = PRIMARY if third != PRIMARY else other.name
    run.step(f"{wanted} is preferred more than the address sticks")
    asked_at = run.lab.now()
    other.run("cibadmin", "--modify", "--scope=constraints", "--xml-text",
              PREFERRED.replace(PRIMARY, wanted))
    client.wait_other(run, third)
    run.expect("move_outage_ms", silence_since(asked_at), at_most(MOVE_OUTAGE_MS))
    run.expect("holder_when_asked", holder(), equals(wanted))
    run.expect("failures", cluster.status().failures, is_empty())

    client.stop(run.out / "answers.log")
    seen = run.measure()
    run.expect("owners_max", seen.vip.owners_max, equals(1))

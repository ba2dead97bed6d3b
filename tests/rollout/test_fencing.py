# SPDX-License-Identifier: GPL-2.0-or-later
"""What the role refuses of the fencing of an inventory."""
import inventories
import plays
import pytest
from inventories import (CONFIRM, DUEL, THREE, TWO, VPNHA, YIELD, board, device, fencing, level,
                         one_for_all)

BOARDS = [board(node) for node in THREE]
VPNHA_FIRST = [each for node in THREE for each in (level(1, node, "fencing-vpnha"),
                                                   level(2, node, f"fencing-{node}"))]
CONFIRMED = [level(1, node, "fencing-yield", f"fencing-{node}", "fencing-confirm")
             for node in TWO]
DUELLED = [level(1, node, "fencing-duel", f"fencing-{node}") for node in TWO]
YIELDED_NEXT = [level(2, node, "fencing-yield", f"fencing-{node}") for node in TWO]
RIGHT = {
    "a board of each node": (BOARDS, [], THREE, False),
    "fence_vpnha before them": ([*BOARDS, VPNHA], VPNHA_FIRST, THREE, False),
    "fence_vpnha before one device of all": (
        [one_for_all("fence_virsh", "ip=host"), VPNHA],
        [level(1, ".*", "fencing-vpnha", kind="target_pattern"),
         level(2, ".*", "fencing", kind="target_pattern")], THREE, False),
    "a hypervisor": ([one_for_all("fence_virsh", 'ip=host pcmk_host_map="gw1:a;gw2:b;gw3:c"')],
                     [], THREE, False),
    "addresses of boards as plugs": (
        [one_for_all("fence_ipmilan",
                     'port_as_ip=1 pcmk_host_map="gw1:10.0.0.1;gw2:10.0.0.2;gw3:10.0.0.3"')],
        [], THREE, False),
    "two boards behind one address": (
        [board("gw1", ip="nat", ipport=6231), board("gw2", ip="nat", ipport=6232), board("gw3")],
        [], THREE, False),
    "sbd alone": ([], [], THREE, True),
    "two nodes": ([*BOARDS[:2], YIELD, CONFIRM], CONFIRMED, TWO, False),
    "two nodes and a witness": (
        [*BOARDS[:2], DUEL, YIELD], [*DUELLED, *YIELDED_NEXT], TWO, False),
}
# Words of the message.
WRONG = {
    "one board for all": ("the board 10.77.9.100 switches the machine that it is built into", (
        [one_for_all("fence_ipmilan", "username=admin ip=10.77.9.100")], [], THREE, False)),
    "one Redfish board for two": ("the device is for gw1, gw2: list a device", (
        [device("b", "fence_redfish", ip="b", pcmk_host_list="gw1,gw2"), board("gw3")], [], THREE,
        False)),
    "one board twice": ("fencing-gw1 and fencing-gw2 have the same board, shared", (
        [board("gw1", ip="shared"), board("gw2", ip="shared"), board("gw3")], [], THREE, False)),
    "no device": ("nothing switches gw1 off", ([], [], THREE, False)),
    "a node without a device": ("nothing switches gw3 off", (BOARDS[:2], [], THREE, False)),
    "a node that is none": ("fencing-gw3 is for gw3, which is no node", (
        [*BOARDS, YIELD, CONFIRM], CONFIRMED, TWO, False)),
    "a resource of the gateways": ("vip is no fence device", (
        [*BOARDS, {"id": "vip", "agent": "ocf:vpnha:vip"}], [], THREE, False)),
    "an id twice": ("two devices fencing-gw1", ([*BOARDS, board("gw1")], [], THREE, False)),
    "two nodes by a board each": ("the death of gw1 has to be confirmed", (
        BOARDS[:2], [], TWO, False)),
    "two nodes without confirm": ("the death of gw2 has to be confirmed", (
        [*BOARDS[:2], YIELD, CONFIRM],
        [CONFIRMED[0], level(1, "gw2", "fencing-yield", "fencing-gw2")], TWO, False)),
    "two nodes without yield": ("the death of gw1 has to be confirmed", (
        [*BOARDS[:2], CONFIRM], [level(1, node, f"fencing-{node}", "fencing-confirm")
                                 for node in TWO], TWO, False)),
    "yield behind power": ("mode=yield has to be before a power device", (
        [*BOARDS[:2], YIELD, CONFIRM],
        [level(1, node, f"fencing-{node}", "fencing-yield", "fencing-confirm") for node in TWO],
        TWO, False)),
    "confirm before power": ("mode=confirm has to be behind a power device", (
        [*BOARDS[:2], YIELD, CONFIRM],
        [level(1, node, "fencing-yield", "fencing-confirm", f"fencing-{node}") for node in TWO],
        TWO, False)),
    "confirm in a level of its own": ("mode=confirm has to be behind a power device", (
        [*BOARDS[:2], YIELD, CONFIRM],
        [each for node in TWO for each in (level(1, node, "fencing-yield", f"fencing-{node}"),
                                           level(2, node, "fencing-confirm"))], TWO, False)),
    "fence_vpnha of two nodes": ("by a majority of three nodes", (
        [*BOARDS[:2], VPNHA], VPNHA_FIRST[:4], TWO, False)),
    "two nodes and no level for a silent witness": ("gw1 has no level for a witness", (
        [*BOARDS[:2], DUEL], DUELLED, TWO, False)),
    "duel behind power": ("mode=duel has to be before a power device", (
        [*BOARDS[:2], DUEL, YIELD],
        [*(level(1, node, f"fencing-{node}", "fencing-duel") for node in TWO), *YIELDED_NEXT],
        TWO, False)),
    "duel of three nodes": ("mode=duel is for clusters of two nodes", (
        [*BOARDS, DUEL], [], THREE, False)),
    "yield of three nodes": ("mode=yield is for clusters of two nodes", (
        [*BOARDS, YIELD], [], THREE, False)),
    "fence_vpnha without levels": ("gw1 has no level", ([*BOARDS, VPNHA], [], THREE, False)),
    "a level for two of three": ("gw3 has no level", (
        [*BOARDS, VPNHA], VPNHA_FIRST[:4], THREE, False)),
    "fence_vpnha and nothing behind": ("nothing switches gw1 off", (
        [*BOARDS, VPNHA], [level(1, node, "fencing-vpnha") for node in THREE], THREE, False)),
    "another node's board": ("fencing-gw2 does not fence gw1", (
        BOARDS, [level(1, "gw1", "fencing-gw2"), level(2, "gw1", "fencing-gw1")], THREE, False)),
    "a device that is none": ("fencing-gw9 is no device", (
        BOARDS, [level(1, "gw1", "fencing-gw9")], THREE, False)),
    "a level twice": ("level 1 of gw1 is there twice", (
        BOARDS, [level(1, "gw1", "fencing-gw1"), level(1, "gw1", "fencing-gw1")], THREE, False)),
    "a level of nobody": ("no node of the cluster is meant", (
        BOARDS, [level(1, "gw7", "fencing-gw1")], THREE, False)),
    "a level without a target": ("needs one of target, target_pattern", (
        BOARDS, [{"level": 1, "resource_ids": ["fencing-gw1"]}], THREE, False)),
    "a level that is none": ("levels are 1 to 9", (
        BOARDS, [level(10, "gw1", "fencing-gw1")], THREE, False)),
    "a mode that is none": ("mode=ask is none of", (
        [*BOARDS, device("v", "fence_vpnha", mode="ask")], [], THREE, False)),
    "sbd of two nodes": ("sbd without a disk takes three nodes", (
        [*BOARDS[:2], YIELD, CONFIRM], CONFIRMED, TWO, True)),
}


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_fencing_has_no_fault(name: str):
    assert fencing.fencing_faults(*RIGHT[name]) == []


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_fencing_is_named(name: str):
    words, given = WRONG[name]
    assert words in "; ".join(fencing.fencing_faults(*given))


@pytest.mark.parametrize("name", ["example.yml", "two-nodes.yml"])
def test_the_example_inventories_are_right(name: str):
    devices, levels, nodes = inventories.example(name)
    assert fencing.fencing_faults(devices, levels, nodes) == []
    boards = [fencing.Device(each, nodes) for each in devices if "ipmilan" in each["agent"]]
    assert [each.hosts for each in boards] == [[node] for node in nodes]
    assert len({each.board for each in boards}) == len(nodes)


def test_the_quick_start_is_right(site: plays.Site):
    values = inventories.group_of("quick-start.yml")
    given = {name: values["vars"][name] for name in ("vpnha_fence_agent", "vpnha_fence_parameters")}
    played = site.play(plays.inventory(len(values["hosts"]), **given), tasks=("fencing",))
    assert played.ok, played.output
    # A user copies it, and changes values: a name that no file explains helps nobody.
    explained = (plays.ROOT / "ansible/roles/vpnha/meta/argument_specs.yml").read_text("utf-8")
    assert [name for name in values["vars"]
            if not name.startswith("ansible_") and f"      {name}:" not in explained] == []
    known = inventories.EXAMPLES / "example.yml"
    assert [name for each in values["vars"]["vpnha_instances"] for name in each
            if f"{name}:" not in known.read_text("utf-8")] == []


@pytest.mark.parametrize("kind", ["target", "target_pattern", "target_attribute"])
def test_a_name_counts_before_a_pattern_and_that_before_an_attribute(kind: str):
    kinds = ["target_attribute", "target_pattern", "target"]
    given = [level(1, {"target": "gw1"}.get(each, "gw"), each, kind=each)
             for each in kinds[:kinds.index(kind) + 1]]
    found = fencing.levels_of("gw1", [fencing.Level(each) for each in given])
    assert [each.ids for each in found] == [[kind]]


def test_the_role_refuses_before_it_writes_anything(site: plays.Site):
    """The example of once: one board for three machines."""
    listed = plays.inventory(3, vpnha_fence_agent="fence_ipmilan",
                             vpnha_fence_parameters="username=admin ip=10.77.9.100")
    played = site.play(listed, tasks=("fencing",))
    assert not played.ok and WRONG["one board for all"][0] in played.output, played.output
    tasks = (plays.ROOT / "ansible/roles/vpnha/tasks/main.yml").read_text("utf-8")
    assert tasks.index("fencing.yml") < tasks.index("packages.yml")


def test_the_role_refuses_two_nodes_whose_death_nobody_confirms(site: plays.Site):
    played = site.play(plays.inventory(2), tasks=("fencing",))
    assert not played.ok and "the death of gw1 has to be confirmed" in played.output

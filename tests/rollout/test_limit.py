# SPDX-License-Identifier: GPL-2.0-or-later
"""A play with --limit: what is the cluster's is not made from the nodes that are left."""
import plays

NODES = ("gw1", "gw2", "gw3")
LIMITED = ("--limit", "gw1")
WHOLE = ("whole", *plays.FIRST_PLAY, "resources")


def refused(played: plays.Played) -> bool:
    return not played.ok and "Run the play without --limit" in played.output


def test_a_second_play_with_a_limit_changes_nothing(site: plays.Site):
    before = site.text("gw1", "corosync/corosync.conf")
    played = site.play(plays.inventory(3), *LIMITED, tasks=WHOLE)
    assert (played.ok, played.changed) == (True, 0), played.output
    assert site.text("gw1", "corosync/corosync.conf") == before
    assert before.count("nodeid:") == 3 and "two_node: 0" in before


def test_a_node_that_is_installed_anew_gets_what_the_others_have(site: plays.Site):
    site.add_node("gw1")
    played = site.play(plays.inventory(3), *LIMITED, tasks=WHOLE)
    assert played.ok, played.output
    for path in ("corosync/corosync.conf", "vpnha/vpnha.toml", "vpnha/cluster.crm",
                 "ppp/chap-secrets", "swanctl/conf.d/vpnha.conf"):
        assert site.text("gw1", path) == site.text("gw2", path) != "", path


def test_a_new_node_is_not_brought_in_alone(site: plays.Site):
    site.add_node("gw4")
    played = site.play(plays.inventory(4), "--limit", "gw4", tasks=WHOLE)
    assert refused(played), played.output
    assert "gw1 /etc/corosync/corosync.conf;" in played.output
    assert "vpnha.toml" not in played.output
    assert site.text("gw4", "corosync/corosync.conf") == ""


def test_a_gateway_is_not_changed_on_some_nodes(site: plays.Site):
    before = site.text("gw1", "vpnha/vpnha.toml")
    listed = plays.inventory(3)
    listed[plays.GROUP]["vars"]["vpnha_instances"][0]["pools"] = ["10.200.0.0/16"]
    played = site.play(listed, *LIMITED)
    assert refused(played) and "gw2 /etc/vpnha/vpnha.toml;" in played.output, played.output
    assert site.text("gw1", "vpnha/vpnha.toml") == before


def test_secrets_are_not_changed_on_some_nodes(site: plays.Site):
    users = [{"name": "alice", "password": "another-one"}]
    played = site.play(plays.inventory(3, vpnha_users=users), *LIMITED)
    assert refused(played) and "gw3 /etc/ppp/chap-secrets;" in played.output, played.output
    assert "another-one" not in played.output
    (site.directory / "authkey").write_bytes(b"n" * 256)
    played = site.play(plays.inventory(3), *LIMITED)
    assert refused(played) and "gw2 /etc/corosync/authkey;" in played.output, played.output


def test_the_cluster_s_configuration_is_not_changed_beside_other_nodes(site: plays.Site):
    listed = plays.inventory(3, vpnha_fence_parameters="ip=host2")
    played = site.play(listed, *LIMITED, tasks=WHOLE)
    assert refused(played) and "gw2 /etc/vpnha/cluster.crm;" in played.output, played.output
    assert "crm " not in site.calls("gw1")


def test_a_node_that_does_not_answer_is_named(site: plays.Site):
    listed = plays.inventory(3)
    listed[plays.GROUP]["hosts"]["gw3"].update(ansible_connection="ssh", ansible_port=1,
                                               ansible_host="127.0.0.1")
    played = site.play(listed, *LIMITED)
    assert refused(played), played.output
    assert "gw3 /etc/corosync/corosync.conf;" in played.output
    assert "gw2 /" not in played.output


def test_nodes_that_are_left_out_are_asked_whether_they_are_healthy(site: plays.Site):
    played = site.play(plays.inventory(3), *LIMITED, tasks=("healthy",))
    assert played.ok, played.output
    assert ["vpnha status --check" in site.calls(node) for node in NODES] == [True] * 3


def test_each_node_knows_whether_the_cluster_has_its_configuration(site: plays.Site):
    """A first node that is down in one play must not take the change of it for done, or undone."""
    assert len({site.text(node, "vpnha/cluster.crm") for node in NODES}) == 1
    (site.directory / "gw3" / "etc" / "vpnha" / "cluster.crm").write_text("old")
    played = site.play(plays.inventory(3), tasks=WHOLE)
    assert played.ok, played.output
    assert "crm configure load update " in site.calls("gw1")
    assert len({site.text(node, "vpnha/cluster.crm") for node in NODES}) == 1


def test_a_configuration_that_was_refused_is_loaded_by_the_next_play(site: plays.Site):
    program = site.directory / "gw1" / "bin" / "crm"
    works = program.read_text("utf-8")
    program.write_text(works + "exit 1\n", encoding="utf-8")
    listed = plays.inventory(3, vpnha_fence_parameters="ip=host2")
    assert not site.play(listed, tasks=("resources",)).ok
    program.write_text(works, encoding="utf-8")
    played = site.play(listed, tasks=("resources",))
    assert played.ok, played.output
    assert site.calls("gw1").count("crm configure load update ") == 2
    assert "ip=host2" in site.text("gw3", "vpnha/cluster.crm")
    assert site.text("gw1", "vpnha/cluster.crm.new") == ""


def test_a_new_node_is_known_before_it_is_waited_for(site: plays.Site):
    site.add_node("gw4")
    played = site.play(plays.inventory(4), tasks=("whole", "cluster"))
    assert played.ok, played.output
    calls = site.calls("gw1").split("\n")
    assert calls.index("corosync-cfgtool -R") < calls.index("crm_mon --one-shot --output-as=xml")


def test_only_what_is_left_out_is_made_from_the_hosts_of_a_play():
    """Whatever else asks for them has other nodes in a play with a limit."""
    used = {path.relative_to(plays.ROOT / "ansible"): line.split(":")[0]
            for suffix in ("yml", "j2") for path in (plays.ROOT / "ansible").rglob(f"*.{suffix}")
            for line in path.read_text("utf-8").splitlines() if "ansible_play_hosts_all" in line}
    assert {str(path): name for path, name in used.items()} == {
        "roles/vpnha/vars/main.yml": "vpnha_left_out"}

# SPDX-License-Identifier: GPL-2.0-or-later
"""Cluster configuration and status, without a lab."""
from __future__ import annotations

import re
import shutil
import types
import xml.etree.ElementTree as ElementTree

import pytest
from vpnlab.host.errors import LabError
from vpnlab.host.topology import NODES
from vpnlab.product import cluster
from vpnlab.steps.todays_stack import Service

GATEWAYS = [types.SimpleNamespace(name=name, spec=NODES[name], address=NODES[name].address)
            for name in ("gw1", "gw2", "gw3")]
VARIABLES = {"NODES": "gw1 gw2 gw3", "GATEWAY": "l2tp", "SUFFIX": "",
             "XL2TPD_CONFIG": "/etc/x.conf", "PPTPD_CONFIG": "/etc/p.conf",
             "SWANCTL_CONFIG": "/etc/s.conf",
             "FENCE_AGENT": "fence_lab", "FENCE_PARAMETERS": "",
             "VIP_OUTSIDE": "192.0.2.100", "VIP_INSIDE": "198.51.100.100",
             "ADDRESSES": "192.0.2.9/24 2001:db8::9/64", "INTERFACE": "outside",
             "SERVICE": "ocf:heartbeat:Dummy", "PRIMARY": "gw2", "DAEMON": "xl2tpd",
             "PRIMITIVES": Service("pptpd", "", "").primitive, "MORE": "pptpd"}
STATUS = """<pacemaker-result api-version="2.25"><summary>
<current_dc present="true" name="gw2" id="2" with_quorum="true"/></summary>
<nodes><node name="gw1" id="1" online="true" pending="false"/>
<node name="gw2" id="2" online="true" pending="false"/>
<node name="gw3" id="3" online="true" pending="true"/></nodes>
<resources><clone id="c">
<resource id="checkpoint" role="Promoted" active="true" failed="false"><node name="gw1"/></resource>
<resource id="checkpoint" role="Unpromoted" active="true" failed="false">
<node name="gw2"/></resource>
</clone>
<resource id="vip" role="Starting" active="true" failed="false"><node name="gw1"/></resource>
<resource id="svc:0" role="Started" active="true" failed="true"><node name="gw1"/></resource>
</resources>
<failures><failure op_key="svc_start_0" node="gw1" exitstatus="error" exitreason="why"/></failures>
</pacemaker-result>"""


def test_slow_nodes_have_more_time_for_actions_and_nothing_else():
    text = "meta failure-timeout=15s op start interval=0 timeout={}s op monitor timeout={}s"
    assert cluster.for_slow_nodes(text.format(20, 7), 4) == text.format(80, 28)


def test_corosync_conf_is_well_formed_and_complete():
    text = cluster.corosync_conf(GATEWAYS, cluster.TUNED)
    assert text.count("{") == text.count("}")
    # corosync wants every brace and key on a line of its own.
    assert all(re.fullmatch(r"\s*(#.*|}|\w+ {|\w+: .+|)", line) for line in text.splitlines())
    assert "token: 650\n" in text and "consensus: 780\n" in text
    assert text.count("knet_ping_interval: 200") == 2
    assert "link_mode: active\n" in text
    assert "ring0_addr: 10.77.1.3" in text and "ring1_addr: 10.77.2.3" in text
    assert "crypto_cipher: aes256\n" in text and "crypto_hash: sha256\n" in text
    assert "@" not in text


def test_corosync_conf_encrypts_unless_it_is_disabled():
    text = cluster.corosync_conf(GATEWAYS, cluster.TUNED, encrypted=False)
    assert "crypto_cipher: none\n" in text and "crypto_hash: none\n" in text


def test_status_distinguishes_roles_from_transitions():
    status = cluster.parse_status(STATUS)
    assert status.quorate and status.dc == "gw2"
    assert status.online == {"gw1", "gw2"}
    assert status.on("checkpoint") == ["gw1", "gw2"]
    assert status.on("checkpoint", "Promoted") == ["gw1"]
    assert status.on("vip") == [] and status.on("svc") == []
    assert status.failures == ("svc_start_0 on gw1: error why",)


def test_fill_drops_comments_and_refuses_open_variables():
    assert cluster.fill("# why\na @B@\n", {"B": "c"}) == "a c\n"
    with pytest.raises(LabError, match="@B@"):
        cluster.fill("a @B@\n", {})


@pytest.mark.parametrize("path", [cluster.TEMPLATES / "l2tp-gateway.crm",
                                  cluster.TEMPLATES / "l2tp-ipsec-gateway.crm",
                                  cluster.TEMPLATES / "pptp-gateway.crm",
                                  cluster.TEMPLATES / "vip-gateway.crm",
                                  cluster.DIRECTORY / "cluster" / "control.crm.in"])
def test_templates_are_verified_configurations(path):
    assert shutil.which("crm") and shutil.which("crm_verify")
    cib = cluster.render_cib(cluster.fill(path.read_text(encoding="utf-8"), VARIABLES))
    options = {each.attrib["name"]: each.attrib["value"]
               for each in cib.iterfind("./configuration/crm_config//nvpair")}
    assert options["stonith-enabled"] == "true"
    assert options["no-quorum-policy"] == "freeze"
    assert options["fence-reaction"] == "panic"
    defaults = {each.attrib["name"]: each.attrib["value"]
                for each in cib.iterfind("./configuration/rsc_defaults//nvpair")}
    assert defaults == {"migration-threshold": "1", "failure-timeout": "60s",
                        "resource-stickiness": "100"}


def test_gateway_template_promotes_without_notifications():
    text = cluster.fill((cluster.TEMPLATES / "l2tp-gateway.crm").read_text("utf-8"), VARIABLES)
    cib = cluster.render_cib(text)
    meta = {each.attrib["name"]: each.attrib["value"]
            for each in cib.iterfind(".//clone[@id='checkpoint-clone']/meta_attributes/nvpair")}
    assert meta["promotable"] == "true" and meta["notify"] == "false"
    fenced = {each.attrib["name"] for each in cib.iterfind(".//primitive[@id='checkpoint']//op")
              if each.attrib.get("on-fail") == "fence"}
    assert fenced == {"demote", "stop"}


def without_charon(cib: ElementTree.Element) -> dict[str, str]:
    """What a template configures beside charon, by id."""
    return {each.attrib["id"]: ElementTree.tostring(each, encoding="unicode").strip()
            for section in ("crm_config/*", "rsc_defaults/*", "resources/*", "constraints/*")
            for each in cib.iterfind(f"./configuration/{section}")
            if "strongswan" not in each.attrib["id"]}


def test_gateway_with_charon_is_the_other_one_and_charon():
    plain, ipsec = (cluster.render_cib(cluster.fill((cluster.TEMPLATES / name).read_text("utf-8"),
                                                    VARIABLES))
                    for name in ("l2tp-gateway.crm", "l2tp-ipsec-gateway.crm"))
    assert without_charon(ipsec) == without_charon(plain)
    assert {(each.attrib["first"], each.attrib["first-action"], each.attrib["then"],
             each.attrib["then-action"]) for each in ipsec.iter("rsc_order")
            if "strongswan" in each.attrib["id"]} == {
        ("checkpoint-clone", "start", "strongswan-clone", "start"),
        ("strongswan-clone", "start", "checkpoint-clone", "promote")}
    monitors = ipsec.iterfind(".//primitive[@id='strongswan']//op[@name='monitor']")
    assert [each.attrib["interval"] for each in monitors] == ["2s", "10s"]


def test_gateway_with_pptpd_is_the_one_with_xl2tpd_but_for_the_daemon():
    l2tp, pptp = (cluster.render_cib(cluster.fill((cluster.TEMPLATES / name).read_text("utf-8"),
                                                  VARIABLES))
                  for name in ("l2tp-gateway.crm", "pptp-gateway.crm"))
    # What is configured, by id; not how crmsh has ordered it.
    texts = [text.replace("xl2tpd", "pptpd").replace("/etc/x.conf", "/etc/p.conf")
             for text in without_charon(l2tp).values()]
    assert sorted(texts) == sorted(without_charon(pptp).values())


def test_an_address_sticks_more_than_it_prefers_its_primary():
    text = cluster.fill((cluster.TEMPLATES / "vip-gateway.crm").read_text("utf-8"), VARIABLES)
    cib = cluster.render_cib(text)
    location = cib.find(".//rsc_location[@id='vip-primary']")
    assert location is not None and location.attrib["node"] == "gw2"
    stickiness = cib.find(".//rsc_defaults//nvpair[@name='resource-stickiness']")
    assert stickiness is not None
    assert 0 < int(location.attrib["score"]) < int(stickiness.attrib["value"])
    levels = [each.attrib["value"] for each in cib.iterfind(
        ".//primitive[@id='vip']//nvpair[@name='OCF_CHECK_LEVEL']")]
    assert levels == ["10"]


def test_both_templates_are_loaded_into_one_cluster():
    texts = [cluster.fill((cluster.TEMPLATES / name).read_text("utf-8"), VARIABLES)
             for name in ("l2tp-gateway.crm", "vip-gateway.crm")]
    cib = cluster.render_cib(*texts)
    names = {each.attrib["id"] for each in cib.iterfind(".//primitive")}
    assert names == {"fencing", "checkpoint", "xl2tpd", "vip", "service"}


def test_second_gateway_is_loaded_beside_the_first():
    text = (cluster.TEMPLATES / "l2tp-gateway.crm").read_text("utf-8")
    second = {**VARIABLES, "GATEWAY": "l2tp2", "SUFFIX": "-l2tp2", "XL2TPD_CONFIG": "/etc/y.conf"}
    cib = cluster.render_cib(cluster.fill(text, VARIABLES), cluster.fill(text, second))
    clones = {each.attrib["id"] for each in cib.iter("clone")}
    assert clones == {"fencing-clone", "checkpoint-clone", "xl2tpd-clone",
                      "checkpoint-l2tp2-clone", "xl2tpd-l2tp2-clone"}
    assert len(list(cib.iter("rsc_colocation"))) == len(list(cib.iter("rsc_order"))) == 2


def test_merging_keeps_what_pacemaker_wrote_itself():
    current = ElementTree.fromstring(
        '<configuration><crm_config><cluster_property_set id="o">'
        '<nvpair id="1" name="dc-version" value="2"/><nvpair id="2" name="a" value="old"/>'
        "</cluster_property_set></crm_config><resources><x/></resources></configuration>")
    cib = ElementTree.fromstring(
        '<cib><configuration><crm_config><cluster_property_set id="o">'
        '<nvpair id="2" name="a" value="new"/></cluster_property_set></crm_config>'
        "<resources><y/></resources></configuration></cib>")
    for section in ("crm_config", "resources", "constraints"):
        cluster.merge_section(current, cib, section)
    values = {each.attrib["name"]: each.attrib["value"] for each in current.iter("nvpair")}
    assert values == {"dc-version": "2", "a": "new"}
    assert [each.tag for each in current.find("resources")] == ["y"]

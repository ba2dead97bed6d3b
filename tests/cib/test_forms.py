# SPDX-License-Identifier: GPL-2.0-or-later
"""The crm text, the pcs script and the XML of a site make the same CIB, and crm_verify likes it."""
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
import sites


def test_the_other_forms_are_what_the_crm_texts_make():
    done = subprocess.run([sites.ROOT / "cib-templates" / "generate", "--check"],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_each_template_belongs_to_a_site():
    used = {path for _, parts in sites.ALL.values() for path, _ in parts}
    there = {f"{folder}/{path.stem}" for folder in ("cib-templates", "stonith")
             for path in (sites.ROOT / folder).glob("*.crm")}
    assert used == there


@pytest.mark.parametrize("site", sites.ALL)
def test_pcs_makes_what_crm_makes_without_clones_of_devices(site: str, tmp_path: Path):
    by_crm = sites.without_cloned_devices(sites.by_crm(site))
    assert not [each for each in by_crm.iter("clone") if "fencing" in each.attrib["id"]]
    assert sites.configuration(sites.by_pcs(site, tmp_path)) == sites.configuration(by_crm)


@pytest.mark.parametrize("site", sites.ALL)
def test_xml_makes_what_crm_makes(site: str, tmp_path: Path):
    assert (sites.configuration(sites.by_xml(site, tmp_path))
            == sites.configuration(sites.by_crm(site)))


@pytest.mark.parametrize("site", sites.ALL)
def test_crm_loads_the_texts_with_their_comments(site: str, tmp_path: Path, agents: Path):
    assert (sites.configuration(sites.by_crm_with_comments(site, tmp_path, agents))
            == sites.configuration(sites.by_crm(site)))


@pytest.mark.parametrize("site", sites.SITES)
def test_a_site_freezes_panics_and_unfences_nothing(site: str):
    options = {each.attrib["name"]: each.attrib["value"]
               for each in sites.by_crm(site).iterfind("./configuration/crm_config//nvpair")}
    assert options["stonith-enabled"] == "true"
    assert options["no-quorum-policy"] == "freeze"
    assert options["fence-reaction"] == "panic"
    # Two nodes have mode=yield instead, and both at once are one too many.
    assert "priority-fencing-delay" not in options
    text = ElementTree.tostring(sites.by_crm(site), encoding="unicode")
    assert "unfencing" not in text and 'value="on"' not in text


def test_an_xml_loaded_twice_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    wanted = sites.configuration(sites.by_crm("l2tp-ipsec"))
    nodes, parts = sites.ALL["l2tp-ipsec"]
    monkeypatch.setitem(sites.ALL, "l2tp-ipsec", (nodes, [*parts, *parts]))
    assert sites.configuration(sites.by_xml("l2tp-ipsec", tmp_path)) == wanted

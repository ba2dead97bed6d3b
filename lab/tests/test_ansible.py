# SPDX-License-Identifier: GPL-2.0-or-later
"""What Ansible receives of the lab, and what it prints."""
import re

from vpnlab.rollout.ansible import COLLECTION, RECAP, secret_words
from vpnlab.product.cluster import TUNED, corosync_conf
from vpnlab.product.ipsec_gateway import SECRET

OUTPUT = """\
PLAY RECAP *********************************************************************
gw1                        : ok=31   changed=2    unreachable=0    failed=0    skipped=0
gw2                        : ok=28   changed=0    unreachable=0    failed=1    skipped=3
"""


def test_the_recap_has_each_nodes_changes():
    assert [(found[0], found[2]) for found in RECAP.findall(OUTPUT)] == [("gw1", "2"), ("gw2", "0")]


def test_a_secret_in_the_output_of_ansible_is_found(tmp_path):
    (tmp_path / "ansible-1.log").write_text(OUTPUT, encoding="utf-8")
    assert secret_words(tmp_path, (SECRET,)) == []
    (tmp_path / "ansible-2.log").write_text(f'msg: "{SECRET}"\n', encoding="utf-8")
    assert secret_words(tmp_path, (SECRET, "unsent")) == [SECRET]


def test_the_role_has_the_tuned_profile():
    profile = corosync_conf([], TUNED).partition("totem {")[2].partition("quorum {")[0]
    wanted = {line.strip() for line in profile.splitlines() if ": " in line and "#" not in line}
    role = COLLECTION / "roles" / "vpnha"
    text = (role / "templates" / "corosync.conf.j2").read_text(encoding="utf-8")
    found = {line.strip() for line in text.splitlines()}
    found |= {f"{name}: {value}" for name, value in re.findall(
        r"\{name: (\w+), value: (\w+)\}", (role / "vars" / "main.yml").read_text("utf-8"))}
    # Of the template, not of the profile.
    wanted -= {"cluster_name: vpnha", "linknumber: 0", "linknumber: 1"}
    assert len(wanted) == 12
    assert wanted <= found

# SPDX-License-Identifier: GPL-2.0-or-later
"""What Ansible is told of the lab, and what it says."""
from vpnlab.product.ansible import RECAP, secret_words
from vpnlab.product.ipsec_gateway import SECRET

SAID = """\
PLAY RECAP *********************************************************************
gw1                        : ok=31   changed=2    unreachable=0    failed=0    skipped=0
gw2                        : ok=28   changed=0    unreachable=0    failed=1    skipped=3
"""


def test_the_recap_has_each_nodes_changes():
    assert [(found[0], found[2]) for found in RECAP.findall(SAID)] == [("gw1", "2"), ("gw2", "0")]


def test_a_secret_in_what_ansible_said_is_found(tmp_path):
    (tmp_path / "ansible-1.log").write_text(SAID, encoding="utf-8")
    assert secret_words(tmp_path) == []
    (tmp_path / "ansible-2.log").write_text(f'msg: "{SECRET}"\n', encoding="utf-8")
    assert secret_words(tmp_path) == [SECRET]

# SPDX-License-Identifier: GPL-2.0-or-later
"""What unattended-upgrades leaves alone, compared with what apt knows of the daemons."""
import re
import subprocess

import plays
import pytest
import yaml
from rendering import rendered

# What runs on a gateway, and what is only theirs.
SOURCES = {"corosync", "kronosnet", "libqb", "pacemaker", "pptpd", "ppp", "sbd", "strongswan",
           "xl2tpd"}
FILE = "apt/apt.conf.d/52vpnha"
DEFAULTS = yaml.safe_load((plays.ROOT / "ansible/roles/vpnha/defaults/main.yml").read_text("utf-8"))


def apt(*arguments: str) -> str:
    done = subprocess.run(["apt-cache", *arguments], capture_output=True, text=True, check=False,
                          env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"})
    return done.stdout


def of_the_daemons() -> list[str]:
    """All that apt would install for the role's packages and that is of the daemons' sources."""
    roots = [name for kind in ("", "_ppp", "_l2tp", "_pptp", "_ipsec", "_sbd")
             for name in DEFAULTS[f"vpnha{kind}_packages"]
             if "vpnha" not in name]
    closure = apt("depends", "--recurse", "--no-recommends", "--no-suggests", "--no-conflicts",
                  "--no-breaks", "--no-replaces", "--no-enhances", *roots)
    names = sorted(set(re.findall(r"(?m)^([a-z0-9][a-z0-9.+-]+)$", closure)))
    shown = apt("show", "--no-all-versions", *names).split("\n\n")
    sources = {}
    for block in shown:
        fields = dict(re.findall(r"(?m)^(Package|Source): (\S+)", block))
        if "Package" in fields:
            sources[fields["Package"]] = fields.get("Source", fields["Package"])
    return [name for name, source in sources.items() if source in SOURCES]


def held() -> list[str]:
    return re.findall(r'"(.*)";', rendered("unattended-upgrades.j2"))


def test_all_of_the_daemons_is_held_and_nothing_that_others_need():
    names = of_the_daemons()
    if "strongswan-libcharon" not in names or "libcpg4" not in names:
        pytest.skip("apt knows none of Debian's packages")
    patterns = held()
    # As unattended-upgrades compares them.
    assert [name for name in names if not any(re.match(each, name) for each in patterns)] == []
    assert not any(re.match(each, name) for each in patterns
                   for name in ("libssl3", "libc6", "openssl", "libcpg4-extra", "pppoe"))
    for name in ("vpnha", "vpnha-agents", "fence-agents-vpnha"):
        assert any(re.match(each, name) for each in patterns), name


def test_the_play_updates_what_it_keeps_others_from():
    assert set(of_the_daemons()) <= set(DEFAULTS["vpnha_security_packages"])


def test_packages_are_held_only_where_the_play_is_in_use(site: plays.Site):
    file = site.directory / "gw1/etc" / FILE
    for by_play in (True, False):
        played = site.play(plays.inventory(1, vpnha_security_by_play=by_play),
                           tasks=("unattended",))
        assert played.ok, played.output
        assert file.exists() == by_play


def test_a_package_that_the_release_does_not_have_is_passed_over(site: plays.Site):
    played = site.play(plays.inventory(1, vpnha_upgrade_programs="none",
                                       vpnha_upgrade_packages=["bash", "libbash1t64"]),
                       tasks=("upgrade",))
    assert played.ok, played.output
    assert played.changed == 0

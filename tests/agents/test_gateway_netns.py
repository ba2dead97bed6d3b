# SPDX-License-Identifier: GPL-2.0-or-later
"""gateway-netns (the program that $GATEWAY_NETNS names) prints where a gateway is."""
from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest


def gateway(name: str, number: int, netns: str = "") -> str:
    return f"""\
[gateway.{name}]
id = {number}
netns = "{netns}"
ppp_local = "10.{number}.0.1"
pools = ["10.{number}.1.0/24"]
[gateway.{name}.outside]
interface = "eth1"
addresses = ["192.0.2.{number}/24"]
[gateway.{name}.inside]
interface = "eth2"
addresses = ["198.51.100.{number}/24"]
[gateway.{name}.l2tp]
"""


def ask(path: Path, name: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([os.environ["GATEWAY_NETNS"], str(path), name], check=False,
                          capture_output=True, text=True, timeout=10)


@pytest.fixture(name="config")
def config_fixture(tmp_path: Path) -> Path:
    path = tmp_path / "vpnha.toml"
    path.write_text(gateway("west", 1) + gateway("east", 2, "apart"), encoding="utf-8")
    return path


@pytest.mark.parametrize(("name", "netns"), [("west", ""), ("east", "apart")])
def test_a_gateway_is_where_vpnha_toml_has_it(config: Path, name: str, netns: str):
    asked = ask(config, name)
    assert (asked.returncode, asked.stdout) == (0, netns + "\n"), asked.stderr


def test_what_it_cannot_determine_is_an_error(config: Path):
    assert ask(config, "north").returncode == 1
    assert "no such gateway" in ask(config, "north").stderr
    config.write_text("[gateway.west]\nnetns = \"../a\"\n", encoding="utf-8")
    assert "'netns'" in ask(config, "west").stderr

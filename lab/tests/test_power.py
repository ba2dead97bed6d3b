# SPDX-License-Identifier: GPL-2.0-or-later
"""The power service and its fence agent, with nodes that are only names."""
from __future__ import annotations

import subprocess
import threading
import xml.etree.ElementTree as ElementTree

import pytest
from vpnlab.host import power
from vpnlab.host.errors import NotFound

TOKEN = "secret"


class FakeNode:
    def __init__(self, name):
        self.name, self.on = name, True

    def powered(self):
        return self.on

    def kill(self):
        self.on = False


class FakeLab:
    name = "test"

    def __init__(self):
        self.nodes = {name: FakeNode(name) for name in ("gw1", "gw2")}

    @property
    def gateways(self):
        return list(self.nodes.values())

    def gateway(self, name):
        if name not in self.nodes:
            raise NotFound(f"no node {name!r}")
        return self.nodes[name]

    def power_on(self, name, wait=True):
        self.nodes[name].on = True


@pytest.fixture(name="lab")
def fixture_lab(tmp_path, monkeypatch):
    monkeypatch.setattr(power, "StateDirectory",
                        lambda name: type("State", (), {"path": tmp_path}))
    return FakeLab()


@pytest.fixture(name="fence")
def fixture_fence(lab, tmp_path):
    """Calls the real agent against a real server."""
    token_file = tmp_path / "token"
    token_file.write_text(TOKEN + "\n", encoding="ascii")
    server = power.PowerServer(("127.0.0.1", 0), power.PowerControl(lab, TOKEN))
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def call(*arguments, stdin=None, token=token_file):
        options = {"ip": "127.0.0.1", "ipport": server.server_address[1], "token_file": token}
        if stdin is None:
            words = [f"--{key.replace('_', '-')}={value}" for key, value in options.items()]
            return subprocess.run([power.fence_agent(), *words, *arguments], capture_output=True,
                                  text=True, check=False)
        lines = [f"{key}={value}" for key, value in options.items()]
        return subprocess.run([power.fence_agent()], input="\n".join([*lines, *stdin]) + "\n",
                              capture_output=True, text=True, check=False)
    yield call
    server.shutdown()
    server.server_close()


def test_off_cuts_the_power_of_that_node_only(lab, fence):
    assert fence("-o", "off", "-n", "gw1").returncode == 0
    assert [node.powered() for node in lab.gateways] == [False, True]


def test_arguments_come_on_stdin_too_with_old_names_comments_and_strangers(lab, fence):
    done = fence(stdin=["# comment", "nodename=gw2", "action=on", "action=off", "port=gw2"])
    assert done.returncode == 0, done.stderr
    assert [node.powered() for node in lab.gateways] == [True, False]


def test_status_has_a_code_for_off(fence):
    assert fence("-o", "status", "-n", "gw1").returncode == 0
    fence("-o", "off", "-n", "gw1")
    assert fence("-o", "status", "-n", "gw1").returncode == 2
    assert fence("-o", "on", "-n", "gw1").returncode == 0
    assert fence("-o", "status", "-n", "gw1").returncode == 0


def test_list_and_monitor(fence):
    assert fence("-o", "list").stdout == "gw1,\ngw2,\n"
    assert fence("-o", "monitor").returncode == 0


def test_failures_are_never_success(lab, fence, tmp_path):
    wrong = tmp_path / "wrong"
    wrong.write_text("guess", encoding="ascii")
    for done in (fence("-o", "off", "-n", "gw9"), fence("-o", "off"),
                 fence("-o", "melt", "-n", "gw1"), fence("-o", "off", "-n", "gw1", token=wrong),
                 fence("-o", "off", "-n", "gw1", "--token-file=/nowhere"),
                 fence("-o", "off", "-n", "gw1", "--ipport=1")):
        assert done.returncode == 1 and done.stderr.startswith("fence_lab: ")
    assert all(node.powered() for node in lab.gateways)


def test_metadata_follows_the_schema_of_fence_agents():
    text = subprocess.run([power.fence_agent(), "-o", "metadata"], capture_output=True, text=True,
                          check=True).stdout
    root = ElementTree.fromstring(text)
    assert "off" in [action.attrib["name"] for action in root.iter("action")]
    done = subprocess.run(["xmllint", "--noout", "--relaxng",
                           "/usr/share/cluster/relaxng/metadata.rng", "-"], input=text,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_what_was_done_is_logged_with_times(lab):
    control = power.PowerControl(lab, TOKEN)
    assert control.answer(f"{TOKEN} off gw1") == "ok"
    assert control.answer("guess off gw2") == "failed wrong token"
    (event,) = power.power_events(lab)
    assert (event.action, event.node, event.answer) == ("off", "gw1", "ok")
    assert event.done >= event.t

# SPDX-License-Identifier: GPL-2.0-or-later
"""ocf:vpnha:announce (the program that $OCF_AGENTS names) with a command alone, and the example of
one (docs/reference/cloud-address.example) against an API of the test. Beside a program of the test
in the place of announce-prefixes: announce_program_test.cpp has that. Writes below
/run/vpnha/announce, so it runs as root."""
from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

OK, ARGUMENTS, INSTALLED, CONFIGURED, NOT_RUNNING, DEGRADED = 0, 2, 5, 6, 7, 190
EXAMPLE = Path(__file__).resolve().parents[2] / "docs/reference/cloud-address.example"
FOLLOWER = """#!/bin/sh
cp "$1/started" '{path}/settings'
exec tail -f /dev/null
"""
# Nothing of a machine's own libexec is touched.
IN_PLACE = """mount -t tmpfs none /usr/libexec && mkdir /usr/libexec/vpnha &&
cp "$1" /usr/libexec/vpnha/announce-prefixes && exec "$2" "$3"
"""


class Place:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.program = path / "announce"
        self.program.symlink_to(os.environ["OCF_AGENTS"])
        self.follower = path / "follower"
        self.follower.write_text(FOLLOWER.format(path=path), "utf-8")
        self.follower.chmod(0o755)
        self.instance = f"test-{os.getpid()}"
        self.state = Path("/run/vpnha/announce") / self.instance
        self.parameters = {"gateway": "dialin", "command": "/bin/true",
                           "vpnha_config": "/nowhere/vpnha.toml"}

    def run(self, action: str) -> subprocess.CompletedProcess[str]:
        environment = {f"OCF_RESKEY_{name}": value for name, value in self.parameters.items()}
        return subprocess.run(
            ["unshare", "--mount", "sh", "-c", IN_PLACE, "sh", str(self.follower),
             str(self.program), action],
            capture_output=True, text=True, check=False, timeout=30,
            env={"OCF_RESKEY_CRM_meta_interval": "5000", **environment,
                 "OCF_RESOURCE_INSTANCE": f"{self.instance}:1",
                 "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HA_LOGFILE": str(self.path / "log")})

    def code(self, action: str) -> int:
        return self.run(action).returncode

    def pid(self) -> int:
        return int((self.state / "program").read_text("ascii").split()[0])


def runs(pid: int) -> bool:
    """A zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture(name="place")
def place_fixture(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    assert place.code("monitor") == NOT_RUNNING
    yield place
    assert place.code("stop") == OK
    assert place.code("monitor") == NOT_RUNNING
    shutil.rmtree(place.state, ignore_errors=True)


def test_the_program_runs_from_start_to_stop(place: Place):
    assert place.code("stop") == OK
    assert place.code("start") == OK
    first = place.pid()
    assert place.code("start") == OK
    assert place.code("monitor") == OK
    assert place.pid() == first
    assert place.code("stop") == OK
    assert not runs(first)


def test_a_program_that_died_is_started_again_and_nothing_fails(place: Place):
    assert place.code("start") == OK
    first = place.pid()
    os.kill(first, 9)
    assert place.code("monitor") == OK
    assert place.pid() != first
    assert "had died" in (place.path / "log").read_text("utf-8")


def test_other_parameters_start_it_anew(place: Place):
    assert place.code("start") == OK
    first = place.pid()
    place.parameters["command"] = "/bin/false"
    assert place.code("start") == OK
    assert place.pid() != first
    settings = json.loads((place.state / "started").read_text("utf-8"))
    assert settings["command"] == ["/bin/false", "dialin"]


def test_what_the_program_cannot_do_is_the_monitors_reason(place: Place):
    assert place.code("start") == OK
    (place.state / "trouble").write_text("the API is down", "utf-8")
    done = place.run("monitor")
    assert done.returncode == DEGRADED
    assert "the API is down" in done.stderr


@pytest.mark.parametrize("code, parameters", [
    (CONFIGURED, {"command": ""}),
    (CONFIGURED, {"command": "bin/true"}),
    (CONFIGURED, {"prefixes": "10.8.0.5/24"}),
    (CONFIGURED, {"prefixes": "10.8.0.0/24 10.8.0.0/24"}),
    (CONFIGURED, {"prefixes": "10.8.0.0"}),
    (CONFIGURED, {"prefixes": " ".join(f"10.8.{each}.0/24" for each in range(65))}),
    (INSTALLED, {"command": "/nowhere/command"}),
    (ARGUMENTS, {"prefixes": "10.8.0.0/24", "interface": "gone0"}),
    (ARGUMENTS, {"prefixes": "10.8.0.0/24", "interface": "lo"}),
])
def test_wrong_parameters_are_refused(place: Place, code: int, parameters: dict[str, str]):
    place.parameters.update(parameters)
    assert place.code("validate-all") == code
    assert place.code("start") == code
    assert place.code("monitor") == NOT_RUNNING


class Api(ThreadingHTTPServer):
    """Where each address leads; who asks without the token is refused."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), ApiHandler)
        self.servers: dict[str, str] = {}
        self.calls: list[str] = []
        # It answers, and does nothing.
        self.is_slow = False


class ApiHandler(BaseHTTPRequestHandler):
    def _answer(self, body: object, code: int = 200) -> None:
        self.send_response(code)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def _address(self) -> str:
        assert isinstance(self.server, Api)
        self.server.calls.append(f"{self.command} {self.path}")
        return self.path.rpartition("/")[2]

    def do_GET(self) -> None:  # noqa: N802 - the server's word
        assert isinstance(self.server, Api)
        address = self._address()
        if self.headers["Authorization"] != "Bearer secret":
            self._answer({}, 403)
            return
        self._answer({"server": self.server.servers.get(address, "")})

    def do_PUT(self) -> None:  # noqa: N802 - the server's word
        assert isinstance(self.server, Api)
        address = self._address()
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not self.server.is_slow:
            self.server.servers[address] = body["server"]
        self._answer({})

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(name="api")
def api_fixture() -> Iterator[Api]:
    api = Api()
    thread = threading.Thread(target=api.serve_forever)
    thread.start()
    yield api
    api.shutdown()
    thread.join()
    api.server_close()


def cloud_address(api: Api, path: Path, token: str = "secret") -> int:
    settings = path / "settings.env"
    settings.write_text(f"URL=http://127.0.0.1:{api.server_port}\nTOKEN={token}\nSERVER=gw2\n",
                        "utf-8")
    return subprocess.run([EXAMPLE, "dialin", "203.0.113.9/32", "203.0.113.10/32"],
                          env={"CLOUD_ADDRESS_SETTINGS": str(settings)}, check=False,
                          capture_output=True, timeout=30).returncode


def test_the_example_moves_addresses_by_an_api_once(api: Api, tmp_path: Path):
    api.servers["203.0.113.9"] = "gw1"
    assert cloud_address(api, tmp_path) == 0
    assert api.servers == {"203.0.113.9": "gw2", "203.0.113.10": "gw2"}
    api.calls.clear()
    assert cloud_address(api, tmp_path) == 0
    assert [each.split()[0] for each in api.calls] == ["GET", "GET"]


def test_the_example_fails_while_an_address_leads_elsewhere(api: Api, tmp_path: Path):
    api.is_slow = True
    assert cloud_address(api, tmp_path) != 0
    api.is_slow = False
    assert cloud_address(api, tmp_path, token="wrong") != 0
    assert cloud_address(api, tmp_path) == 0

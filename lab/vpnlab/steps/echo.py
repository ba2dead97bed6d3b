# SPDX-License-Identifier: GPL-2.0-or-later
"""vpnhad-echo in the place of vpnhad, and a client of its protocol beside a client of L2TP."""
from __future__ import annotations

import json

from ..evidence.expectation import at_least, equals, is_true
from ..host.errors import NotFound
from ..host.node import PYTHON, Node
from ..host.stage import BUILD, ROOT
from ..product.vpnha_stack import DAEMON_PATH
from .live import Live, begin, off_dc
from .run import Run

PROGRAM = BUILD / "tests" / "echo" / "vpnhad-echo"
CLIENT = ROOT / "tests" / "echo" / "client" / "echo_client.py"
PORT = 7007
INTERVAL_S = 0.01
START_LIMIT_S = 10.0
STOP_LIMIT_S = 10.0
_PLACE, _RESULT, _OUTPUT = "/run/lab/echo_client.py", "/run/lab/echo", "/run/lab/echo.out"


class EchoClient:
    """One session; returns when it is open."""

    def __init__(self, run: Run, node: Node, address: str) -> None:
        self._node = node
        node.put(_PLACE, CLIENT.read_bytes())
        self._process = node.start(*PYTHON, _PLACE, address, str(PORT), str(INTERVAL_S), _RESULT,
                                   stdout=_OUTPUT, stderr=_OUTPUT)
        run.wait_for("the session of echo is open",
                     lambda: "opened" in (node.read(_OUTPUT) or ""), START_LIMIT_S)

    def stop(self) -> dict:
        self._process.stop(timeout=STOP_LIMIT_S)
        return json.loads(self._node.get(_RESULT))


def begin_with_echo(run: Run) -> tuple[Live, EchoClient]:
    """All gateways run vpnhad-echo; one session of L2TP and one of echo are protected."""
    if not PROGRAM.exists():
        raise NotFound("vpnhad-echo is not built: cmake --workflow --preset release")
    for node in run.lab.gateways:
        node.put(DAEMON_PATH, PROGRAM.read_bytes(), mode=0o755)
    live = begin(run, place=off_dc, observe_s=0)
    client = EchoClient(run, live.client.node, live.client.gateway.vip_outside)
    live.stack.wait_protected(2)
    run.observe(2)
    return live, client


def end_with_echo(run: Run, client: EchoClient, answers: int) -> dict:
    """The session was the same all the time: the secret is, and no number came twice."""
    seen = client.stop()
    run.expect("echo_answers", seen["answers"], at_least(answers))
    run.expect("echo_forged", seen["forged"], equals(0))
    run.expect("echo_numbers_repeated", seen["repeated"], equals(0))
    run.expect("echo_closed", seen["closed"], is_true())
    return seen

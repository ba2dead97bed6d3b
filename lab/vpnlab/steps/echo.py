# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs that know echo in the place of vpnha's, and a client of it beside a client of L2TP."""
from __future__ import annotations

import json

from ..evidence.expectation import at_least, equals, is_true
from ..host.errors import NotFound
from ..host.node import PYTHON, Node
from ..host.stage import BUILD, ROOT
from ..host.topology import L2TP
from ..product.cluster import Cluster
from ..product.vpnha_stack import DAEMON_PATH, VpnhaStack
from .live import Live, begin, off_dc
from .run import Run

BUILT = BUILD / "examples" / "echo"
PROGRAMS = {DAEMON_PATH: BUILT / "vpnhad-echo",
            "/usr/libexec/vpnha/silence-gateway": BUILT / "silence-gateway-echo"}
TABLE = "echo"
CLIENT = ROOT / "examples" / "echo" / "client" / "echo_client.py"
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
    """All gateways run vpnhad-echo and serve both; one session of each is protected."""
    for path, program in PROGRAMS.items():
        if not program.exists():
            raise NotFound(f"{program.name} is not built: cmake --workflow --preset release")
        for node in run.lab.gateways:
            node.put(path, program.read_bytes(), mode=0o755)
    live = begin(run, place=off_dc, observe_s=0,
                 stack=VpnhaStack(run.lab, Cluster(run.lab), tables=(TABLE,),
                                  waiting=(L2TP,) if run.waiting else ()))
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

# SPDX-License-Identifier: GPL-2.0-or-later
"""An operator's drill: the installed `vpnha drill` makes the fault, and knows nothing of a lab. A
client watches by `vpnha drill watch`, and both results are joined to a page."""
from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from ..evidence.expectation import at_least, at_most, equals, is_empty, is_true
from ..host.node import Background, Node
from ..host.topology import L2TP
from .live import Live
from .operated import schema_faults
from .run import Run

# On the host, where they outlive a power cut.
RESULT, WATCHED, PAGE = "drill.json", "drill-watch.json", "drill.html"
OUTPUT, WATCH_OUTPUT = "drill.out", "drill-watch.out"
# Before a drill strikes, all that it waits for, and what a busy node needs for its looks.
DRILL_LIMIT_S = 420.0
WATCH_LIMIT_S = 30.0
STRUCK_LIMIT_S = 60.0
# Exit codes of vpnha.
GOOD, DEGRADED = 0, 6
# Of a watch: another program than the probes of the lab, with half their rate.
WATCH_MARGIN_MS = 150


def log(name: str) -> str:
    return f"/var/log/{name}"


@dataclass
class Drill:
    """A drill that runs, and the watch of the first client."""

    run: Run
    live: Live
    kind: str
    node: Node  # On which it runs.
    process: Background
    watch: Background
    begun: float

    def wait(self, code: int = GOOD) -> dict[str, Any]:
        """To its end. Returns its result, which names a node that took over."""
        ended = self.process.wait(DRILL_LIMIT_S)
        for line in self.node.read_log(OUTPUT).splitlines():
            self.run.step(f"drill: {line}")
        self.run.expect("exit_code", ended, equals(code))
        result = dict(json.loads(self.node.read_log(RESULT)))
        self.run.expect("result_is_as_its_schema_has_it", schema_faults("drill", result),
                        is_empty())
        self.run.expect("outcome", result["outcome"], equals("moved"))
        self.run.expect("taken_over_by", result["to"] in
                        [node.name for node in self.live.standbys], is_true())
        self.run.expect("undo_trouble", result["undo_trouble"], equals(""))
        self.run.expect("drill_sessions", result["sessions"],
                        equals({"before": len(self.live.clients), "kept": len(self.live.clients),
                                "lost": 0, "anew": 0}))
        return result

    def report(self, asked: Node, outage_ms: float) -> None:
        """Ends the watch, and joins it with the result on a node that lives. `outage_ms`: the
        longest silence that the watch may have seen."""
        self.run.expect("watch_exit_code", self.watch.stop(timeout=WATCH_LIMIT_S), equals(GOOD))
        client = self.live.client.node
        asked.put(log(WATCHED), client.get(log(WATCHED)))
        asked.put(log(RESULT), self.node.read_log(RESULT))
        joined = log(f"joined-{RESULT}")
        output = asked.run("vpnha", "drill", "report", log(RESULT), "--watch", log(WATCHED),
                           "--json", joined, "--html", log(PAGE)).stdout
        for line in output.splitlines():
            self.run.step(f"report: {line}")
        both = json.loads(asked.get(joined))
        self.run.expect("drill_files_are_as_their_schemas_have_them", [
            *schema_faults("drill", both),
            *schema_faults("drill-watch", json.loads(client.get(log(WATCHED))))], is_empty())
        watches = both["watches"]
        seen = next(each["seen"] for each in watches if each["machine"] == client.name)
        self.run.expect("watch_answered_again", seen["answered_again"], is_true())
        self.run.expect("watch_silence_ms", round(seen["silence_ms"]),
                        at_most(outage_ms + WATCH_MARGIN_MS))
        self.run.expect("watch_sent", seen["sent"], at_least(100))
        page = asked.get(log(PAGE)).decode()
        self.run.expect("page", [mark in page for mark in ("<svg", f"Drill {self.kind}")],
                        equals([True, True]))


def begin_drill(run: Run, live: Live, kind: str, node: Node, *options: str,
                fault_at: Node | None = None) -> Drill:
    """The first client watches the VIP; the drill begins on that node. `fault_at`: where a fault
    happens, if one does."""
    client = live.client.node
    watch = client.start("vpnha", "drill", "watch", L2TP.vip_outside, "--json", log(WATCHED),
                         stdout=log(WATCH_OUTPUT), stderr=log(WATCH_OUTPUT))
    run.wait_for(f"{client.name} watches",
                 lambda: "Ctrl-C" in client.read_log(WATCH_OUTPUT), WATCH_LIMIT_S)
    run.step(f"vpnha drill {kind} on {node.name}")
    if fault_at is not None:
        fault_at.note_fault(f"drill {kind}")
    begun = run.lab.now()
    process = node.start("vpnha", "drill", kind, "--gateway", L2TP.name, "--yes",
                         "--json", log(RESULT), *options, stdout=log(OUTPUT), stderr=log(OUTPUT))
    return Drill(run, live, kind, node, process, watch, begun)


def expect_refused(run: Run, node: Node, kind: str, reason: str, *options: str) -> None:
    """A drill that may not begin has the reason, and does nothing."""
    done = node.run("vpnha", "drill", kind, "--gateway", L2TP.name, "--yes", *options, check=False,
                    timeout=60)
    run.expect(f"{kind}_refused_on_{node.name}", [done.code, reason in done.stderr],
               equals([1, True]))

# SPDX-License-Identifier: GPL-2.0-or-later
"""A client that asks an address all the time who answers there; see lab/node/name_client.py."""
from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from ..host.node import Background, Node
from ..steps.run import Run

# Two ticks of a node.
INTERVAL_S = 0.02
ANSWER_LIMIT_S = 30.0
_LOG = "lab-names.log"


@dataclasses.dataclass(frozen=True)
class Answer:
    """`t` is the node's time in seconds, which agrees with the host's."""

    t: float
    name: str


def parse_answers(text: str) -> list[Answer]:
    answers = []
    for line in text.splitlines():
        words = line.split()
        # The last line may be half written.
        if len(words) == 3:
            answers.append(Answer(int(words[1]) / 1e9, words[2]))
    return answers


def longest_silence_ms(answers: Sequence[Answer], since: float, until: float) -> float:
    """Between two answers, of which the later came after `since`; or up to `until`."""
    times = [answer.t for answer in answers]
    gaps = [late - early for early, late in zip(times, times[1:]) if late >= since]
    gaps.append(until - times[-1] if times else until - since)
    return round(max(gaps) * 1000, 1)


class NameClient:
    def __init__(self, node: Node, address: str, port: int) -> None:
        self._node = node
        self._target = (address, str(port))
        self._process: Background | None = None

    def start(self) -> None:
        self._process = self._node.start_tool("name_client.py", *self._target, str(INTERVAL_S),
                                              f"/var/log/{_LOG}", output="/run/lab/names.err")

    def answers(self) -> list[Answer]:
        return parse_answers(self._node.read_log(_LOG))

    def wait_other(self, run: Run, name: str) -> None:
        """Waits until somebody else answers."""
        begun = run.lab.now()
        run.wait_for(f"another than {name} answers", lambda: any(
            answer.name != name and answer.t >= begun for answer in self.answers()),
            ANSWER_LIMIT_S)

    def stop(self, log: Path) -> None:
        """Ends it and brings its log to the host."""
        assert self._process is not None
        self._process.stop()
        log.write_text(self._node.read_log(_LOG), encoding="ascii")

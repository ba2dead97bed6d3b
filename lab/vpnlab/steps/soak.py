# SPDX-License-Identifier: GPL-2.0-or-later
"""A random drill: faults after a seed, one after the other, against sessions with TCP streams.
After each fault the cluster is made whole again, as an administrator would. What must hold all the
time is held against everything that was seen, at the end."""
from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from ..evidence.expectation import at_least, at_most, equals
from ..host.errors import LabError
from ..host.node import Node
from ..host.stage import BUILD
from ..product.vpnha_stack import CONFIG_FILE, DAEMON, DAEMON_PATH
from .disk import refuse_writes, take_writes
from .drill import ALL, PROMOTED, STANDBYS, UNNOTICED_MS, Step, plan
from .ipsec.live import CHARON
from .live import FENCED_LIMIT_S, Live, begin
from .partition import CLUSTER_LINKS
from .promise import Span, expect_nothing_else, worst_gap_ms
from .run import Run
from .scenario import Loaded, Scenario

NAME = "soak"
BEFORE_S = 5.0
# Of daemons that Pacemaker starts again, after the template's failure-timeout.
WHOLE_LIMIT_S = 90
PAUSE_LEEWAY_MS = 400
# Of the command, which gives up by itself before.
MOVE_LIMIT_S = 90
# A silence begins with the last answer, which may come so long before the fault that made it.
LAST_ANSWER_S = 0.05
ROLLED = '\n[daemon]\nlog_level = "debug"\n'
NEXT_PROGRAM = BUILD / "tests" / "next" / "vpnhad-next"


def loaded(minutes: float) -> Loaded:
    """The drill of one client of plain L2TP, as what runs scenarios takes it."""
    return Loaded(NAME, f"random faults for {minutes:g} min", Scenario(faults=1, vpnha=True),
                  functools.partial(drill, minutes=minutes))


@dataclass(frozen=True)
class Done:
    """A fault that was injected, the nodes that it met, and when. What is silent before the next
    one is its doing."""

    step: Step
    nodes: str
    t: float

    @property
    def name(self) -> str:
        return f"{self.step} ({self.nodes})"


@dataclass
class Drilled:
    """What was done to the sessions, and since when it was calm before. It grows as it is done."""

    calm_from: float = 0.0
    faults_from: float = 0.0
    done: list[Done] = field(default_factory=list)
    until: float = 0.0

    @property
    def calm(self) -> Span:
        return self.calm_from, self.faults_from - LAST_ANSWER_S

    @property
    def spans(self) -> list[tuple[Done, Span]]:
        """Each fault, and the time in which what is silent is its doing."""
        ends = [*(following.t - LAST_ANSWER_S for following in self.done[1:]), self.until]
        return [(each, (each.t, end)) for each, end in zip(self.done, ends)]


def drill(run: Run, minutes: float) -> None:
    live = begin(run, observe_s=0)
    drilled = Drilled()
    inject(live, plan(run.seed), minutes, drilled)
    seen = live.end()
    client = seen.client("client1")
    run.expect("before_any_fault_gap_ms", worst_gap_ms(client, drilled.calm),
               at_most(UNNOTICED_MS))
    for each, span in drilled.spans:
        run.expect(each.name, worst_gap_ms(client, span), at_most(bound_ms(each.step)))
    expect_nothing_else(run, client)
    run.expect("faults", len(drilled.done), at_least(1))


def inject(live: Live, steps: Iterable[Step], minutes: float, drilled: Drilled,
           look: Callable[[], None] = lambda: None) -> None:
    """No fault begins later than so long after the first. All is whole again at the end. `look`
    happens each time that it is."""
    run, done = live.run, drilled.done
    drilled.calm_from = run.lab.now()
    run.observe(BEFORE_S)
    drilled.faults_from = run.lab.now()
    for step in steps:
        if done:
            _make_whole(live, done[-1].t)
        drilled.until = run.lab.now()
        spent_s = drilled.until - drilled.faults_from
        if spent_s >= 60 * minutes:
            break
        run.step(f"{spent_s / 60:.1f} of {minutes:g} min, {len(done)} faults")
        done.append(_inject(live, step))
        _make_whole(live, done[-1].t)
        run.step(f"whole again {run.lab.now() - done[-1].t:.1f} s after fault {step.number:02d}")
        look()
        run.observe(step.calm_s)
    drilled.until = run.lab.now()


def bound_ms(step: Step) -> float:
    """Where nobody takes over from a pause, or before a cable is back, the client's silence is that
    and one claim."""
    lasts = step.target == PROMOTED and (step.kind.name == "pause" or "cable" in step.kind.name)
    return max(step.bound_ms, 1000 * step.length_s + PAUSE_LEEWAY_MS) if lasts else step.bound_ms


def _inject(live: Live, step: Step) -> Done:
    """Returns when the fault is over, and the client is answered."""
    run, stack = live.run, live.stack
    promoted = stack.wait_in_sync(WHOLE_LIMIT_S)
    standbys = [node for node in stack.cluster.nodes if node is not promoted]
    targets = {PROMOTED: promoted, **dict(zip(STANDBYS, standbys))}
    victims = stack.cluster.nodes if step.target == ALL else [targets[step.target]]
    names = ", ".join(node.name for node in victims)
    _share_cores(live, promoted, step.target == PROMOTED)
    run.step(f"fault {step}: {names}; {stack.cluster.status().dc} is the DC")
    begun = run.lab.now()
    ACTS[step.kind.name](live, step, victims)
    _wait_all_answered(live)
    return Done(step, names, begun)


def _share_cores(live: Live, promoted: Node, at_promoted: bool) -> None:
    """Whose core of the host is whose, as in the scenarios: survivors have one each, or else the
    promoted node has one that no gateway shares."""
    if at_promoted:
        live.stack.cluster.spare_successors(promoted)
    else:
        standbys = [node for node in live.stack.cluster.nodes if node is not promoted]
        live.run.lab.share_cores(standbys, [promoted, live.client.node])


def _wait_all_answered(live: Live) -> None:
    for client in live.clients:
        live.wait_answered(client)


def _make_whole(live: Live, since: float) -> None:
    """What lost its power is switched on, what Pacemaker counted is cleared; returns when the
    session is protected by all nodes. A node may lose its power meanwhile: fencing is slow. One
    that has none is fenced all the same, and its next life would be, if it began before that."""
    run, stack = live.run, live.stack
    while True:
        for node in stack.cluster.nodes:
            if not node.powered():
                live.wait_fenced(node, since)
                node.reap()
                run.step(f"{node.name} is switched on")
                stack.rejoin(node.name)
        if stack.cluster.status().failures:
            stack.clear_failures()
        stack.wait_in_sync(WHOLE_LIMIT_S)
        stack.wait_protected(len(live.clients), WHOLE_LIMIT_S)
        if all(node.powered() for node in stack.cluster.nodes):
            return


# The faults. Each returns when it is over, or its victim has lost its power.

def _cut_power(live: Live, _step: Step, victims: list[Node]) -> None:
    cut_at = live.run.lab.now()
    victims[0].power_off()
    live.wait_fenced(victims[0], cut_at)
    live.stack.wait_promoted()


def _kill_daemon(name: str) -> Callable[[Live, Step, list[Node]], None]:
    def act(live: Live, step: Step, victims: list[Node]) -> None:
        promotions = live.stack.promotions()
        victims[0].kill_process(name)
        _wait_moved(live, step, promotions)
    return act


def _stop_daemon(live: Live, step: Step, victims: list[Node]) -> None:
    promotions = live.stack.promotions()
    victims[0].stop_process(DAEMON)
    _wait_moved(live, step, promotions)


def _wait_moved(live: Live, step: Step, promotions: int) -> None:
    if step.target == PROMOTED:
        live.run.wait_for("another node is promoted",
                          lambda: live.stack.promotions() > promotions, FENCED_LIMIT_S)


def _kill_corosync(live: Live, _step: Step, victims: list[Node]) -> None:
    killed_at = live.run.lab.now()
    victims[0].kill_process("corosync")
    live.wait_fenced(victims[0], killed_at)


def _kill_pacemaker(live: Live, _step: Step, victims: list[Node]) -> None:
    killed_at = live.run.lab.now()
    victims[0].kill_processes("pacemaker.*")
    live.wait_fenced(victims[0], killed_at)


def _lose_one_link(live: Live, step: Step, victims: list[Node]) -> None:
    link = CLUSTER_LINKS[int(step.degree)]
    victims[0].link_down(link)
    live.run.observe(step.length_s)
    victims[0].link_up(link)


def _lose_all_links(live: Live, _step: Step, victims: list[Node]) -> None:
    cut_at = live.run.lab.now()
    for link in CLUSTER_LINKS:
        victims[0].link_down(link)
    # It boots with all its cables plugged.
    live.wait_fenced(victims[0], cut_at)


def _pause(live: Live, step: Step, victims: list[Node]) -> None:
    """A long one may end in a fencing, before its end or, by the membership that was lost
    meanwhile, after it."""
    victims[0].freeze()
    live.run.observe(step.length_s)
    with contextlib.suppress(LabError):  # It has been switched off meanwhile.
        victims[0].thaw()
    _wait_all_answered(live)
    live.run.wait_for("all nodes that have power are members, or switched off", lambda: all(
        set(live.stack.cluster.status(node.name).online)
        >= {each.name for each in live.stack.cluster.nodes if each.powered()}
        for node in live.stack.cluster.nodes if node.powered()), FENCED_LIMIT_S)


def _worsen(live: Live, step: Step, victims: list[Node], *, loss: float, delay: float) -> None:
    for node in victims:
        for link in CLUSTER_LINKS:
            node.netem(link, loss_percent=loss, delay_ms=delay)
    live.run.observe(step.length_s)
    for node in victims:
        for link in CLUSTER_LINKS:
            node.netem(link)


def _lose_packets(live: Live, step: Step, victims: list[Node]) -> None:
    _worsen(live, step, victims, loss=step.degree, delay=0)


def _delay_packets(live: Live, step: Step, victims: list[Node]) -> None:
    _worsen(live, step, victims, loss=0, delay=step.degree)


def _move(live: Live, _step: Step, victims: list[Node]) -> None:
    live.stack.move_role(lambda name: name != victims[0].name)


def _pull_cable(network: str) -> Callable[[Live, Step, list[Node]], None]:
    def act(live: Live, step: Step, victims: list[Node]) -> None:
        victims[0].link_down(network)
        live.run.observe(step.length_s)
        victims[0].link_up(network)
    return act


def _switch_over(live: Live, step: Step, victims: list[Node]) -> None:
    """Without a constraint, as an operator would; the command chooses who is next. It has lost a
    session if it ends with anything but 0."""
    done = victims[0].run("vpnha", "switchover", live.stack.gateway.name, check=False,
                          timeout=MOVE_LIMIT_S)
    live.run.step(f"{done.stdout}{done.stderr}".replace("\n", "; "))
    live.run.expect(f"exit code of {step}", done.code, equals(0))


def _drain(live: Live, step: Step, victims: list[Node]) -> None:
    victims[0].run("vpnha", "drain", live.stack.gateway.name, "--no-wait")
    live.run.observe(step.length_s)
    victims[0].run("vpnha", "undrain", live.stack.gateway.name)


def _roll_configuration(live: Live, _step: Step, victims: list[Node]) -> None:
    """A key that nodes may have differently; the next time it is taken out."""
    node = victims[0]
    live.stack.keep_out(node)
    text = node.read(CONFIG_FILE) or ""
    node.put(CONFIG_FILE, text.replace(ROLLED, "") if ROLLED in text else text + ROLLED,
             mode=0o640)
    live.stack.let_in(node)
    live.stack.wait_in_sync(WHOLE_LIMIT_S)


def _roll_release(live: Live, _step: Step, victims: list[Node]) -> None:
    """To vpnhad-next, which speaks a wire version more; the next time back. A node that has lost
    its power since has this release."""
    node = victims[0]
    live.stack.keep_out(node)
    # The node sees the host's files. Laid over this release's program, the next one costs nothing.
    # vpnhad logs its end a moment before it ends: so the mount may be busy.
    if node.run("umount", "--lazy", DAEMON_PATH, check=False).code:
        node.run("mount", "--bind", str(NEXT_PROGRAM), DAEMON_PATH)
    live.stack.let_in(node)
    live.stack.wait_in_sync(WHOLE_LIMIT_S)


def _refuse_writes(live: Live, step: Step, victims: list[Node]) -> None:
    """Returns when the node has found that its disk takes writes."""
    refuse_writes(victims[0])
    live.run.observe(step.length_s)
    take_writes(victims[0])
    live.run.wait_for(f"the disk of {victims[0].name} takes saves", lambda: live.stack.status(
        victims[0])["lease"]["saves"], WHOLE_LIMIT_S)


def _set_clock(live: Live, step: Step, victims: list[Node]) -> None:
    seconds = int(step.degree)
    victims[0].step_clock(seconds)
    live.run.observe(1)
    victims[0].step_clock(-seconds)


ACTS: dict[str, Callable[[Live, Step, list[Node]], None]] = {
    "power cut": _cut_power,
    "kill vpnhad": _kill_daemon(DAEMON),
    "stop vpnhad": _stop_daemon,
    "kill xl2tpd": _kill_daemon("xl2tpd"),
    "kill corosync": _kill_corosync,
    "kill pacemaker": _kill_pacemaker,
    "one cluster link down": _lose_one_link,
    "all cluster links down": _lose_all_links,
    "pause": _pause,
    "loss in % on the cluster links": _lose_packets,
    "delay in ms on the cluster links": _delay_packets,
    "move of the role": _move,
    "clock set, in s": _set_clock,
    "kill charon": _kill_daemon(CHARON),
    "kill pptpd": _kill_daemon("pptpd"),
    "outside cable pulled": _pull_cable("outside"),
    "inside cable pulled": _pull_cable("inside"),
    "switchover": _switch_over,
    "drain": _drain,
    "configuration rolled": _roll_configuration,
    "release rolled": _roll_release,
    "disk refuses writes": _refuse_writes,
}

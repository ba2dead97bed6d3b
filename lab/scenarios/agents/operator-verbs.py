# SPDX-License-Identifier: GPL-2.0-or-later
"""What operators type at Pacemaker, one verb after the other, under one live session.

Purpose: docs/operate/operations.md has what each verb costs the clients. Its rows of these verbs
are measured here.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 dials in and makes traffic. Then the verbs of VERBS below are typed on a standby,
each when all nodes are in sync and the session is protected. No fault.

Expected: the session continues to the end, and nothing but silence happens to its client. Most
verbs cost nothing: no gap longer than 50 ms, or twice the longest of a calm time, and no move. A
verb that starts an instance anew, moves the role, or stops all instances has a limit of its own.
"""
from __future__ import annotations

from collections.abc import Callable

from vpnlab.evidence.expectation import at_most, equals, is_empty
from vpnlab.host.node import Node
from vpnlab.steps.live import Live, begin
from vpnlab.steps.promise import (STARTED_MS, UNNOTICED_MS, Span, expect_nothing_else, worst_gap_ms,
                                  worst_pause_ms)
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(vpnha=True)
CALM_S, AFTER_S = 4, 2
WAIT_S, SHELL_S = 30, 120
LOG = "/var/log/vpnha/vpnhad.log"
PROBES_THAT_FOUND_IT = "//lrm_rsc_op[@operation='monitor' and contains(@id, '_last_failure_0')]"
DISABLED_S = 8
# As in l2tp-demotion; and what Pacemaker may take besides DISABLED_S.
MOVED_MS = 500.0
STOPPED_MS = (DISABLED_S + 15) * 1000.0


class Operator:
    """At the keyboard of a standby."""

    def __init__(self, run: Run, live: Live) -> None:
        self.run = run
        self.live = live

    @property
    def resource(self) -> str:
        return self.live.stack.resource

    @property
    def clone(self) -> str:
        return self.live.stack.clone

    @property
    def promoted(self) -> Node:
        holder = self.live.stack.promoted()
        assert holder is not None
        return holder

    @property
    def standby(self) -> Node:
        holder = self.promoted
        return next(node for node in self.live.stack.cluster.nodes if node is not holder)

    def type(self, *words: str) -> None:
        self.standby.run(*words, timeout=SHELL_S)

    def reload(self, resource: str, *words: str) -> None:
        """Returns when a node has reloaded it. An instance whose last action was a demote reloads
        nothing: it reads its parameters at its next start."""
        cluster = self.live.stack.cluster
        before = cluster.operations_done("reload-agent", resource)
        self.type(*words)
        cluster.wait_operation("reload-agent", resource, before, WAIT_S)

    def put_into_standby(self, node: Node) -> None:
        """And back."""
        self.type("crm_standby", "--node", node.name, "--update", "on")
        self.run.wait_for(f"{node.name} runs no instance", lambda: node.name not in
                          self.live.stack.cluster.status().on(self.resource), WAIT_S)
        self.type("crm_standby", "--node", node.name, "--delete")

    def meta(self, resource: str, name: str, value: str) -> None:
        self.type("crm_resource", "--resource", resource, "--meta", "--set-parameter", name,
                  "--parameter-value", value)

    def without_meta(self, resource: str, name: str) -> None:
        self.type("crm_resource", "--resource", resource, "--meta", "--delete-parameter", name)

    # The verbs.

    def cleanup(self) -> None:
        self.type("crm_resource", "--cleanup")

    def refresh(self) -> None:
        self.type("crm_resource", "--refresh")

    def update_by_pcs(self) -> None:
        self.reload(self.resource, "pcs", "resource", "update", self.resource,
                    "log_file=/var/log/vpnha/another.log")

    def update_by_crm(self) -> None:
        self.reload(self.resource, "crm", "resource", "param", self.resource, "set", "log_file",
                    LOG)

    def update_to_a_wrong_value(self) -> None:
        for value in ("much", "500"):
            self.reload("xl2tpd", "crm_resource", "--resource", "xl2tpd", "--set-parameter",
                        "memory_max", "--parameter-value", value)

    def update_after_the_refresh(self) -> None:
        """As docs/operate/operations.md has it. Without the first command it restarts all
        instances."""
        self.type("cibadmin", "--delete-all", "--force", "--xpath", PROBES_THAT_FOUND_IT)
        for log in ("/var/log/vpnha/another.log", LOG):
            self.reload(self.resource, "crm_resource", "--resource", self.resource,
                        "--set-parameter", "log_file", "--parameter-value", log)

    def another_interval(self) -> None:
        self.type("cibadmin", "--modify", "--xml-text",
                  '<op id="checkpoint-monitor-2s" interval="4s"/>')

    def maintenance(self) -> None:
        self.live.stack.cluster.set_maintenance(True)
        self.run.observe(AFTER_S)
        self.live.stack.cluster.set_maintenance(False)

    def unmanage(self) -> None:
        self.meta(self.clone, "is-managed", "false")
        self.run.observe(AFTER_S)
        self.without_meta(self.clone, "is-managed")

    def standby_of_a_standby(self) -> None:
        self.put_into_standby(self.standby)

    def ban_of_a_standby(self) -> None:
        node = self.standby
        self.type("crm_resource", "--ban", "--resource", self.clone, "--node", node.name)
        self.run.wait_for(f"{node.name} runs no instance", lambda: node.name not in
                          self.live.stack.cluster.status().on(self.resource), WAIT_S)
        self.type("crm_resource", "--clear", "--resource", self.clone)

    def restart_of_a_standby(self) -> None:
        self.type("crm_resource", "--restart", "--resource", self.clone, "--node",
                  self.standby.name)

    def restart_of_xl2tpd(self) -> None:
        self.type("crm_resource", "--restart", "--resource", "xl2tpd-clone")

    def disable_and_enable_xl2tpd(self) -> None:
        self.meta("xl2tpd-clone", "target-role", "Stopped")
        self.live.stack.cluster.wait_status(
            "no xl2tpd runs", lambda status: not status.on("xl2tpd"), WAIT_S)
        self.run.observe(AFTER_S)
        self.without_meta("xl2tpd-clone", "target-role")

    def standby_of_the_holder(self) -> None:
        self.put_into_standby(self.promoted)

    def move_and_clear(self) -> None:
        node = self.standby
        self.live.stack.order_move(node)
        self.live.stack.wait_promoted([node.name])
        self.type("crm_resource", "--clear", "--resource", self.clone)

    def disable_and_enable(self) -> None:
        """Typed at one node: nobody is promoted when it is enabled."""
        node = self.standby
        words = ("crm_resource", "--resource", self.clone, "--meta")
        node.run(*words, "--set-parameter", "target-role", "--parameter-value", "Stopped")
        self.live.stack.cluster.wait_status(
            "no instance runs", lambda status: not status.on(self.resource), WAIT_S)
        self.run.observe(DISABLED_S)
        node.run(*words, "--delete-parameter", "target-role")

    def restart(self) -> None:
        self.type("crm_resource", "--restart", "--resource", self.clone)


# The limit of its silence in ms; None: nobody notices it.
VERBS: tuple[tuple[Callable[[Operator], None], float | None], ...] = (
    (Operator.cleanup, None),
    (Operator.update_by_pcs, None),
    (Operator.update_by_crm, None),
    (Operator.update_to_a_wrong_value, None),
    (Operator.refresh, None),
    (Operator.update_after_the_refresh, None),
    (Operator.another_interval, None),
    (Operator.maintenance, None),
    (Operator.unmanage, None),
    (Operator.standby_of_a_standby, STARTED_MS),
    (Operator.ban_of_a_standby, STARTED_MS),
    (Operator.restart_of_a_standby, STARTED_MS),
    (Operator.restart_of_xl2tpd, None),
    (Operator.disable_and_enable_xl2tpd, None),
    (Operator.standby_of_the_holder, MOVED_MS),
    (Operator.move_and_clear, MOVED_MS),
    (Operator.restart, STOPPED_MS),
    (Operator.disable_and_enable, STOPPED_MS))


def steps(run: Run) -> None:
    live = begin(run, observe_s=0)
    operator = Operator(run, live)
    calm_from = run.lab.now()
    run.observe(CALM_S)
    calm = (calm_from, run.lab.now())
    spans = [(verb, limit, typed(run, operator, verb, limit)) for verb, limit in VERBS]
    run.expect("failures", list(live.stack.cluster.status().failures), is_empty())
    seen = live.end().client("client1")
    fault_free = worst_gap_ms(seen, calm)
    for verb, limit, span in spans:
        unnoticed = max(UNNOTICED_MS, 2 * (fault_free or 0)) + (worst_pause_ms(seen, span) or 0)
        run.expect(f"{verb.__name__}_gap_ms", worst_gap_ms(seen, span),
                   at_most(round(unnoticed if limit is None else limit, 3)))
    expect_nothing_else(run, seen)


def typed(run: Run, operator: Operator, verb: Callable[[Operator], None],
          limit: float | None) -> Span:
    """Returns when all is well again."""
    stack = operator.live.stack
    holder = stack.wait_in_sync()
    run.lab.share_cores([node for node in stack.cluster.nodes if node is not holder], [holder])
    run.step(f"{verb.__name__}, while {holder.name} serves")
    begun = run.lab.now()
    verb(operator)
    after = stack.wait_in_sync()
    operator.live.wait_answered(deadline_s=WAIT_S)
    stack.wait_protected(1)
    run.observe(AFTER_S)
    if limit in (None, STARTED_MS):
        # After a reload and the end of a maintenance Pacemaker promotes the same node once more.
        run.expect(f"{verb.__name__}_serving", after.name, equals(holder.name))
    return begun, run.lab.now()

# SPDX-License-Identifier: GPL-2.0-or-later
"""Every command that an operator has, on the node that serves and on a standby, beside a session.

Purpose: the commands work on installed nodes, what they print as JSON has the documented members,
and none of them disturbs the session. Drills have scenarios of their own.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 dials and makes traffic. All that looks is typed on the promoted node and on a
standby; then what changes something and can be taken back; at last the session is ended by its id.
No fault.

Expected: each exit code is the documented one, and each JSON is as docs/reference/schemas has it. A
probe from client1 is answered. The page and the report are
there, and no file of the report has the client's password. Until its end the client has a gap of at
most 150 ms, or twice the longest of a calm time, and nothing else.
"""
from vpnlab.evidence.expectation import at_least, equals, is_empty, is_true
from vpnlab.host.topology import L2TP
from vpnlab.product.l2tp_gateway import PASSWORD
from vpnlab.steps.live import begin
from vpnlab.steps.operated import DEGRADED, FAILED, GOOD, NOT_FOUND, WARNING, Operator
from vpnlab.steps.promise import STARTED_MS, expect_no_gap, expect_nothing_else
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(vpnha=True)
CALM_S, ENDED_S = 4, 20
PAGE, REPORT = "/var/log/gateways.html", "/var/log/report"


def look(operator: Operator) -> None:
    """What asks and changes nothing."""
    for verb in ("status", "plan"):
        operator.ask(verb, codes=(GOOD, DEGRADED))
    for verb in ("sessions", "peers", "gate"):
        operator.ask(verb)
    operator.ask("cluster-check", "vpnha", "cluster", "check", "--json", codes=(GOOD, DEGRADED))
    events = operator.ask_lines("event", "vpnha", "events", "--json")
    operator.run.expect(f"{operator.node.name}: events", len(events), at_least(1))
    for words in (("status",), ("plan",), ("cluster", "check")):
        operator.type("vpnha", *words, codes=(GOOD, DEGRADED))
    operator.type("vpnha", "status", "--check", codes=(GOOD, WARNING))
    for words in (("sessions", "--sort", "age", "--where", "protocol=l2tp"), ("peers",), ("gate",),
                  ("events",), ("metrics",), ("metrics", "--list"), ("config", "show"),
                  ("config", "example"), ("config", "keys"), ("config", "tuning"),
                  ("completion", "bash"), ("completion", "zsh"), ("--version",)):
        printed = operator.type("vpnha", *words).stdout
        operator.run.expect(f"{operator.node.name}: {' '.join(words)} prints", len(printed),
                            at_least(2))
    # What of the lab's kernel is no Debian's, it names.
    operator.type("vpnha", "doctor", codes=(GOOD, FAILED))
    found = operator.ask("doctor", codes=(GOOD, FAILED))["findings"]
    operator.run.expect(f"{operator.node.name}: doctor looks at all", sorted(
        {"devices", "routing", "time", "voters", "fencing", "qdiscs", "sizes", "load"} -
        {each["about"] for each in found}), is_empty())
    operator.type("vpnha", "page", "--output", PAGE)
    page = operator.node.get(PAGE).decode()
    operator.run.expect(f"{operator.node.name}: page", f"Gateway {L2TP.name}" in page, is_true())


def write_report(operator: Operator) -> None:
    operator.type("vpnha", "report", "--output", REPORT)
    found = operator.node.run("grep", "--recursive", "--files-with-matches", "--fixed-strings",
                              PASSWORD, REPORT, check=False)
    operator.run.expect("secrets_in_the_report", found.stdout.split(), is_empty())
    operator.run.expect("searched", found.code, equals(1))


def steps(run: Run) -> None:
    live = begin(run)
    stack, client = live.stack, live.client
    standby = live.plain_standby
    live.spare_promoted()
    calm_from = run.lab.now()
    run.observe(CALM_S)
    begun = run.lab.now()

    for node in (live.active, standby):
        run.step(f"all that looks, on {node.name}")
        look(Operator(run, node))
    serving, waiting = Operator(run, live.active), Operator(run, standby)
    sessions = serving.ask("sessions")["sessions"]
    run.expect("sessions", [each["protocol"] for each in sessions], equals(["l2tp"]))
    session = sessions[0]["id"]
    for operator in (serving, waiting):
        shown = operator.ask("session-show", "vpnha", "session", "show", session[:6], "--json")
        run.expect(f"{operator.node.name}: served_by", live.active.name in operator.type(
            "vpnha", "session", "show", session).stdout, is_true())
        run.expect(f"{operator.node.name}: traffic", "octets_in" in (shown["traffic"] or {}),
                   equals(operator is serving))
    write_report(serving)
    run.step("what can be taken back")
    serving.type("vpnha", "drain", L2TP.name, "--no-wait")
    run.expect("drained", stack.status(live.active)["drained"], is_true())
    serving.type("vpnha", "undrain", L2TP.name)
    waiting.type("vpnha", "resync")
    serving.type("vpnha", "resync", codes=(NOT_FOUND,))
    waiting.type("vpnha", "switchover", L2TP.name, "--dry-run")
    serving.type("vpnha", "session", "end", "0000", codes=(NOT_FOUND,))
    stack.wait_in_sync()
    live.wait_answered()
    until = run.lab.now()

    client.stop_traffic()
    serving.type("vpnha", "session", "end", session)
    run.wait_for("the client's session is over", client.gone, ENDED_S)
    seen = live.measure()
    # Behind the measuring, which counts its SCCRQ as the client's.
    outside = Operator(run, client.node)
    probed = outside.type("vpnha-probe", "l2tp", L2TP.vip_outside)
    run.expect("probe", "L2TP OK: " in probed.stdout, is_true())
    outside.ask("probe", "vpnha-probe", "l2tp", L2TP.vip_outside, "--json")
    expect_no_gap(run, seen.client(client.name), (calm_from, begun), (begun, until), STARTED_MS)
    expect_nothing_else(run, seen.client(client.name))

# SPDX-License-Identifier: GPL-2.0-or-later
"""The set-up of a standby differs from the promoted node's: vpnha shows it, and prefers another.

Purpose: a failover to a node without a user's secret keeps the sessions and loses the users. The
nodes compare what they are set up with, by keyed hashes, and notify the administrator before it
matters.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 dials and makes traffic; chap-secrets of one standby get another password, and the
log level of the other one is changed, each with a restart of its vpnhad; the power of the promoted
node is cut.

Expected: `vpnha status` of the promoted node and of the standby names the file, and no output and
no log has a password; the replica of that standby is partial, for a reason that it shows; the other
log level is a note and nothing else. The standby that differs in the note takes over, and client1
sees a short silence and nothing else.
"""
from vpnlab.evidence.expectation import equals, is_empty, is_true
from vpnlab.host.node import Node
from vpnlab.product.l2tp_gateway import PASSWORD, SECRETS, chap_secrets
from vpnlab.product.vpnha_stack import CONFIG_FILE, vpnha_toml
from vpnlab.steps.live import Live, begin, off_dc
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=1, vpnha=True)
OTHER_PASSWORD = "another-lab-password"
LOG_LEVEL = '\n[daemon]\nlog_level = "debug"\n'
SEEN_S = 30


def steps(run: Run) -> None:
    live = begin(run, place=off_dc, observe_s=0)
    stack, (odd, other) = live.stack, live.standbys
    run.step(f"{odd.name} gets another password for its users, {other.name} another log level")
    restart_with(live, odd, SECRETS, chap_secrets(password=OTHER_PASSWORD))
    restart_with(live, other, CONFIG_FILE, vpnha_toml() + LOG_LEVEL)
    run.wait_for(f"{odd.name} knows what is in its way",
                 lambda: stack.status(odd)["blockers"], SEEN_S)
    run.wait_for(f"{other.name} is in sync", lambda: stack.status(other)["standing"] == "complete",
                 SEEN_S)

    for node in (live.active, odd):
        shown = node.run("vpnha", "status", check=False).stdout
        run.expect(f"{node.name}_names_the_file", SECRETS in shown, is_true())
        run.expect(f"{node.name}_keeps_the_secret", passwords(shown + stack.daemon_log(node)),
                   is_empty())
    run.expect("replica_that_differs", stack.status(odd)["standing"], equals("partial"))
    run.expect("weight_of_the_log_level", weights(live, other, "log_level"), equals(["note"]))
    run.expect("blockers_of_the_other", stack.status(other)["blockers"], is_empty())

    successor = live.cut_power(live.active)
    run.expect("successor", successor.name, equals(other.name))
    seen = live.end()
    expect_only_silence(run, seen.client("client1"), TAKEOVER_MS)


def restart_with(live: Live, node: Node, path: str, content: str) -> None:
    """vpnhad of a standby ends, a file is written, it starts again."""
    live.stack.keep_out(node)
    node.put(path, content)
    live.stack.let_in(node)


def passwords(text: str) -> list[str]:
    return [password for password in (PASSWORD, OTHER_PASSWORD) if password in text]


def weights(live: Live, node: Node, item: str) -> list[str]:
    """How heavy the differences are that the promoted node sees in an item of another node."""
    return [each["weight"] for each in live.stack.differences(live.active)
            if each["node"] == node.spec.id and item in each["item"]]

# SPDX-License-Identifier: GPL-2.0-or-later
"""monitoring/vpnha-alert, with what Pacemaker gives an alert agent."""
from __future__ import annotations

import http.server
import importlib.machinery
import importlib.util
import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

AGENT = Path(__file__).resolve().parents[2] / "monitoring" / "vpnha-alert"
MOVE = {"CRM_alert_kind": "resource", "CRM_alert_node": "gw2", "CRM_alert_rsc": "checkpoint",
        "CRM_alert_task": "promote", "CRM_alert_rc": "0", "CRM_alert_target_rc": "0"}


def load():
    loader = importlib.machinery.SourceFileLoader("vpnha_alert", str(AGENT))
    spec = importlib.util.spec_from_loader("vpnha_alert", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.dont_write_bytecode = True
    loader.exec_module(module)
    return module


def run(recipient: str, **alert: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(AGENT)], env={"CRM_alert_recipient": recipient, **alert},
                          capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize(("alert", "text"), [
    (MOVE, "checkpoint was promoted on gw2"),
    ({**MOVE, "CRM_alert_task": "monitor"}, None),
    ({**MOVE, "CRM_alert_task": "stop", "CRM_alert_rc": "1", "CRM_alert_desc": "Timed Out"},
     "stop of checkpoint on gw2 failed: Timed Out"),
    ({"CRM_alert_kind": "node", "CRM_alert_node": "gw1", "CRM_alert_desc": "lost"},
     "node gw1 is lost"),
    ({"CRM_alert_kind": "fencing", "CRM_alert_node": "gw1", "CRM_alert_desc": "OK"},
     "fencing of gw1: OK"),
    ({"CRM_alert_kind": "attribute", "CRM_alert_node": "gw1"}, None),
    ({}, None),
])
def test_what_concerns_gateways_is_sent(alert, text):
    assert load().sentence(alert) == text


def test_a_webhook_gets_json():
    got = []

    class Hook(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Hook) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        done = run(f"http://127.0.0.1:{server.server_port}/secret", **MOVE)
        server.shutdown()
    assert (done.returncode, done.stderr) == (0, "")
    assert got == [{"text": "vpnha: checkpoint was promoted on gw2", "node": "gw2",
                    "kind": "resource", "time": ""}]


def test_what_cannot_be_sent_fails_without_the_secret():
    done = run("http://127.0.0.1:9/secret", **MOVE)
    assert done.returncode == 1
    assert "not notified" in done.stderr and "secret" not in done.stderr


def test_another_kind_of_recipient_is_refused():
    assert run("ops@example.com", **MOVE).returncode == 2


def test_mail_goes_to_sendmail(tmp_path, monkeypatch):
    agent = load()
    program, mailbox = tmp_path / "sendmail", tmp_path / "mailbox"
    program.write_text(f"#!/bin/sh\ncat >{mailbox}\n")
    program.chmod(0o755)
    monkeypatch.setattr(agent, "SENDMAIL", str(program))
    assert agent.main({**MOVE, "CRM_alert_recipient": "mailto:ops@example.com"}) == 0
    text = mailbox.read_text()
    assert "To: ops@example.com" in text
    assert "Subject: vpnha: checkpoint was promoted on gw2" in text

# SPDX-License-Identifier: GPL-2.0-or-later
"""monitoring.py ROOT: alerts, recording rules and the dashboard of monitoring/.

promtool checks the rules and runs their tests. Beside that: each alert has a severity, texts, a
heading of a runbook, a row in docs/operate/monitoring.md, and a test in which it fires and one in
which it does not; what it selects is in tests/unit/cli/metrics.prom, labels and their values as
well; and nothing fires on that sample. The dashboard is what dashboard.schema.json allows, and each
of its queries finds something in the sample.
"""
from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema
import yaml

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "docs"))
from links import anchors_of  # noqa: E402
SEVERITIES = ("critical", "warning", "info")
TEXTS = ("summary", "description", "runbook")
# Labels that Prometheus or its operator gives.
OUTER_LABELS = ("cluster", "instance")
WORDS_OF_PROMQL = ("and", "or", "unless", "bool", "offset", "by", "on", "ignoring", "without",
                   "group_left", "group_right")
RANGE = re.compile(r'(?P<string>"(?:[^"\\]|\\.)*")|\[[^\]]*\]')
SELECTOR = re.compile(r'(?<![\w:.$])([a-zA-Z_:][\w:]*)\s*(\{(?:"(?:[^"\\]|\\.)*"|[^}"])*\})?')
MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"')
FIRING = 'ALERTS{alertstate="firing"}'
# What Grafana puts in.
VARIABLES = {"$__rate_interval": "5m", "$cluster": ".*", "$gateway": ".*", "$instance": ".*"}
# The sample stands for so long, and is looked at then.
SAMPLE_STEPS, SAMPLE_AT = 240, "2h"

# A metric's labels and the values that each has.
Known = dict[str, dict[str, set[str]]]


@dataclass
class Tests:
    """What the tests of the rules expect: by alert the labels with which it fires, and the metrics
    at which it did not."""

    fires: dict[str, list[set[str]]] = field(default_factory=dict)
    quiet: dict[str, set[str]] = field(default_factory=dict)


def rules_of(path: Path) -> list[dict[str, Any]]:
    groups = yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def series_of(text: str) -> Iterator[tuple[str, dict[str, str], str]]:
    """Name, labels and value of each sample of an exposition."""
    for line in text.splitlines():
        if line and not line.startswith("#"):
            series, value = line.rsplit(" ", 1)
            name, _, labels = series.partition("{")
            yield name, dict((key, text) for key, _, text in MATCHER.findall(labels)), value


def known_of(*texts: str) -> Known:
    known: Known = {}
    for text in texts:
        for name, labels, _ in series_of(text):
            of_metric = known.setdefault(name, {})
            for label, value in labels.items():
                of_metric.setdefault(label, set()).add(value)
    return known


def selectors(expr: str) -> Iterator[tuple[str, str]]:
    """Each metric of an expression, with its matchers. Lists of labels and ranges are none."""
    bare = re.sub(r"\b(by|on|without|ignoring|group_left|group_right)\s*\([^)]*\)", " ", expr)
    bare = RANGE.sub(lambda found: found["string"] or " ", bare)
    for found in SELECTOR.finditer(bare):
        name, matchers = found[1], found[2] or ""
        is_function = not matchers and bare[found.end():].lstrip().startswith("(")
        if not is_function and name not in WORDS_OF_PROMQL:
            yield name, matchers


def metrics_of(expr: str) -> set[str]:
    return {name for name, _ in selectors(expr)}


def selector_faults(where: str, expr: str, known: Known) -> Iterator[str]:
    """What an expression selects that no program has."""
    for name, matchers in selectors(expr):
        if name not in known:
            yield f"{where}: there is no metric {name}"
            continue
        for label, operator, value in MATCHER.findall(matchers):
            if label in OUTER_LABELS or value.startswith("$"):
                continue
            if label not in known[name]:
                yield f"{where}: {name} has no label {label}"
            elif operator in ("=", "!="):
                if value not in known[name][label]:
                    yield f"{where}: {name} has no {label}=\"{value}\""
            else:
                for choice in value.split("|") if re.fullmatch(r"[\w|-]+", value) else [value]:
                    if operator == "=~" and not any(re.fullmatch(choice, there)
                                                    for there in known[name][label]):
                        yield f"{where}: {name} has no {label} like {choice}"


def add_recorded(rule: Mapping[str, Any], known: Known) -> None:
    """Its labels may be those of all that it is made of."""
    recorded: dict[str, set[str]] = {}
    for name in metrics_of(rule["expr"]):
        for label, values in known.get(name, {}).items():
            recorded.setdefault(label, set()).update(values)
    known[rule["record"]] = recorded


def alert_faults(alerts: Sequence[Mapping[str, Any]], anchors: Mapping[str, set[str]],
                 tests: Tests) -> Iterator[str]:
    """`anchors`: those of each document, by its name."""
    names = [alert["alert"] for alert in alerts]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"{name}: twice"
    for alert in alerts:
        name, texts = alert["alert"], alert.get("annotations", {})
        if alert.get("labels", {}).get("severity") not in SEVERITIES:
            yield f"{name}: its severity is none of {', '.join(SEVERITIES)}"
        for text in TEXTS:
            if not texts.get(text):
                yield f"{name}: it has no {text}"
        document, _, anchor = texts.get("runbook", "").partition("#")
        if anchor not in anchors.get(document, ()):
            yield f"{name}: {document} has no heading #{anchor}"
        if name not in tests.fires:
            yield f"{name}: no test fires it"
        if not tests.quiet.get(name, set()) & metrics_of(alert["expr"]):
            yield f"{name}: no test has its metrics and does not fire it"
        for label in sorted(set(re.findall(r"\$labels\.(\w+)", " ".join(texts.values())))):
            if any(label not in labels for labels in tests.fires.get(name, ())):
                yield f"{name}: its texts name {label}, which it has not"


def tests_of(paths: Iterable[Path]) -> Tests:
    tests = Tests()
    for path in paths:
        for test in yaml.safe_load(path.read_text(encoding="utf-8"))["tests"]:
            metrics = {re.split(r"[{ ]", series["series"])[0] for series in test["input_series"]}
            for case in test["promql_expr_test"]:
                if case["expr"] != FIRING:
                    continue
                firing = [dict((key, value) for key, _, value in MATCHER.findall(sample["labels"]))
                          for sample in case["exp_samples"]]
                for labels in firing:
                    tests.fires.setdefault(labels["alertname"], []).append(set(labels))
                if not firing:
                    tests.quiet.setdefault(test["name"], set()).update(metrics)
    return tests


def table_faults(alerts: Sequence[Mapping[str, Any]], page: str) -> Iterator[str]:
    """docs/operate/monitoring.md has a row for each alert, with its severity and its runbook."""
    rows = {row[1]: (row[2], row[3])
            for row in re.finditer(r"^\| `(Vpnha\w+)` \| (\w+) \| .* \| \[.*\]\((\S+)\) \|$", page,
                                   re.MULTILINE)}
    for alert in alerts:
        name = alert["alert"]
        wanted = (alert["labels"]["severity"], alert["annotations"]["runbook"])
        severity, runbook = rows.pop(name, ("", ""))
        if (severity, runbook.rpartition("/")[2]) != wanted:
            yield f"monitoring.md: the row of {name} is not {' and '.join(wanted)}"
    for name in rows:
        yield f"monitoring.md: there is no alert {name}"


def queries_of(dashboard: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Each query of the dashboard, with where it stands."""
    found = [(f"annotation {note['name']}", note["expr"])
             for note in dashboard["annotations"]["list"]]
    for panel in dashboard["panels"]:
        found += [(f"panel {panel['id']} ({panel['title']}) {target['refId']}", target["expr"])
                  for target in panel.get("targets", ())]
    return found


def with_variables(expr: str) -> str:
    for name, value in VARIABLES.items():
        expr = expr.replace(name, value)
    return expr


def dashboard_faults(dashboard: Mapping[str, Any], known: Known) -> Iterator[str]:
    schema = json.loads((HERE / "dashboard.schema.json").read_text(encoding="utf-8"))
    for error in jsonschema.Draft7Validator(schema).iter_errors(dashboard):
        where = "/".join(str(part) for part in error.absolute_path)
        yield f"dashboard, {where}: {error.message[:200]}"
    ids = [panel.get("id") for panel in dashboard["panels"]]
    for number in sorted({number for number in ids if ids.count(number) > 1}):
        yield f"dashboard: two panels have the id {number}"
    taken: dict[tuple[int, int], int] = {}
    for panel in dashboard["panels"]:
        at = panel["gridPos"]
        for cell in ((x, y) for x in range(at["x"], at["x"] + at["w"])
                     for y in range(at["y"], at["y"] + at["h"])):
            if cell[0] > 23 or taken.setdefault(cell, panel["id"]) != panel["id"]:
                yield f"dashboard: panel {panel['id']} has no place of its own"
                break
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            found = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"])
            if not found:
                yield f"variable {variable['name']}: {variable['query']}"
                continue
            yield from selector_faults(f"variable {variable['name']}", found[1], known)
    for where, expr in queries_of(dashboard):
        yield from selector_faults(where, expr, known)


def promtool(*arguments: str, cwd: Path) -> list[str]:
    """The end of what it printed, if it failed. Where it is not installed this fails, too."""
    done = subprocess.run(["promtool", *arguments], cwd=cwd, capture_output=True, text=True,
                          check=False)
    if done.returncode == 0:
        return []
    return [f"promtool {arguments[0]} {arguments[1]}: {(done.stdout + done.stderr)[-4000:]}"]


def sample_test(rules: Sequence[Path], samples: Sequence[str],
                queries: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """A test in which one node has what the samples have, for two hours: no alert fires, and each
    query finds something, but those for what is seldom there."""
    series = []
    for text in samples:
        for name, labels, value in series_of(text):
            if name == "ALERTS":
                continue
            inner = ",".join(f'{label}="{value}"'
                             for label, value in {"instance": "gw1", **labels}.items())
            steady = "0+30" if name == "node_textfile_mtime_seconds" else value
            series.append({"series": f"{name}{{{inner}}}", "values": f"{steady}x{SAMPLE_STEPS}"})
    cases = [{"expr": FIRING, "eval_time": SAMPLE_AT, "exp_samples": []}]
    for _, expr in queries:
        if not re.search(r"> 0$", expr):
            cases.append({"expr": f"absent({with_variables(expr)})", "eval_time": SAMPLE_AT,
                          "exp_samples": []})
    return {"rule_files": [str(path) for path in rules], "evaluation_interval": "1m",
            "tests": [{"interval": "30s", "input_series": series, "promql_expr_test": cases}]}


def promtool_faults(rules: Sequence[Path], tests: Sequence[Path], samples: Sequence[str],
                    dashboard: Mapping[str, Any]) -> Iterator[str]:
    yield from promtool("check", "rules", "--lint=all", "--lint-fatal",
                        *(str(path) for path in rules), cwd=HERE)
    yield from promtool("test", "rules", *(str(path) for path in tests), cwd=HERE)
    queries = queries_of(dashboard)
    with tempfile.TemporaryDirectory(prefix="vpnha-monitoring-") as directory:
        parsed = Path(directory) / "queries.yml"
        parsed.write_text(yaml.safe_dump({"groups": [{"name": where, "rules": [
            {"record": "vpnha:query", "expr": with_variables(expr)}]} for where, expr in queries]}),
            encoding="utf-8")
        faults = promtool("check", "rules", str(parsed), cwd=HERE)
        yield from faults
        if not faults:
            sampled = Path(directory) / "sample.test.yml"
            sampled.write_text(yaml.safe_dump(sample_test(rules, samples, queries)),
                               encoding="utf-8")
            yield from promtool("test", "rules", str(sampled), cwd=HERE)


def main(root: Path) -> int:
    monitoring = root / "monitoring"
    rules = sorted(monitoring.glob("*.rules.yml"))
    tests = sorted(HERE.glob("*.test.yml"))
    samples = [path.read_text(encoding="utf-8")
               for path in (root / "tests/unit/cli/metrics.prom", HERE / "other_programs.prom")]
    known = known_of(*samples)
    every_rule = [rule for path in rules for rule in rules_of(path)]
    alerts = [rule for rule in every_rule if "alert" in rule]
    faults = []
    for rule in every_rule:
        if "record" in rule:
            add_recorded(rule, known)
        faults += selector_faults(rule.get("alert") or rule["record"], rule["expr"], known)
    documents = {path.name: path.read_text(encoding="utf-8")
                 for path in (root / "docs").rglob("*.md")}
    anchors = {name: anchors_of(text) for name, text in documents.items()}
    faults += alert_faults(alerts, anchors, tests_of(tests))
    faults += table_faults(alerts, documents.get("monitoring.md", ""))
    dashboard = json.loads((monitoring / "vpnha-dashboard.json").read_text(encoding="utf-8"))
    faults += dashboard_faults(dashboard, known)
    faults += promtool_faults(rules, tests, samples, dashboard)
    for fault in faults:
        print(f"monitoring: {fault}")
    print(f"{len(alerts)} alerts, {len(queries_of(dashboard))} queries, {len(faults)} faults")
    return 1 if faults or not alerts else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve()))

#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What the role's templates and the package's own files make on a node."""
import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path
from typing import Any

import jinja2

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "ansible/roles/vpnha/templates"
HARD = r'a "quoted\" \\word#'
GATEWAY = {"name": "dialin", "ipsec": True, "outside": {"addresses": ["192.0.2.100/24"]}}


def rendered(name: str, **values: Any) -> str:
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATES),
                                     undefined=jinja2.StrictUndefined, trim_blocks=True,
                                     keep_trailing_newline=True)
    # Ansible's, and the collection's as far as one charon needs them.
    environment.filters |= {
        "split": str.split, "vpnha.gateway.of_swanctl_file": lambda gateways, _path: gateways,
        "vpnha.gateway.serving": lambda gateways, service: [
            each for each in gateways if each.get(service)]}
    return environment.get_template(name).render(ansible_managed="managed", **values)


def first_word(line: str) -> tuple[str, str]:
    """A word in double quotes, as pppd's getword() and swanctl read one, and what follows it."""
    found = re.match(r'\s*"((?:[^"\\]|\\.)*)"', line)
    if not found:
        raise ValueError(f"no word: {line}")
    return re.sub(r"\\(.)", r"\1", found[1]), line[found.end():]


def indented_value(text: str, name: str) -> str:
    return next(line for line in text.splitlines() if line.split("=")[0].strip() == name)


class Secrets(unittest.TestCase):
    def test_chap_secrets_keeps_quotes_and_backslashes(self) -> None:
        text = rendered("chap-secrets.j2", vpnha_users=[{"name": HARD, "password": HARD[::-1]}])
        line = text.splitlines()[1]
        user, rest = first_word(line)
        password, rest = first_word(rest.removeprefix(" *"))
        self.assertEqual((user, password, rest), (HARD, HARD[::-1], " *"))

    def test_swanctl_keeps_quotes_and_backslashes(self) -> None:
        text = self.swanctl()
        secret, rest = first_word(indented_value(text, "secret").split("=", 1)[1])
        self.assertEqual((secret, rest), (HARD, ""))

    def test_swanctl_has_the_example_s_marks(self) -> None:
        example = (ROOT / "docs/reference/swanctl.conf.example").read_text()
        text = self.swanctl()
        for name in ("mark_in", "mark_out", "set_mark_in"):
            self.assertEqual(indented_value(text, name), indented_value(example, name))

    def test_swanctl_offers_what_the_example_does(self) -> None:
        example = (ROOT / "docs/reference/swanctl.conf.example").read_text()
        defaults = (ROOT / "ansible/roles/vpnha/defaults/main.yml").read_text()
        for option, names in (("proposals", ("vpnha_ikev2_proposals", "vpnha_ike_proposals")),
                              ("esp_proposals",
                               ("vpnha_ikev2_esp_proposals", "vpnha_esp_proposals"))):
            ours = [re.findall(rf"^{name}: (.+)$", defaults, re.MULTILINE)[0] for name in names]
            self.assertEqual(re.findall(rf"^ *{option} = (.+)$", example, re.MULTILINE), ours)

    @staticmethod
    def swanctl() -> str:
        return rendered("swanctl.conf.j2", template_destpath="",
                        vpnha_ike_gateways=[GATEWAY], vpnha_ipsec_psk=HARD,
                        vpnha_ike_proposals="default", vpnha_esp_proposals="default")


class Log(unittest.TestCase):
    def test_group_adm_reads_the_log(self) -> None:
        """A file that root makes in the folder has the folder's group."""
        with tempfile.TemporaryDirectory() as root:
            etc = Path(root) / "etc"
            etc.mkdir()
            for name in ("passwd", "group"):
                (etc / name).write_text(Path("/etc", name).read_text())
            subprocess.run(["systemd-tmpfiles", f"--root={root}", "--create",
                            str(ROOT / "daemon/vpnha.tmpfiles")], check=True)
            log = Path(root) / "var/log/vpnha/vpnhad.log"
            os.close(os.open(log, os.O_WRONLY | os.O_CREAT, 0o640))
            self.assertEqual((log.group(), log.stat().st_mode & 0o777), ("adm", 0o640))


if __name__ == "__main__":
    unittest.main()

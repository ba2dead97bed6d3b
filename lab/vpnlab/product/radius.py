# SPDX-License-Identifier: GPL-2.0-or-later
"""FreeRADIUS with a configuration of its own on one node, which authenticates users and writes
down what it receives of their sessions; its radclient, which asks for their end; and what gateways
need that are its clients, by pppd's radius.so and by vpnhad."""
from __future__ import annotations

import dataclasses
import re
import shutil

from ..host.errors import PackageMissing
from ..host.lab import Lab
from ..host.node import Node
from .cluster import DIRECTORY as LAB
from .l2tp_gateway import PASSWORD, USER
from .probes import SERVER_ADDRESS

SECRET = "lab-secret"
CLASS = "lab-class"
AUTH_PORT, ACCT_PORT, AUTHORIZATION_PORT = 1812, 1813, 3799
PROGRAM, CLIENT_PROGRAM = "/usr/sbin/freeradius", "/usr/bin/radclient"
SERVER_DIR = "/run/lab/radius"
DETAIL = f"{SERVER_DIR}/detail"
LOG = "freeradius.log"
CLIENT_DIR = "/etc/radiusclient"
SECRET_FILE = "/etc/vpnha/radius.secret"
# Of pppd on the gateways, beside those of vpnha.
PPP_OPTIONS = ("plugin radius.so", f"radius-config-file {CLIENT_DIR}/radiusclient.conf")
START_LIMIT_S = 30.0
ANSWER_LIMIT_S = 3
# Without the tag that attributes of tunnels have.
FIELD = re.compile(r'^\s+([\w-]+)(?::\d+)? = "?(.*?)"?$')
ANSWER = re.compile(r"^Received ([\w-]+) ", re.MULTILINE)

SERVER_CONF = f"""\
prefix = /usr
libdir = /usr/lib/freeradius
logdir = {SERVER_DIR}
raddbdir = {SERVER_DIR}
pidfile = {SERVER_DIR}/pid
hostname_lookups = no
log {{
    destination = stdout
    auth = yes
}}
security {{
    reject_delay = 0
    status_server = yes
}}
proxy_requests = no
thread pool {{
    start_servers = 1
    max_servers = 4
    min_spare_servers = 1
    max_spare_servers = 2
}}
# No require_message_authenticator: Debian 12's 3.2.1 does not know it, and radius.so sends none.
client lab {{
    ipaddr = 0.0.0.0/0
    secret = "{SECRET}"
}}
modules {{
    chap {{
    }}
    mschap {{
    }}
    eap {{
        default_eap_type = mschapv2
        mschapv2 {{
        }}
    }}
    files {{
        usersfile = {SERVER_DIR}/users
    }}
    detail {{
        filename = {DETAIL}
    }}
}}
server lab {{
    listen {{
        type = auth
        ipaddr = *
        port = {AUTH_PORT}
    }}
    listen {{
        type = acct
        ipaddr = *
        port = {ACCT_PORT}
    }}
    authorize {{
        chap
        mschap
        eap
        files
    }}
    authenticate {{
        Auth-Type CHAP {{
            chap
        }}
        Auth-Type MS-CHAP {{
            mschap
        }}
        eap
    }}
    accounting {{
        detail
    }}
}}
"""
CLIENT_CONF = f"""\
auth_order    radius
login_tries    4
login_timeout    60
nologin    /etc/nologin
issue    {CLIENT_DIR}/issue
authserver    {SERVER_ADDRESS}:{AUTH_PORT}
acctserver    {SERVER_ADDRESS}:{ACCT_PORT}
servers    {CLIENT_DIR}/servers
dictionary    {CLIENT_DIR}/dictionary
login_radius    /usr/sbin/login.radius
seqfile    /run/radius.seq
mapfile    {CLIENT_DIR}/port-id-map
default_realm
radius_timeout    3
radius_retries    2
"""


# Of charon on the gateways.
EAP_SETTINGS = f"""\
charon {{
    plugins {{
        eap-radius {{
            nas_identifier = vpnha
            servers {{
                lab {{
                    address = {SERVER_ADDRESS}
                    auth_port = {AUTH_PORT}
                    secret = {SECRET}
                }}
            }}
        }}
    }}
}}
"""


def user(name: str, attributes: str) -> str:
    """One whom the server knows, by the password of the lab, and what it answers then."""
    return f'{name} Cleartext-Password := "{PASSWORD}"\n\t{attributes}\n'


@dataclasses.dataclass(frozen=True)
class Report:
    """One Accounting-Request that the server has answered: its attributes, as FreeRADIUS writes
    them down."""

    fields: dict[str, str]

    @property
    def kind(self) -> str:
        return self.fields["Acct-Status-Type"]

    @property
    def session(self) -> str:
        return self.fields["Acct-Session-Id"]

    def octets(self, direction: str) -> int:
        """`direction`: Input or Output."""
        return (int(self.fields[f"Acct-{direction}-Octets"])
                + (int(self.fields[f"Acct-{direction}-Gigawords"]) << 32))


def parse_detail(text: str) -> list[Report]:
    """In the order in which they came. The last one may be half written."""
    reports = []
    for block in text.split("\n\n"):
        fields = {found[1]: found[2] for line in block.splitlines()
                  if (found := FIELD.match(line))}
        if "Timestamp" in fields:
            reports.append(Report(fields))
    return reports


@dataclasses.dataclass(frozen=True)
class Answer:
    """What radclient was answered."""

    # Disconnect-ACK, CoA-NAK, …; empty: nothing.
    kind: str
    # Of a NAK, as FreeRADIUS calls it.
    cause: str


def parse_answer(text: str) -> Answer:
    """Of what radclient -x writes."""
    received = ANSWER.search(text)
    behind = text[received.end():].splitlines() if received else []
    fields = {found[1]: found[2] for line in behind if (found := FIELD.match(line))}
    return Answer(received[1] if received else "", fields.get("Error-Cause", ""))


class RadiusServer:
    """A new one listens."""

    def __init__(self, lab: Lab, node: Node,
                 users: str = user(USER, f'Class = "{CLASS}"')) -> None:
        if shutil.which(PROGRAM) is None or shutil.which(CLIENT_PROGRAM) is None:
            raise PackageMissing("apt-get install freeradius freeradius-utils")
        self._lab = lab
        self._node = node
        node.run("mkdir", "-p", SERVER_DIR)
        node.put(f"{SERVER_DIR}/radiusd.conf", SERVER_CONF, mode=0o600)
        node.put(f"{SERVER_DIR}/dictionary", "$INCLUDE /usr/share/freeradius/dictionary\n")
        node.put(f"{SERVER_DIR}/users", users, mode=0o600)
        self.start()

    def start(self) -> None:
        log, ready = f"/var/log/{LOG}", "Ready to process requests"
        before = self._node.read_log(LOG).count(ready)
        self._process = self._node.start(PROGRAM, "-f", "-d", SERVER_DIR, "-n", "radiusd", "-l",
                                         "stdout", stdout=log, stderr=log)
        self._lab.wait_for(f"FreeRADIUS of {self._node.name} listens",
                           lambda: self._node.read_log(LOG).count(ready) > before, START_LIMIT_S)

    def stop(self) -> None:
        """It answers nobody any more; what it has written down stays."""
        self._process.stop()

    def reports(self) -> list[Report]:
        return parse_detail(self._node.read(DETAIL) or "")

    def ask(self, address: str, kind: str, *attributes: str, secret: str = SECRET) -> Answer:
        """Sends a request with a Message-Authenticator to one address of the gateways. `kind`:
        disconnect or coa."""
        file = f"{SERVER_DIR}/secret"
        self._node.put(file, f"{secret}\n", mode=0o600)
        request = "\n".join((*attributes, "Message-Authenticator = 0x00", ""))
        done = self._node.run(CLIENT_PROGRAM, "-x", "-r", "1", "-t", str(ANSWER_LIMIT_S), "-d",
                              SERVER_DIR, "-S", file, f"{address}:{AUTHORIZATION_PORT}", kind,
                              stdin=request, check=False)
        return parse_answer(done.stdout)


def configure_client(node: Node) -> None:
    """radius.so, and vpnhad's secret."""
    node.put(f"{CLIENT_DIR}/radiusclient.conf", CLIENT_CONF)
    node.put(f"{CLIENT_DIR}/servers", f"{SERVER_ADDRESS} {SECRET}\n", mode=0o600)
    node.put(f"{CLIENT_DIR}/port-id-map", "")
    node.put(f"{CLIENT_DIR}/dictionary",
             (LAB.parent / "docs/reference/radius-dictionary.example").read_text("ascii"))
    node.put(SECRET_FILE, f"{SECRET}\n", mode=0o600)

# SPDX-License-Identifier: GPL-2.0-or-later
"""Certificates for the lab's IKE, of an authority that lives as long as this program."""
from __future__ import annotations

import functools
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ..host.errors import LabError, PackageMissing

DIRECTORY = "/etc/swanctl"
CA_NAME = "CN=vpnha lab CA"
LIFETIME_DAYS = "30"
_KEY = ("--gen", "--type", "ecdsa", "--size", "256", "--outform", "pem")


@dataclass(frozen=True)
class _Authority:
    key: bytes
    certificate: bytes


def files(name: str) -> dict[str, bytes]:
    """What swanctl of the owner of that name loads, by path: the authority, its certificate and its
    key."""
    authority = _authority()
    key, certificate = _issued(name)
    return {f"{DIRECTORY}/x509ca/ca.pem": authority.certificate,
            f"{DIRECTORY}/x509/own.pem": certificate,
            f"{DIRECTORY}/private/own.pem": key}


@functools.cache
def _authority() -> _Authority:
    key = _pki(*_KEY)
    return _Authority(key, _pki("--self", "--ca", "--type", "priv", "--dn", CA_NAME, "--lifetime",
                                LIFETIME_DAYS, "--outform", "pem", stdin=key))


@functools.cache
def _issued(name: str) -> tuple[bytes, bytes]:
    authority = _authority()
    key = _pki(*_KEY)
    with tempfile.TemporaryDirectory(prefix="vpnha-lab-pki-") as directory:
        paths = Path(directory) / "ca.key", Path(directory) / "ca.pem"
        for path, content in zip(paths, (authority.key, authority.certificate)):
            path.write_bytes(content)
        certificate = _pki("--issue", "--type", "priv", "--cakey", str(paths[0]), "--cacert",
                           str(paths[1]), "--dn", f"CN={name}", "--san", name, "--lifetime",
                           LIFETIME_DAYS, "--flag", "serverAuth", "--outform", "pem", stdin=key)
    return key, certificate


def _pki(*arguments: str, stdin: bytes = b"") -> bytes:
    program = shutil.which("pki")
    if program is None:
        raise PackageMissing("pki: apt-get install strongswan-pki")
    done = subprocess.run([program, *arguments], input=stdin, capture_output=True, check=False)
    if done.returncode:
        raise LabError(f"pki {arguments[0]}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout

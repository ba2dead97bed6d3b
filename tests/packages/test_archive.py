# SPDX-License-Identifier: GPL-2.0-or-later
"""apt takes from the archive of setup/archive what its key has signed, and nothing else."""
from __future__ import annotations

import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE, VERSION = "vpnha-nothing", "1.2.3+deb12"
NEWER = "1.2.3+deb13"


def call(*argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv, capture_output=True, text=True, check=False)


class ArchiveTest(unittest.TestCase):
    def setUp(self) -> None:
        self.top = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.packages, self.archive = self.top / "packages", self.top / "archive"
        self.packages.mkdir()
        self.put_package(VERSION, self.packages)
        self.key = self.new_key("first")

    def put_package(self, version: str, directory: Path) -> None:
        tree = self.top / "tree"
        (tree / "DEBIAN").mkdir(parents=True, exist_ok=True)
        (tree / "DEBIAN" / "control").write_text(
            f"Package: {PACKAGE}\nVersion: {version}\nArchitecture: amd64\n"
            "Maintainer: a <a@a>\nDescription: nothing\n", encoding="utf-8")
        done = call("dpkg-deb", "--root-owner-group", "--build", str(tree), str(directory))
        self.assertEqual(done.returncode, 0, done.stderr)

    def new_key(self, name: str) -> Path:
        """A secret key in a file, as somebody has it who signs more than this archive."""
        home = self.top / name
        home.mkdir(mode=0o700)
        gpg = ("gpg", "--homedir", str(home), "--batch", "--quiet", "--pinentry-mode", "loopback",
               "--passphrase", "")
        self.addCleanup(call, "gpgconf", "--homedir", str(home), "--kill", "all")
        done = call(*gpg, "--quick-generate-key", f"{name} <a@a>", "ed25519", "sign", "never")
        self.assertEqual(done.returncode, 0, done.stderr)
        key = self.top / f"{name}.asc"
        key.write_text(call(*gpg, "--armor", "--export-secret-keys").stdout, encoding="utf-8")
        return key

    def make(self, *arguments: str, key: Path | None = None) -> subprocess.CompletedProcess[str]:
        return call(str(ROOT / "setup" / "archive"), "--key", str(key or self.key),
                    "--packages", str(self.packages), "--output", str(self.archive), *arguments)

    def made(self) -> Path:
        """The archive's keyring."""
        done = self.make()
        self.assertEqual(done.returncode, 0, done.stderr)
        return self.archive / "vpnha-archive.gpg"

    def apt(self, keyring: Path, *command: str,
            release: str = "bookworm") -> subprocess.CompletedProcess[str]:
        """On a machine that knows this archive and no other."""
        root = Path(self.enterContext(tempfile.TemporaryDirectory()))
        for name in ("etc/apt/sources.list.d", "state/lists/partial", "cache/archives/partial",
                     "keyrings", "trusted", "preferences.d", "download"):
            (root / name).mkdir(parents=True)
        (root / "status").touch()
        (root / "keyrings" / "vpnha.gpg").write_bytes(keyring.read_bytes())
        (root / "sources.list").write_text(
            f"deb [arch=amd64 signed-by={root}/keyrings/vpnha.gpg] copy:{self.archive} "
            f"{release} main\n", encoding="utf-8")
        options = [part for name, value in {
            "Dir::Etc::sourcelist": root / "sources.list",
            "Dir::Etc::sourceparts": root / "etc/apt/sources.list.d",
            "Dir::Etc::trusted": root / "trusted.gpg", "Dir::Etc::trustedparts": root / "trusted",
            "Dir::Etc::preferencesparts": root / "preferences.d", "Dir::State": root / "state",
            "Dir::State::status": root / "status", "Dir::Cache": root / "cache",
            "APT::Architecture": "amd64", "APT::Sandbox::User": "",
            "APT::Update::Error-Mode": "any",
        }.items() for part in ("-o", f"{name}={value}")]
        updated = call("apt-get", *options, "update")
        if updated.returncode or not command:
            return updated
        return subprocess.run([command[0], *options, *command[1:]], cwd=root / "download",
                              capture_output=True, text=True, check=False)

    def test_apt_takes_the_package_of_who_has_the_key(self):
        keyring = self.made()
        updated = self.apt(keyring)
        self.assertEqual(updated.returncode, 0, updated.stderr)
        policy = self.apt(keyring, "apt-cache", "policy", PACKAGE)
        self.assertIn(f"Candidate: {VERSION}", policy.stdout)
        taken = self.apt(keyring, "apt-get", "download", PACKAGE)
        self.assertEqual(taken.returncode, 0, taken.stderr)

    def test_each_release_is_offered_its_own_packages(self):
        other = self.top / "with a space"
        other.mkdir()
        self.put_package(NEWER, other)
        done = self.make("--packages", str(other))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("2 packages", done.stdout)
        keyring = self.archive / "vpnha-archive.gpg"
        for release, version in (("bookworm", VERSION), ("trixie", NEWER)):
            table = self.apt(keyring, "apt-cache", "madison", PACKAGE, release=release).stdout
            self.assertEqual([line.split("|")[1].strip() for line in table.splitlines()],
                             [version], table)

    def test_a_package_of_no_release_is_refused(self):
        self.put_package("1.2.3", self.packages)
        done = self.make()
        self.assertEqual(done.returncode, 1)
        self.assertIn("1.2.3_amd64.deb is of no release of Debian", done.stderr)

    def test_apt_refuses_another_key(self):
        own = self.made()
        stranger = self.archive.with_name("stranger.gpg")
        stranger.write_bytes(own.read_bytes())
        self.assertEqual(self.make(key=self.new_key("second")).returncode, 0)
        refused = self.apt(stranger)
        self.assertNotEqual(refused.returncode, 0)
        # Of gpgv, and of sqv, which newer ones of apt ask.
        self.assertRegex(refused.stderr, "NO_PUBKEY|Missing key")

    def test_apt_refuses_what_was_changed(self):
        keyring = self.made()
        package = next((self.archive / "pool").glob("*/*.deb"))
        package.write_bytes(package.read_bytes()[:-1] + b"x")
        self.assertNotEqual(self.apt(keyring, "apt-get", "download", PACKAGE).returncode, 0)
        index = self.archive / "dists/bookworm/main/binary-amd64/Packages"
        index.write_text(index.read_text(encoding="utf-8").replace(VERSION, "9"), encoding="utf-8")
        (index.parent / "Packages.gz").unlink()
        self.assertNotEqual(self.apt(keyring).returncode, 0)
        signed = self.archive / "dists/bookworm/InRelease"
        signed.write_text(signed.read_text(encoding="utf-8").replace("Origin: v", "Origin: w"),
                          encoding="utf-8")
        self.assertRegex(self.apt(keyring).stderr, "BADSIG|Message has been manipulated")

    def test_what_it_cannot_use_is_named(self):
        public = self.top / "public.gpg"
        public.write_bytes(self.made().read_bytes())
        for key, named in ((public, "has no secret key"), (self.top / "none", "cannot read")):
            done = self.make(key=key)
            self.assertEqual((done.returncode, named in done.stderr), (1, True), done.stderr)
        before = sorted(path.name for path in self.archive.rglob("*"))
        for package in self.packages.iterdir():
            package.unlink()
        done = self.make()
        self.assertEqual(done.returncode, 1)
        self.assertIn("run setup/debs", done.stderr)
        self.assertEqual(self.make("--nonsense").returncode, 2)
        # A failure leaves the archive that is there as it is.
        self.assertEqual(sorted(path.name for path in self.archive.rglob("*")), before)


if __name__ == "__main__":
    unittest.main()

# SPDX-License-Identifier: GPL-2.0-or-later
"""catalog.py ROOT [--write]: daemon/vpnha.catalog is made from the words of vpnhad(8).

`journalctl -x` prints an entry of it below a line with its MESSAGE_ID. That is a hash of the word:
host/systemd/journal.cpp makes the same.
"""
from __future__ import annotations

import hashlib
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

HEAD = """\
# SPDX-License-Identifier: GPL-2.0-or-later
# What journalctl -x prints below vpnhad's lines. Made from docs/man/vpnhad.8:
# tests/docs/catalog.py . --write
"""
# journalctl indents it by 3.
WIDTH = 76
FONTS = re.compile(r"^\.(B|I|BR|BI|IR|RB|RI|IB) (.*)$")


def message_id(word: str) -> str:
    return hashlib.blake2b(f"vpnha event {word}".encode(), digest_size=16).hexdigest()


def plain(line: str) -> str:
    """A line of roff as text; a macro with two fonts sets its words without a blank."""
    macro = FONTS.match(line)
    if macro:
        words = [quoted or bare for quoted, bare in re.findall(r'"([^"]*)"|(\S+)', macro[2])]
        line = (" " if len(macro[1]) == 1 else "").join(words)
    elif line.startswith("."):
        raise ValueError(f"{line}: no text of an event has that macro")
    for roff, text in ((r"\-", "-"), (r"\(dq", '"'), (r"\(lq", '"'), (r"\(rq", '"'), ("\\ ", " ")):
        line = line.replace(roff, text)
    return line


def words_of(manual: str) -> Iterator[tuple[str, str]]:
    """Each word of event=, and its text."""
    section = re.search(r"^\.SS Words of event=\n(.*?)^\.S[HS] ", manual, re.MULTILINE | re.DOTALL)
    for entry in section[1].split(".TP\n")[1:] if section else ():
        head, *lines = entry.rstrip("\n").split("\n")
        yield plain(head), textwrap.fill(" ".join(plain(line) for line in lines), WIDTH)


def catalog_of(manual: str) -> str:
    entries = [f"""\
-- {message_id(word)}
Subject: vpnhad: {word} @GATEWAY@
Defined-By: vpnha
Documentation: man:vpnhad(8)

{text}
""" for word, text in words_of(manual)]
    return "\n".join([HEAD, *entries])


def main(root: Path, writes: bool) -> int:
    path = root / "daemon/vpnha.catalog"
    wanted = catalog_of((root / "docs/man/vpnhad.8").read_text(encoding="utf-8"))
    if writes:
        path.write_text(wanted, encoding="utf-8")
    if not path.exists() or path.read_text(encoding="utf-8") != wanted or "\n-- " not in wanted:
        print("daemon/vpnha.catalog: not as vpnhad(8) has it; tests/docs/catalog.py . --write")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), "--write" in sys.argv))

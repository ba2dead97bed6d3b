#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The house rules that a compiler does not know, held by a test.

house_rules.py [ROOT]: one line per violation (PATH:LINE: RULE: WHAT), exit 1 when there is one.

A rule is a function from a tree of sources to violations. Exceptions stand beside the rules, each
with its reason; there is no way to switch a rule off from within a source.
"""

from __future__ import annotations

import io
import re
import sys
import tokenize
import types
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

import readmes
from arrows import (include_arrow, node_namespace, protocol_headers, protocol_names,
                    pure_cores, room_circles)
from sources import CODE, CPP, SELF, Tree, Violation, code_of

COLUMNS_MAX = 100
# Data members (name_) of a class.
MEMBERS_MAX = 20
# Modules (a header and its source are one) in a folder.
MODULES_MAX = 26

# bpf_ktime_get_ns() stands while the machine sleeps; the gate's deadlines are CLOCK_BOOTTIME.
CALLS = re.compile(
    r"(?<![\w.])(?:system|strcpy|strcat|sprintf|vsprintf|gets|bpf_ktime_get_ns)\s*\("
)
NETWORK_SOCKET = re.compile(
    r"(?<!\w)socket\(\s*(?:AF_(?!UNIX\b)\w+|[\w.>-]*family\b)|\bmnl_socket_open2?\s*\("
)
NETWORK_DESCRIPTOR = "libvpnha/src/host/os/network_descriptor.cpp"
# Made, not declared.
GATE_EFFECTS = re.compile(r"(?<!struct )\b(SetGate|LeaveGate|HoldGate|GiveBack)\s*\{")
GATE_DOOR = "libvpnha/src/cluster/gateway/gate.cpp"
TEMPORARY_PATHS = "tests/support/temporary_path.hpp"
SLEEPS = re.compile(r"\b(?:u|nano)?sleep(?:_for|_until)?\s*\(")
# The pause of a loop that polls for a condition: at most 50 ms.
POLL_PAUSE = re.compile(r"\btime\.sleep\(0\.0[0-5]\d*\)|\busleep\([1-5]?\d{1,4}\)")
USING_NAMESPACE = re.compile(r"^\s*using\s+namespace\b")
# Not std::error_code's, which cannot fail.
UNCHECKED = re.compile(r"(?<!error)\.value\(\)|(?<![\w.])popen\s*\(")
ROLE_WORDS = re.compile(r"(?<![\w-])(?:master|slave)s?(?![\w-])", re.IGNORECASE)
UNFINISHED = re.compile(r"\b(?:TODO|FIXME)\b")
MACHINE_PATHS = re.compile(r"(?<![\w.])/work/|\bpyenv\b")
SPDX = "SPDX-License-Identifier: GPL-2.0-or-later"

# The word of another program's interface, where it has no other.
ROLE_WORD_OF_OTHERS = re.compile(
    r"""["']master["']|\blink set \S+ master\b|IFLA_MASTER|\bnomaster\b|"""
    r"MPPE Master Key"
)
# Classes over MEMBERS_MAX, each with its reason.
LARGE_CLASSES: dict[str, str] = {
    "CharonRelay": "one message to charon and its answer: most members are what it waits for",
    "Daemon": "it only wires what has files of its own",
    "IpsecSas": "to be split by what it follows: IKE SAs, numbers, charon's role",
    "ResumedCall": "the state of one PPTP call, which no part of it may change alone",
}
# Folders over MODULES_MAX, each with its reason.
LARGE_FOLDERS = {
    "lab/tests": "one a module of vpnlab",
    "tests/sim": "one program",
}


def banned_calls(tree: Tree) -> Iterator[Violation]:
    for path, number, line in tree.lines(*CPP):
        call = CALLS.search(code_of(line))
        if call:
            yield Violation(path, number, "banned", call[0])
        if path.endswith((".hpp", ".h")) and USING_NAMESPACE.search(line):
            yield Violation(path, number, "banned", "using namespace in a header")
        unchecked = UNCHECKED.search(code_of(line))
        if unchecked and not re.search(r"(?:^|/)tests?/", path):
            yield Violation(path, number, "banned", unchecked[0])
    for path, number, line in tree.lines(".py"):
        if re.search(r"\bos\.(?:system|popen)\s*\(|shell\s*=\s*True", line):
            yield Violation(path, number, "banned", "a shell between us and a command")


def network_descriptors(tree: Tree) -> Iterator[Violation]:
    """What belongs to a network namespace is opened in one place."""
    for path, number, line in tree.lines(*CPP, under="libvpnha/src/"):
        opened = NETWORK_SOCKET.search(code_of(line))
        if opened and path != NETWORK_DESCRIPTOR:
            yield Violation(path, number, "netns", f"{opened[0]}: see {NETWORK_DESCRIPTOR}")


def one_door_to_the_gate(tree: Tree) -> Iterator[Violation]:
    """What opens, shuts or bends a gateway's gate is made in one file."""
    for path, number, line in tree.lines(*CPP, under="libvpnha/src/"):
        effect = GATE_EFFECTS.search(code_of(line))
        if effect and path != GATE_DOOR:
            yield Violation(path, number, "gate", f"{effect[1]}: see {GATE_DOOR}")


def no_sleep_in_tests(tree: Tree) -> Iterator[Violation]:
    for path, number, line in tree.lines(*CODE):
        if re.search(r"(?:^|/)tests/", path) and SLEEPS.search(POLL_PAUSE.sub("", code_of(line))):
            yield Violation(path, number, "sleep", "a test waits for a condition, not for time")


def own_temporary_paths(tree: Tree) -> Iterator[Violation]:
    """CTest runs tests of one program side by side: a path that two of them share is a race."""
    for path, number, line in tree.lines(*CODE, under="tests/"):
        if path != TEMPORARY_PATHS and "TempDir()" in line:
            yield Violation(path, number, "temporary", f"temporary_path(): see {TEMPORARY_PATHS}")


def words(tree: Tree) -> Iterator[Violation]:
    for path, number, line in tree.lines(""):
        role = ROLE_WORDS.search(ROLE_WORD_OF_OTHERS.sub("", line))
        if role and path != "LICENSE":
            yield Violation(path, number, "words", f"'{role[0]}': say promoted, unpromoted")
        unfinished = UNFINISHED.search(line)
        if unfinished:
            yield Violation(path, number, "words", f"{unfinished[0]}: finish it, or open an issue")
        if MACHINE_PATHS.search(line):
            yield Violation(path, number, "words", "a path of one machine")


def columns(tree: Tree) -> Iterator[Violation]:
    for path, number, line in tree.lines(*CODE):
        if len(line) > COLUMNS_MAX:
            yield Violation(path, number, "columns", f"{len(line)} > {COLUMNS_MAX}")


NOT_CODE = re.compile(
    r"""//[^\n]*|/\*.*?\*/|^[ \t]*\#(?:[^\n]*\\\n)*[^\n]*|R"(?P<end>\w*)\(.*?\)(?P=end)\""""
    r"""|"(?:[^"\\\n]|\\.)*"|(?<![0-9a-fA-F])'(?:[^'\\\n]|\\.)+'""",
    re.DOTALL | re.MULTILINE,
)
CLASS_HEAD = re.compile(r"\b(?:class|struct)\s+(\w+)(?:\s+final)?\s*(?::(?!:)[^;]*)?$")
MEMBER = re.compile(r"\b\w+_\s*(?:\[\s*\w*\s*\]\s*)*(?:=.*|\{\}|:\s*\w+)?$", re.DOTALL)


def classes(text: str) -> Iterator[tuple[str, int, int]]:
    """Each class of a source: its name, its line, how many data members it has.

    A member is a declaration at the top level of a class body whose name ends in an underscore;
    what stands in parentheses or in inner braces is none.
    """
    code = NOT_CODE.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)
    # Of each open brace: the class (none: another block), its line, its members, the text before.
    open_braces: list[tuple[str | None, int, list[str], str]] = []
    statement = ""
    line = 1
    parentheses = 0
    for token in re.findall(r"[{}();\n]|[^{}();\n]+", code):
        line += token == "\n"
        parentheses += (token == "(") - (token == ")")
        if parentheses or token == ")":
            continue
        if token == "{":
            head = CLASS_HEAD.search(statement.strip())
            open_braces.append((head[1] if head else None, line, [], statement))
            statement = ""
        elif token == "}" and open_braces:
            name, first, members, before = open_braces.pop()
            if name:
                yield name, first, len(members)
            statement = "" if name else before + "{}"
        elif token == ";":
            if open_braces and open_braces[-1][0] and MEMBER.search(statement.strip()):
                open_braces[-1][2].append(statement)
            statement = ""
        else:
            statement += token


def class_size(tree: Tree) -> Iterator[Violation]:
    sizes: dict[str, tuple[int, str, int]] = {}
    for path, text in tree.files.items():
        if path.endswith(CPP) and not path.startswith("tests/"):
            for name, line, count in classes(text):
                sizes[name] = max(sizes.get(name, (0, "", 0)), (count, path, line))
    for name, (count, path, line) in sizes.items():
        if count > MEMBERS_MAX and name not in LARGE_CLASSES:
            yield Violation(path, line, "class", f"{name}: {count} members > {MEMBERS_MAX}")
        elif count <= MEMBERS_MAX and name in LARGE_CLASSES:
            yield Violation(path, line, "class", f"{name} needs no exception any more")


def folder_size(tree: Tree) -> Iterator[Violation]:
    modules: dict[str, set[str]] = {}
    for path in tree.files:
        if path.endswith(CODE) and not path.endswith("/__init__.py"):
            folder, _, name = path.rpartition("/")
            modules.setdefault(folder, set()).add(name.split(".")[0])
    for folder, names in sorted(modules.items()):
        if len(names) > MODULES_MAX and folder not in LARGE_FOLDERS:
            yield Violation(folder, 1, "room", f"{len(names)} modules > {MODULES_MAX}")


def room_readmes(tree: Tree) -> Iterator[Violation]:
    for path, what in readmes.faults(tree.files):
        yield Violation(path, 1, "room", what)


def is_source(path: str, text: str) -> bool:
    name = PurePosixPath(path).name
    return (
        path.endswith((*CODE, ".sh", ".cmake"))
        or name == "CMakeLists.txt"
        or text.startswith("#!")
    )


def spdx(tree: Tree) -> Iterator[Violation]:
    for path, text in tree.files.items():
        if is_source(path, text) and SPDX not in "\n".join(text.splitlines()[:3]):
            yield Violation(path, 1, "spdx", f"'{SPDX}' is not at its top")


def every_source_built(tree: Tree) -> Iterator[Violation]:
    named = {name for path, text in tree.files.items() if path.endswith("CMakeLists.txt")
             for name in re.findall(r"\w+\.cpp", text)}
    for path in tree.files:
        # A fuzz target's name is made from its line.
        if path.endswith(".cpp") and not path.startswith("tests/fuzz/") and \
                PurePosixPath(path).name not in named:
            yield Violation(path, 1, "built", "no CMakeLists.txt names it")


def pragma_once(tree: Tree) -> Iterator[Violation]:
    for path, text in tree.files.items():
        if path.endswith(".hpp") and "\n#pragma once\n" not in text:
            yield Violation(path, 1, "pragma", "no #pragma once")


def uses(tree: Tree, name: str, but: tuple[str, ...]) -> bool:
    word = re.compile(rf"\b{re.escape(name)}\b")
    return any(
        word.search(text)
        for path, text in tree.files.items()
        if path.endswith(CPP) and path not in but and not path.startswith("tests/")
    )


def every_errc_used(tree: Tree) -> Iterator[Violation]:
    path = "libvpnha/include/vpnha/result.hpp"
    own = (path, "libvpnha/src/base/result.cpp")
    body = re.search(r"enum class Errc \{(.*?)\};", tree.files.get(path, ""), re.DOTALL)
    names = re.findall(r"^\s*(\w+),", body[1], re.MULTILINE) if body else []
    for name in names:
        if not uses(tree, f"Errc::{name}", own):
            yield Violation(path, 1, "unused", f"Errc::{name}")


def every_limit_used(tree: Tree) -> Iterator[Violation]:
    for path, text in tree.files.items():
        if path.startswith("libvpnha/src/") and path.endswith("/limits.hpp"):
            for name in re.findall(r"\b(k[A-Z]\w+)\s*(?:=|\{)", text):
                used_here = len(re.findall(rf"\b{name}\b", text)) > 1
                if not used_here and not uses(tree, name, (path,)):
                    yield Violation(path, 1, "unused", f"limits::{name}")


# Where the words of event= are that the sources below a folder log.
EVENT_MANUALS = {"libvpnha/src/": "docs/man/vpnhad.8", "witness/": "docs/man/vpnha-witness.8"}


def every_event_documented(tree: Tree) -> Iterator[Violation]:
    """Each word of event= that a program logs is in its manual, and the reverse."""
    for under, manual in EVENT_MANUALS.items():
        section = re.search(r"^\.SS Words of event=\n(.*?)^\.S[HS] ", tree.files.get(manual, ""),
                            re.MULTILINE | re.DOTALL)
        listed = re.findall(r"^\.TP\n\.B (\S+)$", section[1], re.MULTILINE) if section else []
        documented = {word.replace("\\-", "-") for word in listed}
        logged = set()
        for path, number, line in tree.lines(*CPP, under=under):
            for word in re.findall(r"event=([^\s\",:]*)", re.sub(r"^\s*//.*", "", line)):
                logged.add(word)
                if word not in documented:
                    yield Violation(path, number, "event", f"'{word}' is not in {manual}")
        for word in sorted(documented - logged):
            yield Violation(manual, 1, "event", f"nobody logs '{word}'")


# Words of the house that nobody else understands; docs/explain/glossary.md has others for them.
# As parts of names alone. A comment may quote them.
GONE_VERBS = ("tells?", "telling", "told", "untold", "hears?", "hearing", "heard", "unheard",
              "says?", "saying", "said", "lacks?", "lacking")
HOUSE_WORDS = re.compile(rf"(?:^|[_\W])(?:un)?(?:{'|'.join(GONE_VERBS)})(?:$|[_\W])"
                         r"|(?:^|[_\W])(?:lame|truth|doubt|obstacles?|in_the_way)(?:$|[_\W])")
# Where public names stand, and what is one there. Other tests hold these against the code.
PUBLIC_NAMES = {
    "docs/reference/control-protocol.md": re.compile(r'"(\w+)":|(?<=: )"([\w-]+)"|`([^`\s]+)`'),
    "docs/operate/metrics.md": re.compile(r"`(vpnha_\w+)`"),
    "docs/man/vpnhad.8": re.compile(r"^\.B (\S+)$"),
    "docs/man/vpnha-witness.8": re.compile(r"^\.B (\S+)$"),
}


def public_words(tree: Tree) -> Iterator[Violation]:
    for path, pattern in PUBLIC_NAMES.items():
        for number, line in enumerate(tree.files.get(path, "").splitlines(), 1):
            for found in pattern.finditer(line):
                for name in filter(None, found.groups()):
                    if HOUSE_WORDS.search(name.replace("\\-", "-")):
                        yield Violation(path, number, "public",
                                        f"'{name}': docs/explain/glossary.md has another word")


# Of these no name in the code is made any more, as that page has it; nor are they in the comments
# of headers, where they may not be words of another kind (acting).
GONE = ("lame", "truth", "doubt", "obstacles", "unsaid")
VERB_IN_NAME = "|".join(
    rf"(?:(?<![A-Za-z]){word}|{word.capitalize()})(?![a-z])" for word in GONE_VERBS) + (
    r"|(?:(?<![A-Za-z])go(?:es|ing)?_on|Go(?:es|ing)?On)(?![a-z])")
GONE_NAMES = re.compile(r"(?<![a-z])in_the_way(?![a-z])|" + "|".join(
    rf"(?:(?<![a-z])[{word[0].upper()}{word[0]}]|(?<=[a-z]){word[0].upper()}){word[1:]}"
    rf"{'' if word == 'doubt' else '(?![a-z])'}" for word in ("acting", *GONE)) +
    "|" + VERB_IN_NAME)
# The same in a name of Python: tell_peer, TOLD_LIMIT_S and ToldTest, not blackhole or SLACK.
GONE_IN_PYTHON = re.compile("|".join(
    (VERB_IN_NAME, *(rf"(?<![A-Z]){word.upper()}(?![A-Z])" for word in GONE_VERBS))))
PYTHON_PLACES = ("lab/", "tests/", "examples/")
GONE_COMMENTS = re.compile(rf"//.*?\b((?:{'|'.join(GONE)})s?)\b", re.IGNORECASE)


def gone_words(tree: Tree) -> Iterator[Violation]:
    for path, number, line in tree.lines(*CPP):
        found = GONE_NAMES.search(line) and GONE_NAMES.search(code_of(line))
        if not found and path.endswith((".hpp", ".h")):
            found = GONE_COMMENTS.search(line)
        if found:
            name = found[found.lastindex or 0]
            yield Violation(path, number, "word",
                            f"'{name}': docs/explain/glossary.md has another word")


def gone_python_names(tree: Tree) -> Iterator[Violation]:
    """A word in a string or in a comment is no name."""
    for path, text in tree.files.items():
        is_python = path.endswith(".py") or text.startswith("#!/usr/bin/python3")
        if not is_python or not path.startswith(PYTHON_PLACES):
            continue
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.NAME and GONE_IN_PYTHON.search(token.string):
                yield Violation(path, token.start[0], "word",
                                f"'{token.string}': docs/explain/glossary.md has another word")


# Phrases for which the field has a verb: continue, resume; except; miss, have no. A record "is gone
# on" a node: that is another phrase.
GONE_PHRASES = re.compile(r"\b(?:(?:go|goes|going|went) on|(?<!is )gone on|but for|lacks?)\b"
                          r"(?<!for lack)(?<!to lack)(?!…)", re.IGNORECASE)
# The third one quotes lintian's tag.
PHRASES_ALLOWED = ("CHANGELOG.md", "docs/explain/glossary.md",
                   "debian/vpnha-witness.lintian-overrides")


def gone_phrases(tree: Tree) -> Iterator[Violation]:
    for path, number, line in tree.lines(""):
        found = path not in PHRASES_ALLOWED and GONE_PHRASES.search(line)
        if found:
            yield Violation(path, number, "word",
                            f"'{found[0]}': docs/explain/glossary.md has another word")


# Not the lists of tests/docs.
DOCUMENT = re.compile(r"(?<![\w-])(?<!tests/)docs/[\w./-]+\.(?:md|json|example|\d)\b")


def every_document_there(tree: Tree) -> Iterator[Violation]:
    """What a source, a text for users or a rule here names below docs/ is there."""
    for path, text in tree.files.items():
        for number, line in enumerate(text.splitlines() if path != SELF[1] else (), 1):
            for named in DOCUMENT.findall(line):
                if named not in tree.files:
                    yield Violation(path, number, "document", f"there is no {named}")


FAILURE_MODEL = "docs/explain/failure-model.md"
FOUND_BY_TOOLS = "docs/reference/found-by-tools.md"
CHECKER_RUNS = "tests/checker/runs.cpp"
FOUND_SEEDS = "tests/sim/found.txt"


def proofs(tree: Tree) -> set[str]:
    """Whatever a column "shown by" may name, as it is named there."""
    known = {f"`{PurePosixPath(path).stem}`" for path in tree.files
             if path.startswith("lab/scenarios/")}
    for path, text in tree.files.items():
        if path.startswith("tests/") and path.endswith(".cpp"):
            tests = re.findall(r"^TEST(?:_\w)?\((\w+),\s*(\w+)\)", text, re.MULTILINE)
            known |= {f"`{suite}.{name}`" for suite, name in tests}
        if path.startswith("tests/fuzz/") and path.endswith("_fuzz.cpp"):
            known.add(f"`fuzz_corpus.{PurePosixPath(path).stem.removesuffix('_fuzz')}`")
    runs = re.findall(r'\.name = "([\w-]+)"', tree.files.get(CHECKER_RUNS, ""))
    seeds = re.findall(r"^(\d+) ", tree.files.get(FOUND_SEEDS, ""), re.MULTILINE)
    return (known | {f"`{path}`" for path in tree.files} | {f"run `{name}`" for name in runs}
            | {f"seed `{seed}`" for seed in seeds})


def every_failure_shown(tree: Tree) -> Iterator[Violation]:
    """Each row of a table with a column "shown by" names what shows it, and that exists; the
    failure model's tables of events have that column."""
    known = proofs(tree)
    for path in (FAILURE_MODEL, FOUND_BY_TOOLS):
        yield from unshown(path, tree.files.get(path, ""), known)


def unshown(path: str, text: str, known: set[str]) -> Iterator[Violation]:
    in_table = False
    before = ""
    for number, line in enumerate(text.splitlines(), 1):
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if not cells:
            in_table = False
        elif not before.startswith("|"):
            in_table = cells[-1] == "shown by"
            if not in_table and cells[0] in ("event", "the victim"):
                yield Violation(path, number, "shown", "no column 'shown by'")
        # A row of one cell is a heading.
        elif in_table and not line.startswith("|---") and any(cells[1:]) and cells[-1] != "–":
            named = re.findall(r"(?:(?:run|seed) )?`[^`]*`", cells[-1])
            if not named:
                yield Violation(path, number, "shown", "by nothing; write – for that")
            for name in named:
                if name not in known:
                    yield Violation(path, number, "shown", f"there is no {name}")
        before = line


PERFORMANCE = "docs/explain/performance.md"
MEASURED_BY = re.compile(r"`(?:tests/bench/run|lab/lab run) [^`]+`")


def every_figure_made(tree: Tree) -> Iterator[Violation]:
    """Each section with figures has the command that makes them."""
    sections = re.split(r"^## ", tree.files.get(PERFORMANCE, ""), flags=re.MULTILINE)[1:]
    for section in sections:
        if re.search(r"\d", section) and not MEASURED_BY.search(section):
            yield Violation(PERFORMANCE, 1, "command", f"none in {section.splitlines()[0]!r}")


# A figure with a unit of time, speed, size or share; and what makes a paragraph one about a run.
FIGURE = re.compile(r"\d ?(?:ms|µs|us|ns|s|MB|kB|Mbit/s|Gbit/s|%)(?![\w/])")
OF_A_RUN = re.compile(r"\b(?:in the lab|on this (?:host|machine)|medians?|last run|"
                      r"(?:\d+|one|two|three|four|five|all|both) runs?)\b", re.IGNORECASE)
MADE_BY = re.compile(r"`(?:tests/bench/|lab/lab |spec/|vpnha-checker|\./)[^`]*`|\bby hand\b|"
                     r"reckoned|performance\.md|evidence\.md|soak\.md", re.IGNORECASE)
# A row of a table, an entry of a list, or a paragraph.
PART = re.compile(r"^\|[^\n]*|(?:(?!\n\n|\n- |^\|).)+", re.DOTALL | re.MULTILINE)


def every_run_named(tree: Tree) -> Iterator[Violation]:
    """Each paragraph, list entry and row of the documents that has figures of a run names what made
    them, or that no command does. A row may leave that to the head of its table, or to the
    paragraph before it. Sections of docs/explain/performance.md have a rule of their own."""
    scenarios = {PurePosixPath(path).stem for path in tree.files
                 if path.startswith("lab/scenarios/")}

    def names_maker(words: str) -> bool:
        return bool(MADE_BY.search(words)) or not scenarios.isdisjoint(
            re.findall(r"`([a-z][\w.-]*)`", words))

    for path, text in tree.files.items():
        if (path != "README.md" and not path.startswith("docs/") or not path.endswith(".md")
                or path == PERFORMANCE):
            continue
        above = ""
        for part in PART.finditer(text):
            words = part[0]
            if words.isspace():
                continue
            is_row = words.startswith("|")
            if (FIGURE.search(words) and OF_A_RUN.search(words)
                    and not names_maker(above + words if is_row else words)):
                yield Violation(path, text.count("\n", 0, part.start()) + 1, "figure",
                                "of a run without what made it")
            # Of a table the head stays, with what is before it.
            if not is_row:
                above = words
            elif "|" not in above:
                above += words


BENCHMARK = "tests/bench/vpnbench/cli.py"
MAKER = re.compile(r"lab/lab run ([a-z][\w-]*(?:\.\d+)?)|tests/bench/run (?:--quick )?--only (\w+)")
# The first column of a table whose rows are runs.
OF_RUNS = ("scenario", "`lab/lab run`")


def every_maker_there(tree: Tree) -> Iterator[Violation]:
    """A scenario or a part of the benchmark that a document names as a figure's maker is there."""
    scenarios = {PurePosixPath(path).stem for path in tree.files
                 if path.startswith("lab/scenarios/")}
    parts = set(re.findall(r'"(\w+)"', tree.files.get(BENCHMARK, "")))
    for path, text in tree.files.items():
        of_runs = False
        for number, line in enumerate(text.splitlines() if path.endswith(".md") else (), 1):
            first = line.split("|")[1].strip() if line.startswith("|") else ""
            of_runs = bool(first) and (of_runs or first in OF_RUNS)
            named = {(name, "") for name in re.findall(r"`([a-z][\w.-]*)`", first) if of_runs}
            for scenario, part in {*MAKER.findall(line), *named}:
                if scenario and scenario not in scenarios:
                    yield Violation(path, number, "maker", f"there is no scenario {scenario}")
                if part and part not in parts:
                    yield Violation(path, number, "maker", f"tests/bench/run has no part {part}")


INSTEAD = "docs/explain/instead.md"
TECHNIQUES = "tests/tidy/techniques.txt"
ANSWERS = re.compile(r"(?:works|instead: .+|not (?:needed|here|yet|tried))$")
# What is missing and belongs here is missing for a reason.
REASON = re.compile(r"\b(?:because|needs?)\b")


def every_technique_answered(tree: Tree) -> Iterator[Violation]:
    """Each technique that a user may expect by name is in a table of docs/explain/instead.md."""
    named = []
    in_table = False
    for number, line in enumerate(tree.files.get(INSTEAD, "").splitlines(), 1):
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if not line.startswith("|"):
            in_table = False
        elif cells[0] == "technique":
            in_table = True
        elif in_table and not line.startswith("|---"):
            named.append(cells[0])
            if len(cells) != 3 or not ANSWERS.match(cells[1]) or not cells[2]:
                yield Violation(INSTEAD, number, "instead", f"no answer to '{cells[0]}'")
            elif cells[1] == "not yet" and not REASON.search(cells[2]):
                yield Violation(INSTEAD, number, "instead", f"why not yet '{cells[0]}'?")
    listed = [line for line in tree.files.get(TECHNIQUES, "").splitlines()
              if line and not line.startswith("#")]
    if named and not listed:
        yield Violation(TECHNIQUES, 1, "instead", "lists no technique")
    for technique in listed:
        word = re.compile(rf"(?<!\w){re.escape(technique)}(?!\w)", re.IGNORECASE)
        if not any(word.search(name) for name in named):
            yield Violation(INSTEAD, 1, "instead", f"'{technique}' is missing")


# Where the version of a release stands; each is to be that of the first.
RELEASED_AS = {
    "CMakeLists.txt": r"^project\(vpnha VERSION (\S+)",
    "CHANGELOG.md": r"^## (\S+) \(\d{4}-\d\d-\d\d\)$",
    "debian/changelog": r"^vpnha \(([^)]+)\)",
    "ansible/galaxy.yml": r"^version: (\S+)$",
    "tests/api/api_test.cpp": r"EXPECT_EQ\(version\(\), \"([^\"]*)\"\)",
}


def one_version(tree: Tree) -> Iterator[Violation]:
    """Library, packages, collection and notes of a release have one version."""
    versions = {}
    for path, pattern in RELEASED_AS.items():
        if path in tree.files:
            found = re.search(pattern, tree.files[path], re.MULTILINE)
            versions[path] = found[1] if found else None
    wanted = next(filter(None, versions.values()), None)
    for path, version in versions.items():
        if version != wanted:
            yield Violation(path, 1, "version", f"{version} instead of {wanted}")


# Programs that plant faults, and the table of them: each fault has pairs of an old and a new text.
PLANTING = {"tests/sim/mutate": "MUTATIONS", "tests/unit/mutate": "MUTATIONS",
            "tests/checker/mutate": "LOOSENED"}


def every_fault_planted(tree: Tree) -> Iterator[Violation]:
    """The text that a planted fault replaces is in its file once."""
    for path, table in PLANTING.items():
        if path not in tree.files:
            continue
        module = types.ModuleType(table)
        module.__file__ = str(Path(__file__).resolve().parents[2] / path)  # ctest runs elsewhere.
        sys.modules[table] = module
        exec(compile(tree.files[path], path, "exec"), vars(module))
        faults = getattr(module, table)
        for name, fault in (faults.items() if isinstance(faults, dict) else
                            [(each.name, each) for each in faults]):
            for change in fault.changes:
                file, old = (change[0], change[1]) if len(change) == 3 else (fault.file, change[0])
                count = tree.files.get(file, "").count(old)
                if count != 1:
                    yield Violation(path, 1, "planted", f"{name}: {file} has its text {count} "
                                    "times")


RULES: tuple[Callable[[Tree], Iterator[Violation]], ...] = (
    include_arrow,
    pure_cores,
    banned_calls,
    network_descriptors,
    one_door_to_the_gate,
    no_sleep_in_tests,
    own_temporary_paths,
    words,
    columns,
    class_size,
    folder_size,
    room_circles,
    room_readmes,
    protocol_headers,
    spdx,
    every_source_built,
    pragma_once,
    every_errc_used,
    every_limit_used,
    every_event_documented,
    every_failure_shown,
    every_figure_made,
    every_run_named,
    every_maker_there,
    every_technique_answered,
    one_version,
    gone_words,
    gone_python_names,
    gone_phrases,
    public_words,
    every_document_there,
    every_fault_planted,
    protocol_names,
    node_namespace,
)


def check(tree: Tree) -> list[Violation]:
    return [violation for rule in RULES for violation in rule(tree)]


def main(arguments: list[str]) -> int:
    root = Path(arguments[0]) if arguments else Path(__file__).resolve().parents[2]
    tree = Tree.read(root)
    if not tree.files:
        print(f"house_rules.py: no sources in {root}", file=sys.stderr)
        return 2
    violations = check(tree)
    for violation in violations:
        print(violation)
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Each rule of house_rules.py, seen red on a small sample and green on its neighbour."""

import contextlib
import io
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import arrows
import house_rules
import readmes
from sources import Tree

SPDX = "// SPDX-License-Identifier: GPL-2.0-or-later\n"
LIMITS = "libvpnha/src/base/limits.hpp"
RESULT = "libvpnha/include/vpnha/result.hpp"


def found(rule, files):
    return [str(violation) for violation in rule(Tree(files))]


class HouseRulesTest(unittest.TestCase):
    def red(self, rule, path, text, where=1):
        violations = found(rule, {path: text})
        self.assertEqual(len(violations), 1, violations)
        self.assertTrue(violations[0].startswith(f"{path}:{where}: "), violations)

    def green(self, rule, path, text):
        self.assertEqual(found(rule, {path: text}), [])

    def test_every_source_is_built(self):
        rule = house_rules.every_source_built
        build = {"tests/unit/CMakeLists.txt": "add_executable(x a.cpp ${OTHERS}/b.cpp)"}
        self.assertEqual(found(rule, {**build, "tests/unit/a.cpp": "", "tests/b.cpp": "",
                                      "tests/fuzz/c_fuzz.cpp": "", "tests/unit/d.hpp": ""}), [])
        self.assertEqual(found(rule, {**build, "tests/unit/c.cpp": ""}),
                         ["tests/unit/c.cpp:1: built: no CMakeLists.txt names it"])

    def test_the_include_arrow_points_down(self):
        rule = arrows.include_arrow
        red = {
            "libvpnha/src/base/x.cpp": "protocols/ppp/model/link_options.hpp",
            "libvpnha/src/cluster/replica/x.cpp": "cluster/takeover/takeover.hpp",
            "libvpnha/src/cluster/effects/x.hpp": "protocols/l2tp/work.hpp",
            "libvpnha/src/cluster/node/x.cpp": "ports/gate.hpp",
            "libvpnha/src/protocols/ppp/model/x.hpp": "protocols/l2tp/model/seq16.hpp",
            "libvpnha/src/protocols/l2tp/model/x.hpp": "cluster/wire/message.hpp",
            "libvpnha/src/protocols/l2tp/keeper/x.cpp": "protocols/pptp/model/gre.hpp",
            "libvpnha/src/protocols/l2tp/keeper/y.cpp": "protocols/l2tp/backend/pppol2tp.hpp",
            "libvpnha/src/protocols/l2tp/backend/x.cpp": "protocols/l2tp/keeper/sessions.hpp",
            "libvpnha/src/protocols/l2tp/backend/y.cpp": "protocols/ppp/keeper/ppp_keeper.hpp",
            "libvpnha/src/protocols/sstp/backend/x.cpp": "protocols/keeper.hpp",
            "libvpnha/src/protocols/l2tp/work.hpp": "protocols/l2tp/keeper/sessions.hpp",
            "libvpnha/src/protocols/ipsec/service/x.cpp": "protocols/ipsec/backend/ipsec.hpp",
            "libvpnha/src/services/flows/keeper/x.cpp": "services/accounting/keeper/accounts.hpp",
            "libvpnha/src/ports/x.hpp": "cluster/replica/replica.hpp",
            "libvpnha/src/host/x.cpp": "ocf/agent.hpp",
            "libvpnha/src/host/os/x.cpp": "protocols/pptp/model/gre.hpp",
            "libvpnha/include/vpnha/x.hpp": "base/bytes.hpp",
            "libvpnha/src/new_layer/x.cpp": "base/bytes.hpp",
            "libvpnha/src/protocols/l2tp/attic/x.cpp": "base/bytes.hpp",
            "cli/x.cpp": "daemon/main.hpp",
            "libvpnha/src/ocf/x.cpp": "agents/agents.hpp",
            "stonith/x.cpp": "agents/agents.hpp",
            "cli/y.cpp": "stonith/settings.hpp",
        }
        for path, included in red.items():
            with self.subTest(path=path):
                self.red(rule, path, SPDX + f'#include "{included}"\n', where=2)
        green = {
            "libvpnha/src/protocols/l2tp/model/x.cpp": "protocols/ppp/model/link_endpoint.hpp",
            "libvpnha/src/protocols/l2tp/model/y.cpp": "protocols/l2tp/model/seq16.hpp",
            "libvpnha/src/protocols/sstp/keeper/x.cpp": "protocols/sstp/work.hpp",
            "libvpnha/src/protocols/sstp/keeper/y.cpp": "protocols/ppp/keeper/ppp_keeper.hpp",
            "libvpnha/src/protocols/pptp/model/x.cpp": "protocols/pptp/mppe/sender.hpp",
            "libvpnha/src/cluster/gateway/watch/x.cpp": "cluster/gateway/lease/grants.hpp",
            "libvpnha/src/daemon/x.cpp": "cluster/node/node.hpp",
            "libvpnha/src/daemon/views/x.cpp": "protocols/ppp/backend/stray_sessions.hpp",
            "libvpnha/src/base/x.cpp": "vpnha/result.hpp",
            "daemon/main.cpp": "host/os/qb_loop.hpp",
            "cli/y.cpp": "cli/table.hpp",
            "tests/unit/protocols/l2tp/x_test.cpp": "support/random.hpp",
        }
        for path, included in green.items():
            with self.subTest(path=path):
                self.green(rule, path, SPDX + f'#include "{included}"\n')

    def test_a_folder_holds_26_modules(self):
        rule = house_rules.folder_size
        many = {f"cli/m{n}.{suffix}": SPDX for n in range(26) for suffix in ("cpp", "hpp")}
        self.assertEqual(found(rule, many), [])
        self.assertEqual(len(found(rule, {**many, "cli/one_more.cpp": SPDX})), 1)

    def test_rooms_include_one_another_without_a_circle(self):
        rule = arrows.room_circles
        host = "libvpnha/src/host"
        down = {f"{host}/gate/x.cpp": SPDX + '#include "host/os/y.hpp"\n',
                f"{host}/lease/x.cpp": SPDX + '#include "host/gate/x.hpp"\n'}
        self.assertEqual(found(rule, down), [])
        back = {f"{host}/os/y.cpp": SPDX + '#include "host/lease/x.hpp"\n'}
        self.assertEqual(len(found(rule, {**down, **back})), 3)

    def test_few_sources_elsewhere_see_a_protocols_headers(self):
        rule = arrows.protocol_headers
        root = "libvpnha/src"
        call = "protocols/pptp/model/call.hpp"
        header = f"{root}/{call}"
        files = {header: "", f"{root}/daemon/all.hpp": f'#include "{call}"\n',
                 f"{root}/protocols/pptp/keeper/calls.cpp": f'#include "{call}"\n',
                 f"{root}/protocols/pptp/mppe/keys.cpp": '#include "daemon/all.hpp"\n',
                 **{f"{root}/cluster/node/{each}.cpp": '#include "daemon/all.hpp"\n'
                    for each in range(arrows.FOREIGN_MAX)}}
        self.assertEqual(found(rule, files), [])
        red = found(rule, {**files, f"{root}/cluster/node/one.cpp": f'#include "{call}"\n'})
        self.assertEqual(len(red), 1, red)
        self.assertTrue(red[0].startswith(f"{header}:1: protocol: 10 sources"), red)

    def test_few_sources_elsewhere_name_a_protocol(self):
        rule = arrows.protocol_names
        root = "libvpnha/src"
        none = {f"{root}/protocols/pptp/keeper/x.cpp": "pptp::Call call;",
                "agents/pptpd.cpp": "pptpd();", "probe/options.cpp": "pptp();",
                "tests/unit/x.cpp": "pptp::Call call;",
                f"{root}/config/x.cpp": '// PPTP\n/* pptp\n */ say("clients of pptp", \'"\');'}
        one = {f"{root}/config/y.cpp": "gateway.pptp;", "cli/y.c": 'at("pptpd")'}
        with mock.patch.dict(arrows.NAMING_MAX, {"pptp": 0}, clear=True):
            self.assertEqual(found(rule, none), [])
            red = found(rule, {**none, **one})
            self.assertEqual(len(red), 1, red)
            self.assertIn("2 sources elsewhere name pptp, and the limit is 0: "
                          f"{root}/config/y.cpp, cli/y.c", red[0])
        with mock.patch.dict(arrows.NAMING_MAX, {"pptp": 3}, clear=True):
            self.assertIn("the limit is 3", found(rule, {**one, "tests/tidy/arrows.py": ""})[0])

    def test_few_sources_elsewhere_open_the_namespace_of_the_node(self):
        rule = arrows.node_namespace
        root = "libvpnha/src"
        opens = "namespace vpnha::node {\n}  // namespace vpnha::node\n"
        none = {f"{root}/cluster/node/x.hpp": opens, f"{root}/cluster/gateway/watch/x.cpp": opens,
                "tests/unit/x.cpp": opens, f"{root}/base/x.hpp": "namespace vpnha {\n"}
        one = {f"{root}/base/y.hpp": opens}
        with mock.patch.object(arrows, "NODE_NAMESPACE_MAX", 0):
            self.assertEqual(found(rule, none), [])
            red = found(rule, {**none, **one})
            self.assertEqual(len(red), 1, red)
            self.assertIn(f"1 sources elsewhere open vpnha::node, and the limit is 0: {root}/base/y"
                          ".hpp", red[0])
        with mock.patch.object(arrows, "NODE_NAMESPACE_MAX", 2):
            self.assertIn("the limit is 2", found(rule, {**one, "tests/tidy/arrows.py": ""})[0])

    def test_cores_are_pure(self):
        rule = arrows.pure_cores
        core = "libvpnha/src/protocols/l2tp/keeper/x.cpp"
        worldly = ("libvpnha/src/host/os/x.cpp", "libvpnha/src/protocols/l2tp/backend/x.cpp",
                   "libvpnha/src/protocols/l2tp/service/x.cpp")
        for text in (
            "#include <sys/socket.h>",
            "#include <corosync/cpg.h>",
            "#include <systemd/sd-daemon.h>",
            "#include <linux/if.h>",
            "#include <qb/qbloop.h>",
            "#include <unistd.h>",
            "#include <netinet/in.h>",
            "#include <arpa/inet.h>",
            "#include <fstream>",
            "#include <filesystem>",
            "    clock_gettime(CLOCK_BOOTTIME, &now);",
            "    auto now = std::chrono::steady_clock::now();",
            "    int n = rand();",
            "    srand (1);",
            '    if (getenv("HOME"))',
            "    std::random_device device;",
            '    syslog(LOG_INFO, "x");',
            "    auto t = time(nullptr);",
        ):
            with self.subTest(text=text):
                self.red(rule, core, text + "\n")
                self.red(rule, "libvpnha/src/protocols/backend.hpp", text + "\n")
                for path in worldly:
                    self.green(rule, path, text + "\n")
        for text in ("#include <chrono>", "// Never rand() here.", "    operand(1);", '  "rand()"'):
            with self.subTest(text=text):
                self.green(rule, core, text + "\n")

    def test_banned_calls(self):
        rule = house_rules.banned_calls
        for text in ('system("ls");', "::strcpy(a, b);", 'sprintf(a, "x");', "strcat(a, b);",
                     "vsprintf(a, b, c);", "x.value();", 'popen("ls", "r");'):
            with self.subTest(text=text):
                self.red(rule, "daemon/x.cpp", text + "\n")
        for text in ("file_system(1);", "snprintf(a, 1, b);", "// system() never", "x.value_or(1);",
                     "error.value();", "event_system (1);"):
            with self.subTest(text=text):
                self.green(rule, "daemon/x.cpp", text + "\n")
        gate = "libvpnha/src/host/x.bpf.c"
        self.red(rule, gate, "    if (bpf_ktime_get_ns() < limit) {\n")
        self.green(rule, gate, "    if (bpf_ktime_get_boot_ns() < limit) {\n")
        self.red(rule, "daemon/x.hpp", "using namespace std;\n")
        self.green(rule, "daemon/x.cpp", "using namespace std;\n")
        self.green(rule, "tests/unit/x_test.cpp", "x.value();\n")
        self.red(rule, "lab/x.py", 'os.system("ls")\n')
        self.red(rule, "lab/x.py", "subprocess.run(text, shell=True)\n")

    def test_tests_do_not_sleep(self):
        rule = house_rules.no_sleep_in_tests
        for path, text in (
            ("tests/unit/x_test.cpp", "sleep(1);"),
            ("tests/unit/x_test.cpp", "usleep(100000);"),
            ("tests/unit/x_test.cpp", "std::this_thread::sleep_for(1s);"),
            ("lab/tests/test_x.py", "time.sleep(1)"),
            ("lab/tests/test_x.py", "time.sleep(0.5)"),
            ("lab/tests/test_x.py", "time.sleep(0.1)"),
        ):
            with self.subTest(text=text):
                self.red(rule, path, text + "\n")
        self.green(rule, "tests/unit/x_test.cpp", "usleep(1000);\n")
        self.green(rule, "lab/tests/test_x.py", "time.sleep(0.01)\n")
        self.green(rule, "lab/vpnlab/x.py", "time.sleep(1)\n")
        self.green(rule, "tests/unit/x_test.cpp", "asleep(1);\n")

    def test_tests_share_no_temporary_path(self):
        rule = house_rules.own_temporary_paths
        text = 'const std::string path = ::testing::TempDir() + "hosts";\n'
        self.red(rule, "tests/unit/x_test.cpp", text)
        self.green(rule, house_rules.TEMPORARY_PATHS, text)
        self.green(rule, "tests/unit/x_test.cpp", 'const auto path = temporary_path("hosts");\n')

    def test_words(self):
        rule = house_rules.words
        for text in ("the master node", "Slaves", "# TODO later", "FIXME", "cd /work/x", "pyenv"):
            with self.subTest(text=text):
                self.red(rule, "docs/x.md", text + "\n")
        for text in ("crm_master", "IFLA_MASTER", "link set tap0 master br0", 'link["master"]',
                     "mastery", "This is the MPPE Master Key", "todo", "/usr/work/x", "src/work/"):
            with self.subTest(text=text):
                self.green(rule, "docs/x.md", text + "\n")
        self.green(rule, "LICENSE", "the master copy\n")

    def test_columns(self):
        rule = house_rules.columns
        self.red(rule, "daemon/x.cpp", "x" * 101 + "\n")
        self.green(rule, "daemon/x.cpp", "ü" * 100 + "\n")
        self.green(rule, "docs/x.md", "x" * 300 + "\n")

    def test_network_descriptors_are_opened_in_one_place(self):
        rule = house_rules.network_descriptors
        own = house_rules.NETWORK_DESCRIPTOR
        for call in ("socket(AF_INET, type, 0)", "::socket(address.family(), type, 0)",
                     "mnl_socket_open2(bus, 0)"):
            with self.subTest(call=call):
                self.red(rule, "libvpnha/src/host/lease/x.cpp", f"    fd({call});\n")
                self.green(rule, own, f"    fd({call});\n")
        for call in ("socket(AF_UNIX, type, 0)", "open_network_socket(AF_INET, type)",
                     "socket(raw)"):
            with self.subTest(call=call):
                self.green(rule, "libvpnha/src/host/lease/x.cpp", f"    fd({call});\n")

    def test_one_file_makes_the_effects_of_the_gate(self):
        rule = house_rules.one_door_to_the_gate
        for effect in ("SetGate{id, {}}", "effects::LeaveGate{id}", "HoldGate {id}",
                       "GiveBack{id}"):
            with self.subTest(effect=effect):
                self.red(rule, "libvpnha/src/cluster/gateway/x.cpp", f"    made({effect});\n")
                self.green(rule, house_rules.GATE_DOOR, f"    made({effect});\n")
                self.green(rule, "tests/unit/x_test.cpp", f"    made({effect});\n")
        for text in ("struct SetGate {", "// SetGate{}", "    execute(SetGate& gate) {"):
            with self.subTest(text=text):
                self.green(rule, "libvpnha/src/cluster/effects/effects.hpp", text + "\n")

    def test_members_of_a_class(self):
        rule = house_rules.class_size

        def sample(count, name="Sample"):
            members = "".join(f"    std::map<int, A> m{i}_;\n" for i in range(count - 4))
            return f"""{SPDX}namespace x {{
class {name} final : public Base {{
  public:
    explicit {name}(int a) : a_(a), b_{{a}} {{ int local_ = 0; use(local_); }}
    bool is() const {{ return a_ == b_; }}
    void call(int given_ = 0, std::string_view text = "{{;");
    struct Inner {{
        int inner_ = 0;
    }};

  private:
{members}    int a_ = f(1);
    // int comment_;
    int b_{{}};
    char text_[20];
    unsigned bits_ : 3;
}};
}}
"""
        self.green(rule, "daemon/x.hpp", sample(20))
        self.red(rule, "daemon/x.hpp", sample(21), where=3)
        self.red(rule, "daemon/x.cpp", sample(21), where=3)
        self.green(rule, "tests/unit/x.hpp", sample(21))

    def test_a_large_class_is_an_exception_no_longer_than_it_is_large(self):
        rule = house_rules.class_size
        name = next(iter(house_rules.LARGE_CLASSES))
        members = "".join(f"int m{i}_;" for i in range(21))
        self.green(rule, "daemon/x.hpp", f"class {name} {{ {members} }};")
        self.red(rule, "daemon/x.hpp", f"class {name} {{ int m_; }};")

    def test_spdx(self):
        rule = house_rules.spdx
        for path in ("a.cpp", "a.hpp", "a.c", "a.h", "a.py", "a.sh", "a.cmake", "x/CMakeLists.txt"):
            with self.subTest(path=path):
                self.red(rule, path, "#\n\n\n\n" + SPDX)
                self.green(rule, path, SPDX)
        self.red(rule, "lab/lab", "#!/bin/sh\ntrue\n")
        self.green(rule, "lab/lab", "#!/bin/sh\n# SPDX-License-Identifier: GPL-2.0-or-later\n")
        self.green(rule, "README.md", "# vpnha\n")

    def test_pragma_once(self):
        self.red(house_rules.pragma_once, "daemon/x.hpp", SPDX)
        self.green(house_rules.pragma_once, "daemon/x.hpp", SPDX + "#pragma once\n")

    def test_every_errc_is_used(self):
        declared = "enum class Errc {\n    malformed,  // Bytes.\n    busy,\n};\n"
        name = {"libvpnha/src/base/result.cpp": "Errc::malformed Errc::busy"}
        used = {"daemon/x.cpp": "fail(Errc::malformed)", "tests/x_test.cpp": "Errc::busy"}
        violations = found(house_rules.every_errc_used, {RESULT: declared, **name, **used})
        self.assertEqual(violations, [f"{RESULT}:1: unused: Errc::busy"])

    def test_every_limit_is_used(self):
        declared = (
            "inline constexpr std::size_t kUsed = 1;\n"
            "inline constexpr std::size_t kBase = 2;\n"
            "inline constexpr std::size_t kDerived = 2 * kBase;\n"
            "inline constexpr std::chrono::seconds kUnused{1};\n"
        )
        use = {"daemon/x.cpp": "limits::kUsed limits::kDerived kUnusedToo"}
        violations = found(house_rules.every_limit_used, {LIMITS: declared, **use})
        self.assertEqual(violations, [f"{LIMITS}:1: unused: limits::kUnused"])

    def test_every_event_is_documented(self):
        manual = "docs/man/vpnhad.8"
        listed = (".SS Words of event=\n.TP\n.B gate\\-open\nIt may speak.\n.TP\n.B gone\nGone.\n"
                  ".SH FILES\n.TP\n.B other\nNone.\n")
        source = '// event=comment\nlog("open event=gate-open {}");\nlog("x event=lost: {}");\n'
        violations = found(house_rules.every_event_documented,
                           {manual: listed, "libvpnha/src/cluster/node/x.cpp": source})
        self.assertEqual(violations, [
            f"libvpnha/src/cluster/node/x.cpp:3: event: 'lost' is not in {manual}",
            f"{manual}:1: event: nobody logs 'gone'"])
        witness = {"docs/man/vpnha-witness.8": listed, "witness/x.cpp": source}
        self.assertEqual(found(house_rules.every_event_documented, witness), [
            "witness/x.cpp:3: event: 'lost' is not in docs/man/vpnha-witness.8",
            "docs/man/vpnha-witness.8:1: event: nobody logs 'gone'"])
        dynamic = {"libvpnha/src/cluster/node/x.cpp": 'log("x event={}");\n'}
        self.assertEqual(len(found(house_rules.every_event_documented, dynamic)), 1)

    def test_every_document_is_there(self):
        rule = house_rules.every_document_there
        self.red(rule, "cli/x.cpp", '"see docs/nowhere.md."')
        self.red(rule, "tests/x.cpp", 'contents_of(ROOT "/docs/man/vpnha.8")')
        self.green(rule, "tests/x.py", "tests/docs/options/pppd.8.txt, docs/, docs/adr")
        self.assertEqual(found(rule, {"cli/x.cpp": "// docs/use/a.md", "docs/use/a.md": ""}), [])

    def test_public_names_are_the_fields(self):
        red = {
            "docs/reference/control-protocol.md": (
                '  "records": {"unsaid": 0},', '  "heard": true,', "| `records.unsaid` | no |",
                "| `in_the_way` | why |", '"role": "lame"', "| `role` | `promoted`, `lame` |"),
            "docs/operate/metrics.md": ("| `vpnha_records_unsaid` | x |",
                                        "| `vpnha_obstacles` | x |"),
            "docs/man/vpnhad.8": (".B acting\\-told", ".B lame", ".B truth", ".B witness\\-heard"),
            "docs/man/vpnha-witness.8": (".B node\\-heard",),
        }
        for path, lines in red.items():
            for line in lines:
                self.red(house_rules.public_words, path, line)
        self.green(house_rules.public_words, "docs/reference/control-protocol.md",
                   '{"unsent": 0, "detail": "it was told so"}\n| `unsent` | not yet said |')
        self.green(house_rules.public_words, "docs/operate/metrics.md",
                   "| `vpnha_records` | as said |")
        self.green(house_rules.public_words, "docs/man/vpnhad.8", ".B draining\nIt is told.")

    def test_gone_words_name_nothing(self):
        for line in ("bool lame = true;", "void begin_lame();", "enum class Phase { lame };",
                     "TEST(A, ALameHolderServes) {}", "std::size_t unsaid_;", "Obstacles all;",
                     "bool is_acting();", "enum class Doubt {", "doubted_.clear();",
                     "EXPECT_EQ(a, b.truth());", "TEST(A, TellsTheTruth) {}", "int in_the_way;",
                     "int a;  // The lame one.", "// Whom it doubts.", "void tell_peer();",
                     "constexpr int kHeardFor = 3;", "bool is_unheard() const;", "store.said(key);",
                     "TEST(A, SaysWhichFileIsMissing) {}", "TEST(A, ALinkIsTold) {}",
                     "std::set<Key> lacking_;", "void say(int level);", "void go_on();",
                     "bool call_goes_on;", "TEST(A, ItGoesOnLater) {}"):
            self.red(house_rules.gone_words, "libvpnha/src/base/x.hpp", line)
        self.green(house_rules.gone_words, "libvpnha/src/base/x.hpp",
                   "int slack, cargo_on, heartbeat, GoOne; // Told apart.\nlog(\"is told\");\n"
                   "TEST(A, LessThanTheSlack) {}\nint retold, shear;")
        self.green(house_rules.gone_words, "libvpnha/src/base/x.hpp",
                   "int frame, blame, exacting, obstacle; // Acting on it.\nlog(\"lame\");")
        self.green(house_rules.gone_words, "libvpnha/src/base/x.cpp", "int a;  // lame")

    def test_gone_words_name_nothing_in_python(self):
        rule = house_rules.gone_python_names
        for line in ("told = []", "def say(text): ...", "class ToldTest: ...", "TOLD_LIMIT_S = 3",
                     "session.is_told_to_end", "self._heard", "UNHEARD_S = 1", "lacking.clear()",
                     "def test_kernel_tells_of_tables(): ...", "from x import said",
                     "def test_it_goes_on(): ...", "go_on = 1"):
            self.red(rule, "lab/vpnlab/x.py", line)
        self.red(rule, "tests/sim/mutate", "#!/usr/bin/python3\nsays = 1\n", where=2)
        self.green(rule, "lab/vpnlab/x.py", "SLACK, blackhole, essay = 1, \"told\", 2  # As told.\n"
                   "\"\"\"It says so.\"\"\"\nretold = SHEAR = heartbeat = 3\n")
        self.green(rule, "agents/x.py", "told = 1\n")
        self.green(rule, "tests/x.txt", "told = 1\n")

    def test_gone_phrases_are_written_nowhere(self):
        for line in ("// The call goes on.", "# Going on", "It has gone on with it.", "It went on.",
                     "All but for one.", "It lacks a key.", "They lack it."):
            self.red(house_rules.gone_phrases, "docs/use/x.md", line)
            self.red(house_rules.gone_phrases, "agents/x.hpp", line)
            self.green(house_rules.gone_phrases, "CHANGELOG.md", line)
        self.green(house_rules.gone_phrases, "docs/use/x.md",
                   "It is gone on all standbys for lack of memory, going once: black, go one.")

    def test_every_failure_is_shown(self):
        model = house_rules.FAILURE_MODEL
        files = {"lab/scenarios/lease/power-cut.py": "", "tests/unit/x_test.cpp":
                 "TEST(XTest, Lives) {\nTEST_F(YTest,\n       Dies) {\n",
                 "tests/fuzz/lcp_fuzz.cpp": "", "tests/gate/proof.c": "",
                 house_rules.CHECKER_RUNS: '{.name = "stales",',
                 house_rules.FOUND_SEEDS: "7 150 x\n"}

        def shown(row, head="| event | what | shown by |"):
            text = f"{head}\n|---|---|---|\n{row}\n\n| else | `no` |\n| x | `nothing` |\n"
            return found(house_rules.every_failure_shown, {**files, model: text})

        for good in ("`power-cut`", "`XTest.Lives`, `YTest.Dies`", "run `stales`, seed `7`", "–",
                     "`power-cut`: half of it", "`fuzz_corpus.lcp`", "`tests/gate/proof.c`"):
            self.assertEqual(shown(f"| it dies | is seen | {good} |"), [])
        for bad in ("`power-cuts`", "`XTest.Dies`", "`stales`", "run `stale`", "seed `8`", "",
                    "soon", "`fuzz_corpus.ipcp`", "`tests/gate/prove`"):
            self.assertEqual(len(shown(f"| it dies | is seen | {bad} |")), 1, bad)
        self.assertEqual(len(found(house_rules.every_failure_shown, {
            **files, house_rules.FOUND_BY_TOOLS:
            "| tool | found | shown by |\n|---|---|---|\n| a linter | a fault | `other` |\n"})), 1)
        self.assertEqual(len(shown("| it dies | is seen | `power-cut` |",
                                   head="| the victim | what | by |")), 1)
        for head in ("| a witness | does | shown by |", "| what | named by | shown by |"):
            self.assertEqual(len(shown("| it dies | is seen | |", head=head)), 1)
            self.assertEqual(shown("| **it lives** | | |", head=head), [])

    def test_every_figure_is_made_by_a_command(self):
        def made(text):
            return found(house_rules.every_figure_made, {house_rules.PERFORMANCE: text})

        for command in ("tests/bench/run --only records", "lab/lab run ten-thousand"):
            self.assertEqual(made(f"# Performance\n\n## One core\n\n5 s, by `{command}`.\n"), [])
        self.assertEqual(made("# Performance\n\n## Why\n\nIt has to be fast.\n"), [])
        self.assertEqual(len(made("# Performance\n\n## One core\n\n5 s.\n\n## Two\n\n6 s, by "
                                  "`lab/lab`.\n")), 2)

    def test_every_figure_of_a_run_names_what_made_it(self):
        def named(text, path="docs/use/x.md"):
            return found(house_rules.every_run_named,
                         {path: text, "lab/scenarios/life/flood.py": ""})

        for good in ("A lease lasts 300 ms.", "It is fast in the lab.",
                     "In the lab 5 ms (`flood`).", "In the lab 5 ms (by hand).",
                     "5 ms, median; `tests/bench/run --only moves` makes it.",
                     "It took 5 ms in one run ([figures](../explain/performance.md)).",
                     "| silence (`flood`) | of |\n|---|---|\n| 5 ms in the lab | x |\n| 6 ms | y |",
                     "By `lab/lab run NAME`:\n\n| a | b |\n|---|---|\n| 5 ms | one run |",
                     "In the lab.\n\n5 ms."):
            self.assertEqual(named(good), [], good)
        for bad in ("In the lab 5 ms.", "A median of 12 %.", "In one\nrun 6 ms, in one run 5 ms.",
                    "Text.\n\n- In the lab 5 ms.\n- `flood` does it.", "5 ms in the lab (`ebb`)",
                    "| a | b |\n|---|---|\n| 5 ms | `flood` |\n| 6 ms (2 to 24, 14 runs) | x |"):
            self.assertEqual(len(named(bad)), 1, bad)
            self.assertEqual(len(named(bad, "README.md")), 1, bad)
            self.assertEqual(named(bad, house_rules.PERFORMANCE), [])
            self.assertEqual(named(bad, "lab/README.md"), [])

    def test_every_maker_is_there(self):
        def made(text):
            return found(house_rules.every_maker_there, {
                "lab/scenarios/kernels/l2tp-kernel-6.12.py": "", "docs/explain/x.md": text,
                "lab/scenarios/life/flood.py": "", house_rules.BENCHMARK: '{"records": "a"}'})

        for good in ("`lab/lab run flood --keep`", "`lab/lab run l2tp-kernel-6.12`.",
                     "`lab/lab run NAME`", "`tests/bench/run --only records`", "5 s (`ebb`)",
                     "| scenario | ms |\n|---|---|\n| `flood`, the longest | 5 |\n\n| `ebb` | 5 |",
                     "| event | by |\n|---|---|\n| `ebb` | 5 |"):
            self.assertEqual(made(good), [], good)
        for bad in ("`lab/lab run ebb`", "`tests/bench/run --quick --only words`",
                    "| scenario | ms |\n|---|---|\n| `flood` | 5 |\n| `flood`, `ebb` | 5 |",
                    "| `lab/lab run` | ms |\n|---|---|\n| `ebb`, four runs | 5 |"):
            self.assertEqual(len(made(bad)), 1, bad)

    def test_every_technique_is_answered(self):
        document, listed = house_rules.INSTEAD, house_rules.TECHNIQUES

        def answered(row, techniques="# By hand.\nVRRP\nlcp-echo-interval\n",
                     head="| technique | here | why |"):
            text = f"A word on Redis.\n\n{head}\n|---|---|---|\n{row}\n"
            return found(house_rules.every_technique_answered,
                         {document: text, listed: techniques})

        both = "| keepalived, vrrp; lcp-echo-interval 10 |"
        for answer in ("works", "instead: a lease", "not needed", "not here", "not yet",
                       "not tried"):
            self.assertEqual(answered(f"{both} {answer} | it needs more |"), [])
        for bad in (" | so |", " instead: | so |", " perhaps | so |", " works, mostly | so |",
                    " works | |", " works |"):
            self.assertEqual(answered(both + bad), [
                f"{document}:5: instead: no answer to 'keepalived, vrrp; lcp-echo-interval 10'"])
        self.assertEqual(answered(f"{both} not yet | some day |"), [
            f"{document}:5: instead: why not yet 'keepalived, vrrp; lcp-echo-interval 10'?"])
        vrrp = f"{document}:1: instead: 'VRRP' is missing"
        # Not as a part of a word, in another cell, in another table or beside the tables.
        for row in ("| VRRPv3, lcp-echo-interval | works | so |",
                    "| lcp-echo-interval | works | as VRRP |",
                    "| lcp-echo-interval | works | so |\n\n| word |\n|---|\n| VRRP |",
                    "| lcp-echo-interval | works | so |\n\nVRRP is old."):
            self.assertEqual(answered(row), [vrrp], row)
        self.assertEqual(answered(f"{both} works | so |", "VRRP\nRedis\n"),
                         [f"{document}:1: instead: 'Redis' is missing"])
        self.assertEqual(len(answered(f"{both} works | so |", head="| name | here | why |")), 2)
        self.assertEqual(answered(f"{both} works | so |", "# None.\n"),
                         [f"{listed}:1: instead: lists no technique"])
        self.assertEqual(found(house_rules.every_technique_answered, {listed: "VRRP\n"}), [vrrp])

    def test_a_room_has_a_readme_that_answers_six_questions(self):
        rule = house_rules.room_readmes
        answers = [f"- **{question}**: This.\n" for question in readmes.QUESTIONS]
        readme = "# A room\n\n" + "".join(answers)
        silent = f"README.md:1: room: does not answer: {', '.join(readmes.QUESTIONS)}"
        rooms = {"libvpnha/src": {"libvpnha/src/README.md": ""},
                 "libvpnha/src/protocols/sstp": {"libvpnha/src/protocols/sstp/model/a.hpp": "",
                                                 "libvpnha/src/protocols/README.md": readme,
                                                 "libvpnha/src/README.md": readme},
                 "lab/vpnlab/host": {"lab/vpnlab/host/a.py": ""},
                 "tests/sim": {"tests/check.py": "", "tests/sim/deep/a.cpp": ""}}
        rooms["libvpnha/src"]["libvpnha/src/base/a.hpp"] = ""
        rooms["libvpnha/src"]["libvpnha/src/base/README.md"] = readme
        for room, files in rooms.items():
            self.assertEqual(found(rule, files), [f"{room}/{silent}"])
            self.assertEqual(found(rule, {**files, f"{room}/README.md": readme}), [])
            for left_out in range(len(answers)):
                text = "".join(answers[:left_out] + answers[left_out + 1:])
                self.assertEqual(found(rule, {**files, f"{room}/README.md": text}),
                                 [f"{room}/{silent}"])
        self.assertEqual(found(rule, {"tests/fuzz/run.txt": "", "agents/main.cpp": ""}), [])

    def test_a_readme_names_areas_and_scenarios_that_exist(self):
        files = {"lab/scenarios/lease/two-nodes.py": "", "tests/sim/a.cpp": ""}
        text = "".join(f"- **{question}**: `./check --area lease`, `lab/lab run two-nodes`.\n"
                       for question in readmes.QUESTIONS)
        path = "tests/sim/README.md"
        self.assertEqual(found(house_rules.room_readmes, {**files, path: text}), [])
        for name, wrong in (("--area lease", "--area leash"), ("two-nodes", "no-nodes")):
            self.assertEqual(
                found(house_rules.room_readmes, {**files, path: text.replace(name, wrong, 1)}),
                [f"{path}:1: room: there is no area or scenario {wrong.split()[-1]}"])

    def test_a_release_has_one_version(self):
        files = {"CMakeLists.txt": "project(vpnha VERSION 1.2.3 DESCRIPTION \"x\"",
                 "CHANGELOG.md": "# Changes\n\n## 1.2.3 (2026-11-27)\n\n## 1.2.2 (2026-10-01)\n",
                 "debian/changelog": "vpnha (1.2.3) bookworm; urgency=medium\n",
                 "ansible/galaxy.yml": "name: gateway\nversion: 1.2.3\n",
                 "tests/api/api_test.cpp": "    EXPECT_EQ(version(), \"1.2.3\");\n"}
        self.assertEqual(found(house_rules.one_version, files), [])
        for path in list(files)[1:]:
            self.assertEqual(
                found(house_rules.one_version,
                      {**files, path: files[path].replace("1.2.3", "1.3")}),
                [f"{path}:1: version: 1.3 instead of 1.2.3"])
        unreleased = {**files, "CHANGELOG.md": "## Unreleased\n"}
        self.assertEqual(found(house_rules.one_version, unreleased),
                         ["CHANGELOG.md:1: version: None instead of 1.2.3"])

    def test_a_planted_fault_replaces_a_text_that_is_there_once(self):
        table = ("class Fault:\n    changes = (('core.cpp', OLD, ''),)\n"
                 "LOOSENED = {'one': Fault}\n")
        files = {"core.cpp": "int x;\nint y;\n", "tests/checker/mutate": "OLD = 'int x'\n" + table}
        self.assertEqual(found(house_rules.every_fault_planted, files), [])
        for old, count in (("int", 2), ("int z", 0)):
            files["tests/checker/mutate"] = f"OLD = {old!r}\n" + table
            self.assertEqual(found(house_rules.every_fault_planted, files), [
                f"tests/checker/mutate:1: planted: one: core.cpp has its text {count} times"])

    def test_a_tree_is_read_without_data_and_without_binaries(self):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            (root / "tests/fuzz/corpus/lcp").mkdir(parents=True)
            (root / "tests/fuzz/corpus/lcp/one").write_text("#!TODO")
            (root / "a.cpp").write_text("int x = 1; // ü\n")
            (root / "b.cpp").write_bytes(b"\xff\xfe")
            (root / "build").mkdir()
            (root / "build/c.cpp").write_text("TODO")
            self.assertEqual(set(Tree.read(root).files), {"a.cpp"})
            with contextlib.redirect_stdout(io.StringIO()) as printed:
                self.assertEqual(house_rules.main([folder]), 1)
            self.assertTrue(printed.getvalue().startswith("a.cpp:1: spdx: "))
            (root / "a.cpp").write_text(SPDX)
            (root / "CMakeLists.txt").write_text("# " + SPDX + "add_executable(a a.cpp)")
            self.assertEqual(house_rules.main([folder]), 0)

    def test_an_empty_tree_proves_nothing(self):
        with tempfile.TemporaryDirectory() as folder:
            with contextlib.redirect_stderr(io.StringIO()):
                self.assertEqual(house_rules.main([folder]), 2)


if __name__ == "__main__":
    unittest.main()

// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/scripts/backend/script_runner.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "support/temporary_path.hpp"

namespace vpnha::adapters {
namespace script_runner_test {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::ContainsRegex;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;
using End = ScriptRunner::End;

constexpr TimePoint kEstablished{std::chrono::hours(5)};

ScriptCall sample(Script script) {
    return {script,
            "vpnha3",
            {.user = "alice",
             .our_address = parse_ipv4("10.200.0.1").value(),
             .peer_address = parse_ipv4("10.200.1.10").value(),
             .ipv6 = ppp::Ipv6Identifiers{0x1, 0x2'0000'0000'0003},
             .established = kEstablished}};
}

TEST(ScriptCallTest, IpUpHasPppdsArgumentsAndEnvironment) {
    ScriptCall call = sample(Script::ip_up);
    call.facts.ipv6.reset();
    const Command command = command_of(call, "/etc/ppp", kEstablished + std::chrono::seconds(5));
    EXPECT_THAT(command.arguments,
                ElementsAre("/etc/ppp/ip-up", "vpnha3", "", "0", "10.200.0.1", "10.200.1.10"));
    EXPECT_THAT(command.environment,
                UnorderedElementsAre("VPNHA_RESUMED=1", "DEVICE=", "IFNAME=vpnha3", "SPEED=0",
                                     "ORIG_UID=0", "PPPLOGNAME=root", "IPLOCAL=10.200.0.1",
                                     "IPREMOTE=10.200.1.10", "PEERNAME=alice"));
    EXPECT_THAT(command.error_file, IsEmpty());
}

TEST(ScriptCallTest, IpDownReceivesHowLongItWasUp) {
    EXPECT_THAT(command_of(sample(Script::ip_down), "/etc/ppp",
                           kEstablished + std::chrono::milliseconds(65'900))
                    .environment,
                Contains("CONNECT_TIME=65"));
    EXPECT_THAT(
        command_of(sample(Script::ip_down), "/etc/ppp", kEstablished - std::chrono::seconds(1))
            .environment,
        Contains("CONNECT_TIME=0"))
        << "the nodes' clocks differ by a moment";
    EXPECT_THAT(command_of(sample(Script::ip_up), "/etc/ppp", kEstablished).environment,
                Not(Contains(StartsWith("CONNECT_TIME"))));
}

TEST(ScriptCallTest, Ipv6HasLinkLocalAddresses) {
    for (const auto& [script, path] : {std::pair{Script::ipv6_up, "/etc/ppp/ipv6-up"},
                                       {Script::ipv6_down, "/etc/ppp/ipv6-down"}}) {
        const Command command = command_of(sample(script), "/etc/ppp", kEstablished);
        EXPECT_THAT(command.arguments,
                    ElementsAre(path, "vpnha3", "", "0", "fe80::1", "fe80::2:0:0:3"));
        EXPECT_THAT(command.environment, Contains("LLREMOTE=fe80::2:0:0:3"));
        EXPECT_THAT(command.environment, Contains("LLLOCAL=fe80::1"));
    }
}

TEST(ScriptCallTest, AnIpparamIsTheLastArgument) {
    ScriptCall call = sample(Script::ip_up);
    call.facts.ipparam = "192.0.2.51";
    EXPECT_EQ(command_of(call, "/etc/ppp", kEstablished).arguments.at(6), "192.0.2.51");
}

TEST(ScriptCallTest, AnUnknownUserIsNoVariable) {
    ScriptCall call = sample(Script::ip_up);
    call.facts.user.clear();
    EXPECT_THAT(command_of(call, "/etc/ppp", kEstablished).environment,
                Not(Contains(StartsWith("PEERNAME"))));
}

TEST(ScriptCallTest, ADeviceHasItsName) {
    EXPECT_EQ(name_of_device(1), "lo");
    EXPECT_EQ(name_of_device(0x7fff'ffff), "");
}

class ScriptRunnerTest : public ::testing::Test {
  protected:
    ScriptRunnerTest() { std::filesystem::create_directory(directory_); }
    ~ScriptRunnerTest() override { std::filesystem::remove_all(directory_); }

    void script(const std::string& text, bool executable = true) {
        const std::string path = directory_ + "/ip-up";
        std::ofstream(path) << "#!/bin/sh\ncd " << directory_ << "\n" << text << "\n";
        std::filesystem::permissions(path, std::filesystem::perms::owner_read |
                                               (executable ? std::filesystem::perms::owner_exec
                                                           : std::filesystem::perms::none));
    }
    ScriptRunner::Outcome run(std::chrono::milliseconds timeout = 20s) {
        ScriptRunner runner(loop_, {directory_, timeout});
        ScriptRunner::Outcome notified;
        EXPECT_TRUE(runner.run(sample(Script::ip_up), [&](const ScriptRunner::Outcome& outcome) {
            notified = outcome;
            loop_.stop();
        }));
        loop_.run();
        return notified;
    }
    [[nodiscard]] std::string read(const std::string& name) const {
        std::ostringstream text;
        text << std::ifstream(directory_ + "/" + name).rdbuf();
        return text.str();
    }

    std::string directory_ = temporary_path("scripts");
    QbLoop loop_;
};

TEST_F(ScriptRunnerTest, ItsExitCodeReportsWhetherItFailed) {
    script("exit 0");
    EXPECT_EQ(run().end, End::done);
    script("exit 3");
    const ScriptRunner::Outcome failed = run();
    EXPECT_EQ(failed.end, End::failed);
    EXPECT_EQ(failed.what, "exit code 3");
}

TEST_F(ScriptRunnerTest, OneThatIsNotThereIsNoError) {
    EXPECT_EQ(run().end, End::missing);
    script("exit 3", false);
    EXPECT_EQ(run().end, End::missing);
}

TEST_F(ScriptRunnerTest, OneThatCannotBeStartedHasFailed) {
    const std::string path = directory_ + "/ip-up";
    std::ofstream(path) << "#!/nowhere/sh\n";
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    const ScriptRunner::Outcome outcome = run();
    EXPECT_EQ(outcome.end, End::failed);
    EXPECT_THAT(outcome.what, HasSubstr("No such file"));
}

// Nothing of vpnhad's: no descriptor, which may lead to keys, no variable, no signal that is
// blocked or ignored, not its niceness.
TEST_F(ScriptRunnerTest, ItInheritsNothing) {
    const int open_file = ::open("/etc/passwd", O_RDONLY);  // NOLINT: without O_CLOEXEC.
    ASSERT_EQ(::setenv("VPNHA_SECRET", "1", 1), 0);         // NOLINT(concurrency-mt-unsafe)
    ASSERT_EQ(::setpriority(PRIO_PROCESS, 0, -10), 0);
    ::signal(SIGPIPE, SIG_IGN);
    script(
        "ls -l /proc/$$/fd >files\ncat /proc/self/status >status\nenv >variables\n"
        "cut -d' ' -f6,19 /proc/$$/stat >stat\necho $$ >pid\n"
        "readlink /proc/$$/cwd >/dev/null");
    EXPECT_EQ(run().end, End::done);
    ::signal(SIGPIPE, SIG_DFL);
    ASSERT_EQ(::setpriority(PRIO_PROCESS, 0, 0), 0);
    ::unsetenv("VPNHA_SECRET");  // NOLINT(concurrency-mt-unsafe)
    ::close(open_file);
    EXPECT_THAT(read("files"), Not(HasSubstr("passwd")));
    EXPECT_THAT(read("files"), Not(HasSubstr("eventfd")));
    EXPECT_THAT(read("files"), HasSubstr("/dev/null"));
    EXPECT_THAT(read("variables"), Not(HasSubstr("VPNHA_SECRET")));
    EXPECT_THAT(read("variables"), HasSubstr("VPNHA_RESUMED=1"));
    EXPECT_THAT(read("variables"), HasSubstr("PATH=/usr/local/sbin:"));
    EXPECT_THAT(read("status"), HasSubstr("SigBlk:\t0000000000000000"));
    // Except two of glibc's own, 32 and 33, which posix_spawn() has ignored.
    EXPECT_THAT(read("status"), ContainsRegex("SigIgn:\t0000000(18|00)0000000"));
    std::string pid = read("pid");
    pid.pop_back();
    EXPECT_EQ(read("stat"), pid + " 0\n") << "its session is its own, its niceness 0";
}

TEST_F(ScriptRunnerTest, OneThatHangsIsKilledWithWhatItStarted) {
    script("sleep 1000 & echo $! >child\nwait");
    const ScriptRunner::Outcome outcome = run(500ms);
    EXPECT_EQ(outcome.end, End::killed);
    EXPECT_THAT(outcome.what, HasSubstr("does not end within 500 ms"));
    const pid_t child = std::stoi(read("child"));
    const auto deadline = std::chrono::steady_clock::now() + 5s;
    while (read_process(child) && std::chrono::steady_clock::now() < deadline) {
    }
    EXPECT_FALSE(read_process(child));
}

TEST_F(ScriptRunnerTest, WhoLeavesWaitsForNone) {
    script("echo $$ >self\nsleep 1000");
    const auto begun = std::chrono::steady_clock::now();
    {
        ScriptRunner runner(loop_, {directory_, 20s});
        EXPECT_TRUE(
            runner.run(sample(Script::ip_up), [](const ScriptRunner::Outcome&) { ADD_FAILURE(); }));
        while (read("self").empty() && std::chrono::steady_clock::now() < begun + 10s) {
        }
    }
    EXPECT_LT(std::chrono::steady_clock::now(), begun + 10s);
    EXPECT_FALSE(read_process(std::stoi(read("self"))));
}

}  // namespace script_runner_test
}  // namespace vpnha::adapters

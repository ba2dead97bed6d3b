// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/commands.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <mutex>
#include <sstream>
#include <thread>

#include "cli/metrics/metrics.hpp"
#include "support/contents_of.hpp"
#include "support/temporary_path.hpp"
#include "unit/cli/sample.hpp"
#include "vpnha/configuration.hpp"
#include "vpnha/daemon.hpp"
#include "vpnha/tuning.hpp"

namespace vpnha::cli {
namespace commands_test {

using nlohmann::json;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

struct Outcome {
    int code;
    std::string out, err;
};

Outcome run_command(std::vector<const char*> words) {
    words.insert(words.begin(), "vpnha");
    std::ostringstream out;
    std::ostringstream err;
    const int code = run(static_cast<int>(words.size()), words.data(), out, err);
    return {code, out.str(), err.str()};
}

// Answers each of `requests` connections with the same message.
class FakeDaemon {
  public:
    FakeDaemon(const json& answer, int requests) {
        ::unlink(path_.c_str());
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path, path_.data(), path_.size());
        const auto* const generic = reinterpret_cast<const sockaddr*>(&address);
        EXPECT_EQ(::bind(listener_, generic, sizeof(address)), 0);
        EXPECT_EQ(::listen(listener_, 5), 0);
        thread_ = std::thread([this, text = answer.dump(), requests] {
            for (int i = 0; i < requests; ++i) {
                answer_one(text);
            }
        });
    }
    ~FakeDaemon() {
        thread_.join();
        ::close(listener_);
        ::unlink(path_.c_str());
    }
    FakeDaemon(const FakeDaemon&) = delete;
    FakeDaemon& operator=(const FakeDaemon&) = delete;

    [[nodiscard]] const char* path() const { return path_.c_str(); }
    [[nodiscard]] std::string last_request() const {
        const std::lock_guard lock(mutex_);
        return last_request_;
    }

  private:
    void answer_one(const std::string& text) {
        const int client = ::accept(listener_, nullptr, nullptr);
        char request[4096];
        const ssize_t got = ::recv(client, request, sizeof(request), 0);
        EXPECT_GT(got, 0);
        {
            const std::lock_guard lock(mutex_);
            last_request_.assign(request, got > 0 ? static_cast<std::size_t>(got) : 0);
        }
        const std::size_t size = text.size();
        const char length[] = {static_cast<char>(size >> 24), static_cast<char>(size >> 16),
                               static_cast<char>(size >> 8), static_cast<char>(size)};
        EXPECT_EQ(::send(client, length, 4, MSG_NOSIGNAL), 4);
        EXPECT_EQ(::send(client, text.data(), size, MSG_NOSIGNAL), static_cast<ssize_t>(size));
        ::close(client);
    }

    std::string path_ = temporary_path("cli.sock");
    int listener_ = ::socket(AF_UNIX, SOCK_STREAM, 0);
    mutable std::mutex mutex_;
    std::string last_request_;
    std::thread thread_;
};

json answer_with(const json& result) {
    return {{"version", 1}, {"ok", true}, {"result", result}};
}

TEST(CommandsTest, UsageErrorsExitWithTwo) {
    for (const std::vector<const char*>& words : {std::vector<const char*>{},
                                                  {"promote"},
                                                  {"status", "--nonsense"},
                                                  {"config"},
                                                  {"sessions", "--columns", "x"},
                                                  {"sessions", "--where", "x=1"},
                                                  {"config", "check"},
                                                  {"status", "--watch", "0"}}) {
        const Outcome outcome = run_command(words);
        EXPECT_EQ(outcome.code, 2);
        EXPECT_NE(outcome.err, "");
    }
}

TEST(CommandsTest, HelpNamesEveryVerbAndExitsWithZero) {
    const Outcome outcome = run_command({"--help"});
    EXPECT_EQ(outcome.code, 0);
    for (const char* verb : {"status", "sessions", "peers", "gate", "metrics", "plan", "resync",
                             "rebalance", "config", "doctor", "witness-key", "completion"}) {
        EXPECT_THAT(outcome.out, HasSubstr(verb));
    }
}

TEST(CommandsTest, UnreachableDaemonExitsWithThree) {
    for (const char* verb :
         {"status", "sessions", "peers", "gate", "metrics", "plan", "resync", "rebalance"}) {
        const Outcome outcome = run_command({"--socket", "/nonexistent/sock", verb});
        EXPECT_EQ(outcome.code, 3);
        EXPECT_THAT(outcome.err, HasSubstr("no vpnhad answers at /nonexistent/sock"));
    }
    const Outcome check = run_command({"status", "--check", "--socket", "/nonexistent/sock"});
    EXPECT_EQ(check.code, 3);
    EXPECT_THAT(check.out, HasSubstr("VPNHA UNKNOWN - no vpnhad"));
}

TEST(CommandsTest, StatusExitsByHealth) {
    const auto codes = [](const json& status) {
        const FakeDaemon daemon(answer_with(status), 2);
        return std::pair(run_command({"status", "--socket", daemon.path()}).code,
                         run_command({"status", "--check", "--socket", daemon.path()}).code);
    };
    EXPECT_EQ(codes(sample_status()), std::pair(0, 0));
    json status = sample_status();
    status["gateways"][0]["standbys"] = json::array();
    EXPECT_EQ(codes(status), std::pair(6, 1));
    status["gateways"][0]["promoted_node"] = nullptr;
    EXPECT_EQ(codes(status), std::pair(6, 2));
    status.erase("gateways");
    EXPECT_EQ(codes(status), std::pair(1, 3));
}

TEST(CommandsTest, ASubcommandThatThereIsNotIsNamed) {
    const Outcome outcome = run_command({"statos"});
    EXPECT_EQ(outcome.code, 2);
    EXPECT_EQ(outcome.err, "vpnha: there is no subcommand 'statos'; see vpnha --help\n");
    EXPECT_THAT(run_command({}).err, HasSubstr("subcommand is required"));
}

TEST(CommandsTest, JsonIsTheDaemonsOwnAndThisNodesOldPrograms) {
    const FakeDaemon daemon(answer_with(sample_status()), 1);
    const Outcome outcome = run_command({"status", "--json", "--socket", daemon.path()});
    EXPECT_EQ(outcome.code, 0);
    json shown = json::parse(outcome.out);
    EXPECT_EQ(shown.erase("old_programs"), 1U);
    EXPECT_EQ(shown, sample_status());
}

TEST(CommandsTest, SessionsAreShownAndTheDaemonSelectsThem) {
    const FakeDaemon daemon(answer_with(sample_sessions()), 2);
    const Outcome table = run_command({"sessions", "--columns", "user", "--socket", daemon.path()});
    EXPECT_EQ(table.out, "USER\nalice\nbob\ncarol\n");
    EXPECT_THAT(daemon.last_request(), HasSubstr(R"("arguments":{})"));
    EXPECT_EQ(run_command({"sessions", "--gateway", "dialin", "--socket", daemon.path()}).code, 0);
    EXPECT_THAT(daemon.last_request(), HasSubstr(R"("gateway":"dialin")"));
}

TEST(CommandsTest, SessionsOfAGatewayThatIsNotThereExitWithFive) {
    const json unknown = {
        {"version", 1}, {"ok", false}, {"error", {{"code", "not_found"}, {"detail", "no 'x'"}}}};
    const FakeDaemon daemon(unknown, 1);
    EXPECT_EQ(run_command({"sessions", "--gateway", "x", "--socket", daemon.path()}).code, 5);
}

TEST(CommandsTest, PlanExitsWithSixWhenSomethingWouldBeLost) {
    json plan = sample_plan();
    {
        const FakeDaemon daemon(answer_with(plan), 2);
        EXPECT_EQ(run_command({"plan", "--socket", daemon.path()}).code, 0);
        const Outcome as_json = run_command({"plan", "--json", "--without", "gw1", "--gateway",
                                             "dialin", "--socket", daemon.path()});
        EXPECT_EQ(as_json.code, 0);
        EXPECT_EQ(json::parse(as_json.out), plan);
        EXPECT_THAT(daemon.last_request(), HasSubstr(R"("without":"gw1")"));
        EXPECT_THAT(daemon.last_request(), HasSubstr(R"("gateway":"dialin")"));
    }
    plan["gateways"][0]["lost"] = 2;
    const FakeDaemon daemon(answer_with(plan), 1);
    EXPECT_EQ(run_command({"plan", "--socket", daemon.path()}).code, 6);
}

TEST(CommandsTest, ResyncIsAskedForEachGatewayThatThisNodeIsAStandbyOf) {
    json status = sample_status();
    status["gateways"].push_back(status["gateways"][0]);
    status["gateways"][1]["name"] = "third";
    status["gateways"][1]["role"] = "unpromoted";
    const FakeDaemon daemon(answer_with(status), 3);
    Outcome outcome = run_command({"resync", "--socket", daemon.path()});
    EXPECT_EQ(outcome.code, 0);
    EXPECT_EQ(outcome.out, "gateway third: this node asks for all records anew\n");
    EXPECT_THAT(daemon.last_request(), HasSubstr(R"("verb":"resync")"));
    outcome = run_command({"resync", "--gateway", "other", "--socket", daemon.path()});
    EXPECT_EQ(outcome.code, 0);
    EXPECT_THAT(daemon.last_request(), HasSubstr(R"("gateway":"other")"));
}

TEST(CommandsTest, ReleaseNamesItsGateway) {
    const FakeDaemon daemon(answer_with(json::object()), 1);
    const Outcome outcome = run_command({"release", "dialin", "--socket", daemon.path()});
    EXPECT_EQ(outcome.code, 0);
    EXPECT_EQ(outcome.out, "gateway dialin: this node stands in no more\n");
    EXPECT_THAT(daemon.last_request(),
                AllOf(HasSubstr(R"("verb":"release")"), HasSubstr(R"("gateway":"dialin")")));
    EXPECT_EQ(run_command({"release", "--socket", daemon.path()}).code, 2);
}

TEST(CommandsTest, ResyncWhereThisNodeIsAStandbyOfNoneExitsWithFive) {
    const FakeDaemon daemon(answer_with(sample_status()), 1);
    const Outcome outcome = run_command({"resync", "--socket", daemon.path()});
    EXPECT_EQ(outcome.code, 5);
    EXPECT_THAT(outcome.err, HasSubstr("this node is a standby of no gateway"));
}

TEST(CommandsTest, VoteWithoutIsAskedInSoManyWordsOnly) {
    EXPECT_EQ(run_command({"vote-without", "gw3"}).code, 2);
    const FakeDaemon daemon(answer_with(json::object()), 1);
    const Outcome outcome =
        run_command({"vote-without", "gw3", "--it-remembers-nothing", "--socket", daemon.path()});
    EXPECT_EQ(outcome.code, 0);
    EXPECT_EQ(outcome.out, "this node no longer waits for the memory of node gw3\n");
    EXPECT_THAT(daemon.last_request(), HasSubstr(R"("verb":"vote_without")"));
    EXPECT_THAT(daemon.last_request(), HasSubstr(R"("node":"gw3")"));
}

TEST(CommandsTest, ErrorsOfTheDaemonDecideTheExitCode) {
    const json denied = {
        {"version", 1}, {"ok", false}, {"error", {{"code", "permission"}, {"detail", "not you"}}}};
    const FakeDaemon daemon(denied, 1);
    const Outcome outcome = run_command({"sessions", "--socket", daemon.path()});
    EXPECT_EQ(outcome.code, 4);
    EXPECT_EQ(outcome.err, "vpnha: not you\n");
}

// The example, for a gateway of PPTP: a kernel without L2TP, as this machine may have, is an error.
std::string example_without_l2tp() {
    std::string text = configuration_example();
    const auto replace = [&text](std::string_view from, std::string_view to) {
        text.replace(text.find(from), from.size(), to);
    };
    replace("\n[gateway.dialin.l2tp]", "\n#[gateway.dialin.l2tp]");
    replace("\n#[gateway.dialin.pptp]", "\n[gateway.dialin.pptp]");
    // Nor is a file of this machine's looked at.
    replace("#ppp_options = \"/etc/ppp/pptpd-options\"", "ppp_options = \"/nonexistent/options\"");
    return text;
}

// A network namespace of its own, whose connection tracking tells of flows so.
void enter_network(const char* events) {
    ASSERT_EQ(::unshare(CLONE_NEWNET), 0);
    const std::string path = temporary_path("cli-network.toml");
    std::ofstream(path) << configuration_example();
    static_cast<void>(check_conntrack(path));  // Loads the module, and so brings the setting.
    ::unlink(path.c_str());
    std::ofstream setting("/proc/sys/net/netfilter/nf_conntrack_events");
    ASSERT_TRUE(setting << events << std::flush);
    for (const char* name : {"ip_forward", "ip_nonlocal_bind"}) {
        std::ofstream must(std::string("/proc/sys/net/ipv4/") + name);
        ASSERT_TRUE(must << "1" << std::flush);
    }
}

TEST(CommandsTest, DoctorNamesFileAndLine) {
    enter_network("1");
    const std::string path = temporary_path("cli.toml");
    std::ofstream(path) << example_without_l2tp();
    Outcome outcome = run_command({"doctor", path.c_str()});
    EXPECT_EQ(outcome.code, 0);
    // A machine with chrony has a line on the clock, too.
    EXPECT_THAT(outcome.out, StartsWith(path + ": good\nkernel: has what the gate needs\n"));
    EXPECT_THAT(outcome.out, HasSubstr("\ncluster links: not looked at: corosync does not answer"));
    EXPECT_THAT(outcome.out, HasSubstr("\nvoters: not looked at: corosync does not answer"));
    EXPECT_THAT(outcome.out, HasSubstr("\ndaemons: not looked at: "));
    EXPECT_THAT(outcome.out, HasSubstr("\nfencing: not looked at: "));
    EXPECT_THAT(outcome.out, HasSubstr("\nconstraints: not looked at: "));
    EXPECT_THAT(outcome.out, HasSubstr("\napparmor: "));
    for (const char* look : {"qdiscs", "sizes", "load"}) {
        EXPECT_THAT(outcome.out, HasSubstr(std::string("\n") + look + ": "));
    }
    EXPECT_THAT(run_command({"config", "show", path.c_str()}).out, HasSubstr("port = 5420"));
    std::ofstream(path) << "[gateway.x]\nidd = 1\n";
    outcome = run_command({"doctor", path.c_str()});
    EXPECT_EQ(outcome.code, 1);
    EXPECT_THAT(outcome.err, HasSubstr(path + ":2: unknown key 'idd'"));
    ::unlink(path.c_str());
}

TEST(CommandsTest, AWitnessKeyNeedsAWitnessAndCorosync) {
    const std::string path = temporary_path("cli-witness.toml");
    const std::string example = configuration_example();
    std::ofstream(path) << example;
    Outcome outcome = run_command({"witness-key", path.c_str()});
    EXPECT_EQ(outcome.code, 1);
    EXPECT_THAT(outcome.err, HasSubstr(path + " has no witness; a witness needs witness and "));
    std::ofstream(path) << "[lease]\nwitness = [\"192.0.2.9\"]\nwitness_name = \"wit1\"\n"
                        << example.substr(example.find("\n[gateway"));
    outcome = run_command({"witness-key", path.c_str()});
    EXPECT_EQ(outcome.code, 3);
    EXPECT_THAT(outcome.err, HasSubstr("corosync"));
    ::unlink(path.c_str());
}

TEST(CommandsTest, DoctorLooksAtConnectionTrackingWhereFlowsAreReplicated) {
    enter_network("1");
    const std::string path = temporary_path("cli-conntrack.toml");
    std::ofstream(path) << example_without_l2tp();
    Outcome outcome = run_command({"doctor", path.c_str()});
    EXPECT_EQ(outcome.code, 0);
    EXPECT_THAT(outcome.out, HasSubstr("\nconnection tracking: "));
    enter_network("2");
    outcome = run_command({"doctor", path.c_str()});
    EXPECT_EQ(outcome.code, 1);
    EXPECT_THAT(outcome.out, StartsWith(path + ": good\n"));
    EXPECT_THAT(outcome.err, StartsWith("vpnha: connection tracking: net.netfilter."
                                        "nf_conntrack_events is 2; set it to 1: "));
    std::string without = example_without_l2tp();
    const std::string_view flag = "#replicate = true";
    std::ofstream(path) << without.replace(without.find(flag), flag.size(), "replicate = false");
    outcome = run_command({"doctor", path.c_str()});
    EXPECT_EQ(outcome.code, 0);
    EXPECT_THAT(outcome.out + outcome.err, Not(HasSubstr("connection tracking")));
    ::unlink(path.c_str());
}

TEST(CommandsTest, DoctorFailsWhereAMustIsNotSo) {
    enter_network("1");
    const std::string path = temporary_path("cli-tuning.toml");
    std::ofstream(path) << example_without_l2tp();
    std::ofstream("/proc/sys/net/ipv4/conf/all/rp_filter") << "1";
    Outcome outcome = run_command({"doctor", path.c_str()});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_THAT(outcome.out, HasSubstr("\ntuning: advice: net.ipv4.conf.all.rp_filter is 1 "
                                       "(strict); set it to 0 or 2: "));
    EXPECT_THAT(outcome.out, HasSubstr("\ntuning: not looked at: "));
    std::ofstream("/proc/sys/net/ipv4/ip_forward") << "0";
    std::ofstream("/proc/sys/net/ipv4/ip_nonlocal_bind") << "0";
    outcome = run_command({"doctor", path.c_str()});
    EXPECT_EQ(outcome.code, 1);
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("vpnha: tuning: net.ipv4.ip_forward is 0; set it to "
                                             "1: the traffic between clients and the inside"),
                                   HasSubstr("vpnha: tuning: net.ipv4.ip_nonlocal_bind is 0; ")));
    EXPECT_THAT(outcome.out, HasSubstr("\nconnection tracking: ")) << "all is said at once";
    ::unlink(path.c_str());
}

TEST(CommandsTest, ConfigTuningPrintsTheTable) {
    Outcome outcome = run_command({"config", "tuning"});
    EXPECT_EQ(outcome.code, 0);
    EXPECT_THAT(outcome.out, AllOf(StartsWith("SETTING "), HasSubstr("\nLimitNOFILE of vpnhad ")));
    outcome = run_command({"config", "tuning", "--sysctl"});
    EXPECT_EQ(outcome.out, tuning_sysctls());
    EXPECT_THAT(outcome.out, HasSubstr("\nnet.ipv4.ip_forward = 1\n"));
    EXPECT_EQ(run_command({"config", "tuning", "--markdown"}).out, tuning_manual());
    EXPECT_EQ(run_command({"config", "tuning", "--markdown", "--sysctl"}).code, 2);
}

TEST(CommandsTest, DoctorByAnybodyElseReportsThatItCouldNotLookAtTheKernel) {
    enter_network("1");
    const std::string path = temporary_path("cli-anybody.toml");
    std::ofstream(path) << example_without_l2tp();
    ASSERT_EQ(::chmod(path.c_str(), 0644), 0);
    const pid_t child = fork();
    if (child == 0) {
        if (::setresuid(65534, 65534, 65534) != 0) {
            ::_exit(1);
        }
        const Outcome outcome = run_command({"doctor", path.c_str()});
        ::_exit(outcome.code == 0 &&
                        outcome.out.starts_with(
                            path +
                            ": good\nkernel: not looked at: only root can look whether this kernel "
                            "has what the gate needs\n") &&
                        outcome.out.find("\ntuning: ") != std::string::npos
                    ? 0
                    : 2);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    ::unlink(path.c_str());
}

TEST(CommandsTest, GateExitsWithSixWhereSomethingPassesIt) {
    json gate = sample_gate();
    {
        const FakeDaemon daemon(answer_with(gate), 2);
        EXPECT_THAT(run_command({"gate", "--socket", daemon.path()}).out,
                    HasSubstr("open for 271 ms"));
        const Outcome as_json = run_command({"gate", "--json", "--socket", daemon.path()});
        EXPECT_EQ(as_json.code, 0);
        EXPECT_EQ(json::parse(as_json.out), gate);
        EXPECT_THAT(daemon.last_request(), HasSubstr(R"("verb":"gate")"));
    }
    gate["devices"][0]["out"] = "missing";
    const FakeDaemon daemon(answer_with(gate), 1);
    EXPECT_EQ(run_command({"gate", "--socket", daemon.path()}).code, 6);
}

TEST(CommandsTest, MetricsArePrintedOrReplaceAFile) {
    const std::string path = temporary_path("cli.prom");
    // One object that has the members of both answers.
    json answer = sample_status();
    answer["gateways"][0].update(sample_gate()["gateways"][0]);
    answer["devices"] = sample_gate()["devices"];
    const FakeDaemon daemon(answer_with(answer), 4);
    const Outcome printed = run_command({"metrics", "--socket", daemon.path()});
    EXPECT_EQ(printed.code, 0);
    EXPECT_THAT(printed.out, HasSubstr("\nvpnha_up 1\n"));
    EXPECT_THAT(printed.out, HasSubstr("vpnha_gate_drops_total{gateway=\"dialin\",direction=\"in\","
                                       "reason=\"expired\",kind=\"ip\"} 5\n"));
    EXPECT_THAT(daemon.last_request(), HasSubstr(R"("verb":"gate")"));
    const Outcome written =
        run_command({"metrics", "--output", path.c_str(), "--socket", daemon.path()});
    EXPECT_EQ(written.code, 0);
    EXPECT_EQ(written.out, "");
    EXPECT_EQ(contents_of(path), printed.out);
    ::unlink(path.c_str());
}

TEST(CommandsTest, MetricsReportThatThereAreNone) {
    const std::string path = temporary_path("cli-none.prom");
    Outcome outcome = run_command({"metrics", "--socket", "/nonexistent/sock"});
    EXPECT_EQ(outcome.code, 3);
    EXPECT_THAT(outcome.out, EndsWith("\nvpnha_up 0\n"));
    outcome = run_command({"metrics", "--output", path.c_str(), "--socket", "/nonexistent/sock"});
    EXPECT_EQ(outcome.code, 3);
    EXPECT_EQ(outcome.out, "");
    EXPECT_THAT(contents_of(path), EndsWith("\nvpnha_up 0\n"));
    ::unlink(path.c_str());
    const FakeDaemon daemon(answer_with(json::object()), 2);
    outcome = run_command({"metrics", "--socket", daemon.path()});
    EXPECT_EQ(outcome.code, 1) << "an answer that is none";
    EXPECT_THAT(outcome.out, EndsWith("\nvpnha_up 0\n"));
}

TEST(CommandsTest, MetricsThatCannotBeWrittenReportWhere) {
    const Outcome outcome = run_command(
        {"metrics", "--output", "/nonexistent/vpnha.prom", "--socket", "/nonexistent/sock"});
    EXPECT_EQ(outcome.code, 1);
    EXPECT_THAT(outcome.err, HasSubstr("vpnha: cannot make a file beside /nonexistent/vpnha.prom: "
                                       "No such file or directory\n"));
    EXPECT_EQ(run_command({"metrics", "--list", "--output", "/x"}).code, 2);
}

TEST(CommandsTest, ExampleKeysAndVersionNeedNoDaemon) {
    EXPECT_EQ(run_command({"config", "example"}).out, configuration_example());
    EXPECT_EQ(run_command({"config", "keys", "--roff"}).out, configuration_manual());
    EXPECT_THAT(run_command({"config", "keys"}).out, HasSubstr("gateway.NAME.outside"));
    EXPECT_EQ(run_command({"metrics", "--list"}).out, metrics_manual());
    EXPECT_THAT(run_command({"--version"}).out, StartsWith("vpnha 0."));
    EXPECT_EQ(run_command({"--version"}).code, 0);
}

}  // namespace commands_test
}  // namespace vpnha::cli

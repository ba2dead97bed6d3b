// SPDX-License-Identifier: GPL-2.0-or-later
// Real xl2tpd, in a network namespace of the test's own; run as root.
#include "protocols/l2tp/service/xl2tpd_service.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "daemon/stock_services.hpp"
#include "protocols/l2tp/service/xl2tpd_service_config.hpp"
#include "protocols/l2tp/service/xl2tpd_service_mute.hpp"
#include "support/temporary_path.hpp"
#include "unit/host/os/in_loop.hpp"

namespace vpnha::adapters {
namespace xl2tpd_service_test {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;
using State = StockService::State;

// What stands before and behind the form of a Form, so that it is a whole file.
constexpr const char* kHead = "[global]\nlisten-addr = 192.0.2.100\n";
constexpr const char* kLns = "[lns default]\npppoptfile = /etc/ppp/a\nlocal ip = 10.0.0.1\n";

struct Form {
    std::string text;
    bool is_legal;  // xl2tpd starts with it.
};

const std::vector<Form>& forms() {
    static const std::vector<Form> kForms{
        {"", true},
        {std::string(kLns) + "ip range = 10.0.0.2-10.0.0.9\n", true},
        {"  ; a comment\n\t\nport=1702;another\n", true},
        {"# no comment\n", false},
        {"#port = 1702\n", false},
        {"PORT = 1702\n[LNS Default]\nPPPoptFile = /etc/ppp/a\nLength Bit = YES\n", true},
        {"port  =  1702  \r\n", true},
        {"port = 1702 trailing words\n", true},
        {"port = -1\n", true},
        {"port 1702\n", false},
        {"ports = 1702\n", false},
        {"flow bits = yes\n", false},
        {std::string(kLns) + "flow bit = yes\n", true},
        {"access control = y\ndebug avp = TRUE\ndebug network = n\ndebug tunnel = false\n", true},
        {"access control = on\n", false},
        {"access control = 1\n", false},
        {"force userspace =\n", false},
        {"local ip = 10.0.0.1\n", false},
        {std::string(kLns) + "port = 1702\n", false},
        {std::string(kLns) + "autodial = yes\n", false},
        {"[global] behind it\nport = 1702\n", true},
        {"[global x]\nport = 1702\n", true},
        {"[ global]\nport = 1702\n", false},
        {"[global\nport = 1702\n", false},
        {"[server]\n", false},
        {"[lac]\nlns = 192.0.2.9\n[lac second]\nredial = yes\n", true},
        {"include = other.conf\n", false},
        {";" + std::string(2000, 'x') + "\nport = 1702\n", true},
        {"port = 1702" + std::string(2000, ' ') + "\n", true},
        {"port = 1702" + std::string(1100, 'x') + "\n", false},
    };
    return kForms;
}

TEST(Xl2tpdConfigTest, TakesTheFormsThatXl2tpdTakes) {
    for (const Form& form : forms()) {
        const auto config = parse_xl2tpd_config(kHead + form.text, "x.conf");
        EXPECT_EQ(config.has_value(), form.is_legal)
            << form.text << (config ? "" : config.error().detail);
    }
    EXPECT_FALSE(parse_xl2tpd_config("listen-addr = 192.0.2.100\n", "x.conf").has_value())
        << "it is in no section";
}

TEST(Xl2tpdConfigTest, ReadsAddressPortAndOptionsFiles) {
    const auto config = parse_xl2tpd_config(
        "; comment\n[global]\nlisten-addr = 192.0.2.1\n"
        "listen-addr = 192.0.2.100 ; VIP\nport=1702\n[lns b]\n"
        "pppoptfile = /etc/ppp/x\n[lns c]\npppoptfile = /etc/ppp/b\n[LNS B]\n"
        "pppoptfile = /etc/ppp/b\n[lac]\n[lac]\npppoptfile = /etc/ppp/a",
        "x.conf");
    ASSERT_TRUE(config.has_value()) << config.error().detail;
    EXPECT_EQ(to_string(config->listen), "192.0.2.100:1702") << "the last one counts";
    EXPECT_THAT(config->options_files, UnorderedElementsAre("/etc/ppp/a", "/etc/ppp/b"));
}

TEST(Xl2tpdConfigTest, PortIsTheRegisteredOneByDefault) {
    for (const char* text : {"", "port = -1\n"}) {
        const auto config = parse_xl2tpd_config(kHead + std::string(text), "x.conf");
        ASSERT_TRUE(config.has_value());
        EXPECT_EQ(config->listen.port, 1701);
    }
}

TEST(Xl2tpdConfigTest, RefusesAWildcardListener) {
    for (const char* text : {"[global]\nport = 1701\n", "[global]\nlisten-addr = 0.0.0.0\n",
                             "[global]\nlisten-addr = vpn.example.org\n"}) {
        const auto config = parse_xl2tpd_config(text, "x.conf");
        ASSERT_FALSE(config.has_value()) << text;
        EXPECT_THAT(config.error().detail, HasSubstr("listen-addr"));
    }
}

TEST(Xl2tpdConfigTest, RefusesAPortThatIsNone) {
    for (const char* port : {"70000", "0", "l2tp"}) {
        EXPECT_FALSE(parse_xl2tpd_config(kHead + std::string("port = ") + port, "x").has_value())
            << port;
    }
}

TEST(Xl2tpdConfigTest, RefusesWhatNoStandbyCouldContinueWith) {
    const auto refusal = [](const std::string& text) {
        const auto config = parse_xl2tpd_config(kHead + text, "x.conf");
        return config ? std::string() : config.error().detail;
    };
    EXPECT_THAT(refusal("Force UserSpace = Y\n"), HasSubstr("x.conf: with 'force userspace'"));
    EXPECT_EQ(refusal("force userspace = yes\nforce userspace = no\n"), "");
    EXPECT_THAT(refusal("[lns a]\npppoptfile = /a\nlocal ip range = 10.0.0.2-10.0.0.9\n"),
                HasSubstr("x.conf: line 5: with 'local ip range'"));
    EXPECT_THAT(refusal("[lns a]\npppoptfile =\n"), HasSubstr("no pppoptfile"));
    EXPECT_THAT(refusal("[lns a]\npppoptfile = /" + std::string(99, 'a') + "\n"),
                HasSubstr("no file name of more than 99 characters"));
}

TEST(MuteRulesetTest, DropsBothDirectionsOfTheEndpointOnly) {
    const auto ruleset =
        nlohmann::json::parse(mute_ruleset("west", {parse_ipv4("192.0.2.100").value(), 1701}));
    std::vector<std::string> matches;
    for (const auto& command : ruleset["nftables"]) {
        if (command.contains("add") && command["add"].contains("rule")) {
            matches.push_back(command["add"]["rule"]["expr"].dump());
        }
    }
    ASSERT_EQ(matches.size(), 2U);
    EXPECT_THAT(matches[0],
                testing::AllOf(HasSubstr(R"("field":"daddr")"), HasSubstr(R"("field":"dport")"),
                               HasSubstr(R"("right":"192.0.2.100")"), HasSubstr(R"("right":1701)"),
                               HasSubstr("drop")));
    EXPECT_THAT(matches[1],
                testing::AllOf(HasSubstr(R"("field":"saddr")"), HasSubstr(R"("field":"sport")")));
}

// Each test has a namespace and a directory of its own.
class Xl2tpdServiceTest : public testing::Test {
  protected:
    void SetUp() override {
        ASSERT_EQ(::geteuid(), 0U) << "these tests need root";
        ASSERT_EQ(::unshare(CLONE_NEWNET), 0);
        set_nonlocal_bind("1");
        root_ = temporary_path("xl2tpd_service");
        std::filesystem::remove_all(root_);
        std::filesystem::create_directories(root_);
        std::ofstream(settings().config) << "[global]\nlisten-addr = 192.0.2.100\n[lns default]\n"
                                         << "ip range = 10.0.0.2-10.0.0.9\nlocal ip = 10.0.0.1\n"
                                         << "pppoptfile = " << root_ << "/options\n";
    }

    void TearDown() override {
        EXPECT_TRUE(service().stop().has_value());
        std::filesystem::remove_all(root_);
    }

    static void set_nonlocal_bind(const char* value) {
        std::ofstream("/proc/sys/net/ipv4/ip_nonlocal_bind") << value;
    }

    StockService service() const { return {xl2tpd_kind(), "west", root_ + "/run"}; }

    Xl2tpdSettings settings() const {
        return {.binary = "/usr/sbin/xl2tpd",
                .config = root_ + "/xl2tpd.conf",
                .options_file = "",
                .resource = "xl2tpd-west"};
    }

    State state() const {
        const auto found = service().status();
        EXPECT_TRUE(found.has_value()) << found.error().detail;
        return found.value_or(State::dead);
    }

    Result<void> start_with(const Xl2tpdSettings& settings) const {
        StockService xl2tpd = service();
        VPNHA_TRY(const StockStarted wanted, plan_xl2tpd(xl2tpd, settings));
        return xl2tpd.start(wanted);
    }

    void start() {
        const auto done = start_with(settings());
        ASSERT_TRUE(done.has_value()) << done.error().detail;
    }

    int pid() const {
        int number = 0;
        std::ifstream(root_ + "/run/xl2tpd/west/pid") >> number;
        return number;
    }

    // A stand-in for a pppd: what counts are its name and its arguments.
    Process start_pppd(const std::string& options_file) const {
        const std::string program = root_ + "/pppd";
        std::filesystem::copy_file("/usr/bin/tail", program,
                                   std::filesystem::copy_options::skip_existing);
        std::ofstream(options_file).flush();
        const auto started = spawn_detached(
            {.arguments = {program, "-f", "/dev/null", options_file}, .error_file = ""});
        EXPECT_TRUE(started.has_value());
        const auto process = read_process(started.value_or(0));
        EXPECT_TRUE(process.has_value());
        return process.value_or(Process{});
    }

    std::string root_;
};

TEST_F(Xl2tpdServiceTest, IsStoppedBeforeItsFirstStart) {
    EXPECT_EQ(state(), State::stopped);
    EXPECT_TRUE(service().stop().has_value());
    EXPECT_TRUE(service().reset().has_value());
}

TEST_F(Xl2tpdServiceTest, XltpdTakesTheFormsThatWeTake) {
    for (const Form& form : forms()) {
        std::ofstream(settings().config) << kHead << form.text;
        const auto daemon =
            spawn_detached({.arguments = {"/usr/sbin/xl2tpd", "-D", "-c", settings().config, "-p",
                                          root_ + "/pid", "-C", root_ + "/control"}});
        ASSERT_TRUE(daemon.has_value()) << daemon.error().detail;
        // It makes its pipe after it has read the file.
        while (read_process(*daemon) && !std::filesystem::exists(root_ + "/control")) {
            std::this_thread::yield();
        }
        const auto process = read_process(*daemon);
        EXPECT_EQ(process.has_value(), form.is_legal) << form.text;
        if (process) {
            ASSERT_TRUE(kill_and_wait({*process}, std::chrono::seconds(5)).has_value());
        }
        std::filesystem::remove(root_ + "/control");
        std::filesystem::remove(root_ + "/pid");
    }
}

TEST_F(Xl2tpdServiceTest, RefusesAFileThatForcesUserSpace) {
    std::ofstream(settings().config, std::ios::app) << "[global]\nforce userspace = yes\n";
    const auto checked = check_xl2tpd(settings());
    ASSERT_FALSE(checked.has_value());
    EXPECT_EQ(checked.error().code, Errc::invalid_config);
    EXPECT_THAT(checked.error().detail, HasSubstr("force userspace"));
    EXPECT_FALSE(start_with(settings()).has_value());
    EXPECT_EQ(state(), State::stopped);
}

TEST_F(Xl2tpdServiceTest, RefusesAFileWhoseNameXltpdCutsOff) {
    auto deep = settings();
    std::filesystem::create_directories(root_ + "/" + std::string(100, 'x'));
    deep.config = root_ + "/" + std::string(100, 'x') + "/xl2tpd.conf";
    std::filesystem::copy(settings().config, deep.config);
    const auto checked = check_xl2tpd(deep);
    ASSERT_FALSE(checked.has_value());
    EXPECT_THAT(checked.error().detail, HasSubstr("more than 99 characters"));
}

TEST_F(Xl2tpdServiceTest, ListensOnAnAddressThatIsElsewhere) {
    start();
    EXPECT_EQ(state(), State::running);
    std::ostringstream sockets;
    sockets << std::ifstream("/proc/net/udp").rdbuf();
    EXPECT_THAT(sockets.str(), HasSubstr("640200C0:06A5 00000000:0000"));
}

TEST_F(Xl2tpdServiceTest, MemoryHasABoundAndTheMonitorFailsBeforeIt) {
    start();
    EXPECT_TRUE(service().status(StockService::Depth::answers).has_value());
    const int sender = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    for (const std::vector<std::string>& arguments :
         {std::vector<std::string>{"/sbin/ip", "link", "set", "lo", "up"},
          {"/sbin/ip", "address", "add", "192.0.2.100/32", "dev", "lo"}}) {
        ASSERT_TRUE(run_to_end({.arguments = arguments}, std::chrono::seconds(5)).has_value());
    }
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(1701);
    ASSERT_EQ(::inet_pton(AF_INET, "192.0.2.100", &to.sin_addr), 1);
    // Data of tunnel 0: xl2tpd keeps 10 KiB of each (docs/reference/upstream-reports.md).
    const std::array<std::uint8_t, 18> packet{0x00, 0x02};
    const auto data_of = [this] { return data_bytes(read_process(pid()).value_or(Process{})); };
    std::uint64_t most = data_of();
    const std::uint64_t before = most;
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    Result<State> watched = State::running;
    while (watched && std::chrono::steady_clock::now() < until) {
        for (int n = 0; n < 50; ++n) {
            ::sendto(sender, packet.data(), packet.size(), 0,
                     reinterpret_cast<const sockaddr*>(&to), sizeof to);
        }
        most = std::max(most, data_of());
        watched = service().status(StockService::Depth::answers);
    }
    ::close(sender);
    ASSERT_FALSE(watched.has_value()) << most;
    EXPECT_THAT(watched.error().detail, HasSubstr("of the 16 that memory_max lets it have"));
    EXPECT_GT(most, before);
    rlimit limit{};
    ASSERT_EQ(::prlimit(pid(), RLIMIT_DATA, nullptr, &limit), 0);
    EXPECT_EQ(limit.rlim_cur, 16U * 1024 * 1024);
    EXPECT_LE(most, limit.rlim_cur);
    EXPECT_EQ(state(), State::running) << "it lives; only the monitor looks closely";
}

TEST_F(Xl2tpdServiceTest, RefusesMemoryForNobody) {
    auto wrong = settings();
    for (const char* memory : {"15", "512MB", "0x200", "-1", " 512", "4294967296", ""}) {
        wrong.memory_max = memory;
        const auto checked = check_xl2tpd(wrong);
        ASSERT_FALSE(checked.has_value()) << memory;
        EXPECT_EQ(checked.error().code, Errc::invalid_config);
        EXPECT_THAT(checked.error().detail,
                    HasSubstr(std::string("memory_max is \"") + memory + "\""));
        EXPECT_FALSE(plan_xl2tpd(service(), wrong).has_value()) << memory;
    }
}

TEST_F(Xl2tpdServiceTest, StartOfARunningDaemonChangesNothing) {
    start();
    const int before = pid();
    start();
    EXPECT_EQ(pid(), before);
}

TEST_F(Xl2tpdServiceTest, StartWithOtherSettingsReplacesTheDaemon) {
    start();
    const int before = pid();
    auto other = settings();
    other.options_file = root_ + "/other";
    ASSERT_TRUE(start_with(other).has_value());
    EXPECT_NE(pid(), before);
    EXPECT_FALSE(read_process(before).has_value());
}

TEST_F(Xl2tpdServiceTest, StopLeavesNoProcessAndIsRepeatable) {
    start();
    const int before = pid();
    ASSERT_TRUE(service().stop().has_value());
    EXPECT_FALSE(read_process(before).has_value());
    EXPECT_EQ(state(), State::stopped);
    EXPECT_TRUE(service().stop().has_value());
}

TEST_F(Xl2tpdServiceTest, ReportsADaemonThatWasKilled) {
    start();
    const auto daemon = read_process(pid());
    ASSERT_TRUE(daemon.has_value());
    ASSERT_TRUE(kill_and_wait({*daemon}, std::chrono::seconds(5)).has_value());
    EXPECT_EQ(state(), State::dead);
    start();
    EXPECT_EQ(state(), State::running);
}

TEST_F(Xl2tpdServiceTest, ReportsADaemonWithoutControlPipe) {
    start();
    const std::string pipe = root_ + "/run/xl2tpd/west/l2tp-control";
    ASSERT_EQ(::unlink(pipe.c_str()), 0);
    EXPECT_EQ(state(), State::dead);
    std::ofstream(pipe).flush();
    EXPECT_EQ(state(), State::dead) << "a file is no pipe";
}

TEST_F(Xl2tpdServiceTest, ResetLeavesANewIdleDaemon) {
    start();
    const int before = pid();
    ASSERT_TRUE(service().reset().has_value());
    EXPECT_NE(pid(), before);
    EXPECT_FALSE(read_process(before).has_value());
    EXPECT_EQ(state(), State::running);
}

TEST_F(Xl2tpdServiceTest, ResetEndsThePppdsOfTheGatewayAndNoOthers) {
    const Process own = start_pppd(root_ + "/options");
    const Process other = start_pppd(root_ + "/other");
    start();
    ASSERT_TRUE(service().reset().has_value());
    EXPECT_FALSE(read_process(own.pid).has_value());
    EXPECT_TRUE(read_process(other.pid).has_value());
    EXPECT_TRUE(kill_and_wait({other}, std::chrono::seconds(5)).has_value());
}

TEST_F(Xl2tpdServiceTest, AResetThatWasBegunIsOverForWhoeverAsks) {
    start();
    const Process own = start_pppd(root_ + "/options");
    const int before = pid();
    ASSERT_TRUE(service().begin_reset().has_value());
    ASSERT_TRUE(service().wait_idle().has_value());
    EXPECT_NE(pid(), before);
    EXPECT_FALSE(read_process(own.pid).has_value());
    EXPECT_EQ(state(), State::running);
    int status = -1;
    ASSERT_GT(::wait(&status), 0);
    EXPECT_EQ(status, 0);
}

TEST_F(Xl2tpdServiceTest, NothingIsResetThatWasNotStarted) {
    EXPECT_TRUE(service().wait_idle().has_value());
    EXPECT_TRUE(service().begin_reset().has_value());
    EXPECT_EQ(::wait(nullptr), -1) << "no child";
    EXPECT_FALSE(std::filesystem::exists(root_ + "/run/xl2tpd/west/started"));
}

TEST_F(Xl2tpdServiceTest, StoppedLaterItServesOnUntilTheReset) {
    start();
    const int before = pid();
    ASSERT_TRUE(service().stop_later().has_value());
    EXPECT_EQ(service().status(), State::stopped);
    EXPECT_TRUE(read_process(before).has_value());
    ASSERT_TRUE(service().reset().has_value());
    EXPECT_FALSE(read_process(before).has_value());
    EXPECT_EQ(service().status(), State::stopped);
    ASSERT_TRUE(service().reset().has_value()) << "nothing is left to be reset";
    EXPECT_EQ(service().status(), State::stopped);
}

TEST_F(Xl2tpdServiceTest, StartedAgainBeforeTheResetItIsANewDaemon) {
    start();
    const int before = pid();
    ASSERT_TRUE(service().stop_later().has_value());
    start();
    EXPECT_FALSE(read_process(before).has_value());
    EXPECT_EQ(service().status(), State::running);
}

TEST_F(Xl2tpdServiceTest, AStopThatIsTakenBackBeforeTheResetChangesNothing) {
    start();
    const int before = pid();
    EXPECT_FALSE(service().take_back().value()) << "nobody has stopped it";
    ASSERT_TRUE(service().stop_later().has_value());
    EXPECT_TRUE(service().take_back().value());
    EXPECT_TRUE(read_process(before).has_value());
    EXPECT_EQ(service().status(), State::running);
    ASSERT_TRUE(service().reset().has_value());
    EXPECT_EQ(service().status(), State::running) << "so a reset starts it again";
}

TEST_F(Xl2tpdServiceTest, WhatHasDiedIsNotTakenBack) {
    start();
    ASSERT_TRUE(service().stop_later().has_value());
    ASSERT_TRUE(kill_and_wait({*read_process(pid())}, std::chrono::seconds(5)).has_value());
    std::filesystem::remove(root_ + "/run/xl2tpd/west/l2tp-control");
    EXPECT_FALSE(service().take_back().value());
    EXPECT_EQ(service().status(), State::stopped);
}

// What vpnhad is told of the daemon of gateway west.
class Xl2tpdWatchTest : public Xl2tpdServiceTest {
  protected:
    Xl2tpdWatchTest() {
        config::Gateway gateway;
        gateway.name = "west";
        gateway.id = GatewayId{1};
        config_.gateways = {gateway};
    }

    std::vector<std::string> deaths_while(const std::function<void()>& client) {
        std::vector<std::string> deaths;
        QbLoop loop;
        StockServices services(
            config_, loop,
            [&](GatewayId, const std::string& resource) {
                deaths.push_back(resource);
                notified_ = true;
            },
            by_, root_ + "/run");
        services.watch(GatewayId{1});
        if (resets_) {
            const Result<void> begun = services.reset(GatewayId{1}, [this](const auto& result) {
                EXPECT_TRUE(result.has_value());
                reset_ = true;
            });
            EXPECT_TRUE(begun.has_value());
        }
        run_while(loop, client);
        return deaths;
    }

    std::vector<std::string> deaths_while_reset() {
        resets_ = true;
        return deaths_while([this] {
            while (!reset_) {
                std::this_thread::yield();
            }
        });
    }

    config::Config config_;
    StockServices::By by_ = StockServices::By::this_process;
    bool resets_ = false;
    std::atomic<bool> notified_ = false;
    std::atomic<bool> reset_ = false;
};

TEST_F(Xl2tpdWatchTest, ReportsTheDaemonsDeathByItsNameInTheCluster) {
    start();
    const auto kill_it = [this] {
        ::kill(pid(), SIGKILL);
        while (!notified_) {
            std::this_thread::yield();
        }
    };
    EXPECT_THAT(deaths_while(kill_it), ElementsAre("xl2tpd-west"));
}

TEST_F(Xl2tpdWatchTest, AReplacedDaemonsDeathIsNone) {
    start();
    const int before = pid();
    EXPECT_THAT(deaths_while_reset(), testing::IsEmpty());
    EXPECT_NE(pid(), before);
    EXPECT_EQ(state(), State::running);
}

// systemd is not the first process here, or has no release-services of this gateway's.
TEST_F(Xl2tpdWatchTest, WhereSystemdFailsTheDaemonIsReplacedAllTheSame) {
    start();
    const int before = pid();
    by_ = StockServices::By::systemd;
    EXPECT_THAT(deaths_while_reset(), testing::IsEmpty());
    EXPECT_NE(pid(), before);
    EXPECT_EQ(state(), State::running);
}

TEST_F(Xl2tpdWatchTest, WithoutADaemonThereIsNothingToReport) {
    EXPECT_THAT(deaths_while([] {}), testing::IsEmpty());
}

TEST_F(Xl2tpdServiceTest, NamesTheKernelSettingThatIsMissing) {
    set_nonlocal_bind("0");
    const auto done = start_with(settings());
    ASSERT_FALSE(done.has_value());
    EXPECT_EQ(done.error().code, Errc::unsupported);
    EXPECT_THAT(done.error().detail, HasSubstr("ip_nonlocal_bind"));
}

TEST_F(Xl2tpdServiceTest, NamesTheMissingProgramAndConfiguration) {
    auto wrong = settings();
    wrong.binary = "/nowhere/xl2tpd";
    EXPECT_EQ(start_with(wrong).error().code, Errc::unsupported);
    wrong = settings();
    wrong.config = "/nowhere/xl2tpd.conf";
    EXPECT_EQ(start_with(wrong).error().code, Errc::invalid_config);
    EXPECT_EQ(state(), State::stopped);
}

}  // namespace xl2tpd_service_test
}  // namespace vpnha::adapters

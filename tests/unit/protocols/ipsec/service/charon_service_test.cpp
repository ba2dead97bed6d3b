// SPDX-License-Identifier: GPL-2.0-or-later
// Real charon-systemd and swanctl, in namespaces of the test's own; run as root.
#include "protocols/ipsec/service/charon_service.hpp"

#include <gmock/gmock.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <future>
#include <thread>

#include "host/os/lock_file.hpp"
#include "host/sockets/udp_sockets.hpp"
#include "protocols/ipsec/service/charon_guard.hpp"
#include "protocols/ipsec/service/charon_sas.hpp"
#include "protocols/ipsec/service/vici_client.hpp"
#include "support/charon_recordings.hpp"
#include "support/temporary_path.hpp"

namespace vpnha::adapters {
namespace charon_service_test {

using namespace std::chrono_literals;
using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using State = StockService::State;

constexpr const char* kSocket = "/run/charon.vici";

// All of its threads have been stopped.
bool stands_still(pid_t pid) {
    const std::filesystem::directory_iterator tasks("/proc/" + std::to_string(pid) + "/task");
    return std::all_of(begin(tasks), end(tasks), [](const auto& task) {
        std::string line;
        std::getline(std::ifstream(task.path() / "stat"), line);
        const auto name_end = line.rfind(") ");
        return name_end != std::string::npos && line.substr(name_end + 2, 1) == "T";
    });
}

// Each test has a network of its own, and a /run, where charon's sockets are.
class CharonServiceTest : public testing::Test {
  protected:
    void SetUp() override {
        ASSERT_EQ(::geteuid(), 0U) << "these tests need root";
        root_ = temporary_path("charon_service");
        std::filesystem::remove_all(root_);
        std::filesystem::create_directories(root_);
        ASSERT_EQ(::unshare(CLONE_NEWNET | CLONE_NEWNS), 0);
        ASSERT_EQ(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
        ASSERT_EQ(::mount("tmpfs", "/run", "tmpfs", 0, nullptr), 0);
        set_up("lo");
        write_connections("west");
    }

    void TearDown() override {
        EXPECT_TRUE(service().stop().has_value());
        std::filesystem::remove_all(root_);
    }

    static void set_up(const char* interface) {
        const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        ifreq request{};
        std::string(interface).copy(request.ifr_name, IFNAMSIZ - 1);
        request.ifr_flags = IFF_UP;
        ASSERT_EQ(::ioctl(socket.get(), SIOCSIFFLAGS, &request), 0);
    }

    void write_connections(const std::string& name) const {
        std::ofstream(settings().config)
            << "connections {\n"
            << name << " {\nlocal_addrs = 192.0.2.100\nmobike = no\n"
            << "unique = never\nlocal {\nauth = psk\n}\nremote {\nauth = psk\n}\nchildren {\n"
            << name << " {\nmode = transport\nrand_time = 0\n}\n}\n}\n}\n";
    }

    StockService service() const { return {charon_kind(), "west", root_ + "/run"}; }

    CharonSettings settings() const {
        return {.binary = "/usr/sbin/charon-systemd",
                .swanctl = "/usr/sbin/swanctl",
                .strongswan_conf = VPNHA_STRONGSWAN_CONF,
                .config = root_ + "/swanctl.conf",
                .resource = "strongswan"};
    }

    Result<void> start_with(const CharonSettings& settings) const {
        StockService charon = service();
        VPNHA_TRY(const StockStarted wanted, plan_charon(charon, settings));
        return charon.start(wanted);
    }

    void start() const {
        const auto done = start_with(settings());
        ASSERT_TRUE(done.has_value()) << done.error().detail;
    }

    State state() const {
        const auto found = service().status();
        EXPECT_TRUE(found.has_value()) << found.error().detail;
        return found.value_or(State::dead);
    }

    int pid() const {
        int number = 0;
        std::ifstream(root_ + "/run/charon/west/pid") >> number;
        return number;
    }

    void expect_refused(Errc code, const char* reason) const {
        const auto done = start_with(settings());
        ASSERT_FALSE(done.has_value());
        EXPECT_EQ(done.error().code, code);
        EXPECT_THAT(done.error().detail, HasSubstr(reason));
    }

    static ViciSection ask(std::string_view command) {
        auto client = ViciClient::connect(kSocket, 2s);
        EXPECT_TRUE(client.has_value()) << client.error().detail;
        auto answer = client->ask(command);
        EXPECT_TRUE(answer.has_value()) << answer.error().detail;
        return answer.value_or(ViciSection{});
    }

    std::string root_;
};

UniqueFd bind_udp(std::uint32_t address, std::uint16_t port) {
    UniqueFd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_port = htons(port);
    name.sin_addr.s_addr = htonl(address);
    EXPECT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name), 0);
    return fd;
}

// vpnhad's end. The guard lets no socket without its mark hear charon.
UniqueFd bind_relay() {
    UniqueFd relay = bind_udp(0x7F000002, 4510);
    EXPECT_EQ(::setsockopt(relay.get(), SOL_SOCKET, SO_MARK, &kRelayMark, sizeof kRelayMark), 0);
    const timeval limit{.tv_sec = 5, .tv_usec = 0};
    ::setsockopt(relay.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    return relay;
}

TEST_F(CharonServiceTest, IsStoppedBeforeItsFirstStart) {
    EXPECT_EQ(state(), State::stopped);
    EXPECT_TRUE(service().stop().has_value());
    EXPECT_TRUE(service().reset().has_value());
}

TEST_F(CharonServiceTest, StartedItHasItsConnectionsAndThePluginHa) {
    start();
    EXPECT_EQ(state(), State::running);
    EXPECT_EQ(service().status(StockService::Depth::answers), State::running);
    EXPECT_EQ(ask("version").value("daemon"), "charon-systemd");
    EXPECT_THAT(ask("get-conns").list("conns"), ElementsAre("west"));
    EXPECT_TRUE(std::filesystem::is_fifo("/run/charon.ha"));
    EXPECT_TRUE(is_udp_bound({.address = {0x7F000001}, .port = 4510}));
}

// What vpnhad hears of it: that it lives, with no segment active, and that it is fresh.
TEST_F(CharonServiceTest, StartedItIsPassiveAndAsksForAllSas) {
    const UniqueFd relay = bind_relay();
    start();
    std::vector<std::vector<std::uint8_t>> received;
    for (;;) {
        std::vector<std::uint8_t> message(100);
        const ssize_t size = ::recv(relay.get(), message.data(), message.size(), 0);
        ASSERT_GT(size, 0) << "no RESYNC within 5 s";
        message.resize(static_cast<std::size_t>(size));
        if (message.at(1) == 11) {
            break;
        }
        // STATUS, without the attribute SEGMENT, which names an active one. The version of its
        // messages is 3 of strongSwan 5.9, and 4 of 6.0.1.
        EXPECT_THAT(message, ElementsAre(AnyOf(3, 4), 10));
    }
}

TEST_F(CharonServiceTest, StartOfARunningDaemonChangesNothing) {
    start();
    const int before = pid();
    start();
    EXPECT_EQ(pid(), before);
}

TEST_F(CharonServiceTest, StopLeavesNoProcessAndIsRepeatable) {
    start();
    const int before = pid();
    ASSERT_TRUE(service().stop().has_value());
    EXPECT_FALSE(read_process(before).has_value());
    EXPECT_EQ(state(), State::stopped);
    EXPECT_FALSE(std::filesystem::exists(kSocket));
    EXPECT_TRUE(service().stop().has_value());
}

TEST_F(CharonServiceTest, StopEndsOneThatStandsStill) {
    start();
    const int before = pid();
    ASSERT_EQ(::kill(before, SIGSTOP), 0);
    ASSERT_TRUE(service().stop().has_value());
    EXPECT_FALSE(read_process(before).has_value());
}

TEST_F(CharonServiceTest, ReportsADaemonThatWasKilledAndStartsAnother) {
    start();
    const auto daemon = read_process(pid());
    ASSERT_TRUE(daemon.has_value());
    ASSERT_TRUE(kill_and_wait({*daemon}, 5s).has_value());
    EXPECT_EQ(state(), State::dead);
    start();
    EXPECT_EQ(state(), State::running);
}

TEST_F(CharonServiceTest, ReportsADaemonThatNobodyCanActivate) {
    start();
    ASSERT_EQ(::unlink("/run/charon.ha"), 0);
    EXPECT_EQ(state(), State::dead);
}

TEST_F(CharonServiceTest, ACloseLookFindsOneThatDoesNotAnswer) {
    start();
    ASSERT_EQ(::kill(pid(), SIGSTOP), 0);
    // Each thread stops when it has its turn next; until then it may answer.
    for (const auto until = std::chrono::steady_clock::now() + 10s; !stands_still(pid());) {
        ASSERT_LT(std::chrono::steady_clock::now(), until);
        std::this_thread::yield();
    }
    EXPECT_EQ(state(), State::running);
    const auto found = service().status(StockService::Depth::answers);
    ASSERT_FALSE(found.has_value());
    EXPECT_EQ(found.error().code, Errc::timeout);
}

TEST_F(CharonServiceTest, AResetLeavesANewOneWithItsConnections) {
    start();
    const int before = pid();
    ASSERT_TRUE(service().reset().has_value());
    EXPECT_NE(pid(), before);
    EXPECT_EQ(state(), State::running);
    EXPECT_THAT(ask("get-conns").list("conns"), ElementsAre("west"));
}

TEST_F(CharonServiceTest, AReleaseLeavesItAlone) {
    start();
    const int before = pid();
    ASSERT_TRUE(service().release().has_value());
    EXPECT_EQ(pid(), before);
    EXPECT_EQ(state(), State::running);
}

TEST_F(CharonServiceTest, StoppedLaterItRunsOnUntilTheRelease) {
    start();
    const int before = pid();
    ASSERT_TRUE(service().stop_later().has_value());
    EXPECT_EQ(state(), State::stopped);
    EXPECT_TRUE(read_process(before).has_value());
    ASSERT_TRUE(service().release().has_value());
    EXPECT_FALSE(read_process(before).has_value());
    EXPECT_EQ(state(), State::stopped);
}

TEST_F(CharonServiceTest, RefusesAConfigurationWithoutConnections) {
    std::ofstream(settings().config) << "connections {\n}\n";
    expect_refused(Errc::invalid_config, "no connections");
    EXPECT_EQ(state(), State::dead) << "it was started, and ended again";
    write_connections("west");
    start();
}

TEST_F(CharonServiceTest, RefusesAConfigurationThatSwanctlDoesNotLoad) {
    std::ofstream(settings().config) << "connections {\nwest {\nproposals = rot13\n}\n}\n";
    expect_refused(Errc::invalid_config, "invalid value for: proposals");
    EXPECT_FALSE(std::filesystem::exists(root_ + "/run/charon/west/swanctl.log"))
        << "AppArmor lets swanctl write to no file of ours";
}

TEST_F(CharonServiceTest, RefusesWhatNoStandbyCouldContinueWith) {
    std::filesystem::create_directories(root_ + "/conf.d");
    std::ofstream(settings().config, std::ios::app) << "include conf.d/*.conf\n";
    std::ofstream(root_ + "/conf.d/ppk.conf") << "secrets { ppk-1 { secret = x } }\n";
    expect_refused(Errc::invalid_config, "ppk-1: it is a PPK");
    EXPECT_EQ(state(), State::stopped) << "it was not started";
    std::ofstream(root_ + "/conf.d/ppk.conf") << "secrets { ppk-1 { \n";
    expect_refused(Errc::malformed, "swanctl.conf: line");
}

TEST_F(CharonServiceTest, RefusesWhatAppArmorKeepsFromTheStockPrograms) {
    auto confined = settings();
    confined.apparmor = {.profiles = root_ + "/profiles", .local = root_};
    const auto refusal = [&confined] {
        const auto checked = check_charon(confined);
        return checked ? std::string() : checked.error().detail;
    };
    EXPECT_EQ(refusal(), "") << "no AppArmor";
    std::ofstream(confined.apparmor.profiles) << "/usr/sbin/charon-systemd (enforce)\n";
    EXPECT_THAT(refusal(), HasSubstr("does not let /usr/sbin/charon-systemd read"));
    std::ofstream(confined.apparmor.profiles) << "/usr/sbin/swanctl (enforce)\n";
    EXPECT_THAT(refusal(), HasSubstr("does not let /usr/sbin/swanctl read"));
    std::ofstream(root_ + "/usr.sbin.swanctl") << "\"" << root_ << "/{,**}\" r,\n";
    EXPECT_EQ(refusal(), "");
}

TEST_F(CharonServiceTest, NamesWhoIsInTheWay) {
    {
        const UniqueFd other = bind_udp(0, 4500);
        expect_refused(Errc::system, "strongswan");
    }
    {
        const UniqueFd other = bind_udp(0x7F000001, 4510);
        expect_refused(Errc::system, "127.0.0.1:4510");
    }
    EXPECT_EQ(state(), State::stopped);
}

TEST_F(CharonServiceTest, NamesThePackageOfThePluginThatIsMissing) {
    auto without = settings();
    without.strongswan_conf = root_ + "/strongswan.conf";
    std::ofstream(without.strongswan_conf)
        << "include " << VPNHA_STRONGSWAN_CONF
        << "\ncharon-systemd {\nplugins {\nha {\nload = no\n}\n}\n}\n";
    const auto done = start_with(without);
    ASSERT_FALSE(done.has_value());
    EXPECT_EQ(done.error().code, Errc::unsupported);
    EXPECT_THAT(done.error().detail, HasSubstr("libcharon-extra-plugins"));
}

// It is the stock file that says what not to do, as a node may have it.
TEST_F(CharonServiceTest, TheNodesOwnSettingsDoNotReachThePluginHa) {
    std::filesystem::copy("/etc/strongswan.conf", root_ + "/node.conf");
    std::ofstream(root_ + "/node.conf", std::ios::app)
        << "charon-systemd {\nplugins {\nha {\nload = no\nlocal = 127.0.0.3\n}\n}\n}\n";
    ASSERT_EQ(
        ::mount((root_ + "/node.conf").c_str(), "/etc/strongswan.conf", nullptr, MS_BIND, nullptr),
        0);
    start();
    EXPECT_TRUE(is_udp_bound({.address = {0x7F000001}, .port = 4510}));
}

TEST_F(CharonServiceTest, NamesTheMissingProgramAndConfiguration) {
    auto wrong = settings();
    wrong.binary = "/nowhere/charon-systemd";
    EXPECT_EQ(start_with(wrong).error().code, Errc::unsupported);
    wrong = settings();
    wrong.swanctl = "/nowhere/swanctl";
    EXPECT_EQ(start_with(wrong).error().code, Errc::unsupported);
    wrong = settings();
    wrong.strongswan_conf = "/nowhere/strongswan.conf";
    EXPECT_EQ(start_with(wrong).error().code, Errc::unsupported);
    wrong = settings();
    wrong.config = "/nowhere/swanctl.conf";
    EXPECT_EQ(start_with(wrong).error().code, Errc::invalid_config);
    EXPECT_EQ(state(), State::stopped);
}

// The charon of this machine, which may be of Debian 12 or 13, has each SA of the others. Keys in
// the kernel are no part of it: hosts of tests have no ESP.
TEST_F(CharonServiceTest, ItTakesWhatCharonsOfAnyVersionHaveSent) {
    const UniqueFd relay = bind_relay();
    write_connections("psk2");  // As those had it that were recorded.
    start();
    Bytes status(100);
    ASSERT_GT(::recv(relay.get(), status.data(), status.size(), 0), 0);
    std::vector<ipsec::IkeKey> fed;
    for (const auto& [name, messages] : test::recordings("-psk2")) {
        if (!name.ends_with("-psk2")) {
            continue;
        }
        // Until it is up: IKE_ADD, the message ID, IKE_UPDATE.
        for (std::size_t i = 0; i < 3; ++i) {
            const Bytes dialect = test::in_dialect(messages.at(i));
            fed.push_back(ipsec::parse_ha_message(dialect)->ike_id()->key);
            const Bytes octets = test::for_charon(dialect, status[0]);
            sockaddr_in charon{};
            charon.sin_family = AF_INET;
            charon.sin_port = htons(4510);
            charon.sin_addr.s_addr = htonl(0x7F000001);
            ASSERT_EQ(::sendto(relay.get(), octets.data(), octets.size(), 0,
                               reinterpret_cast<const sockaddr*>(&charon), sizeof charon),
                      static_cast<ssize_t>(octets.size()));
        }
    }
    std::ranges::sort(fed);
    fed.erase(std::unique(fed.begin(), fed.end()), fed.end());
    EXPECT_THAT(fed, testing::SizeIs(3)) << "one SA of each version";
    std::vector<ipsec::IkeKey> has;
    for (int looks = 0; looks < 2000 && has.size() < fed.size(); ++looks) {
        has.clear();
        const auto listed = list_ike_sas(kSocket, 2s);
        ASSERT_TRUE(listed) << listed.error().detail;
        for (const ipsec::IkeId& id : *listed) {
            has.push_back(id.key);
        }
    }
    EXPECT_THAT(has, testing::UnorderedElementsAreArray(fed));
}

TEST_F(CharonServiceTest, ACommandThatCharonDoesNotKnowOrDoIsAnError) {
    start();
    auto client = ViciClient::connect(kSocket, 2s);
    ASSERT_TRUE(client.has_value());
    const auto unknown = client->ask("make-coffee");
    ASSERT_FALSE(unknown.has_value());
    EXPECT_EQ(unknown.error().code, Errc::unsupported);
    const auto failed = client->ask("unload-conn", {.values = {{"name", "east"}}});
    ASSERT_FALSE(failed.has_value());
    EXPECT_THAT(failed.error().detail, HasSubstr("east"));
    EXPECT_THAT(client->ask("version").value().value("version").substr(0, 2), AnyOf("5.", "6."));
}

TEST_F(CharonServiceTest, ItsPortIsGuardedBeforeItIsThere) {
    EXPECT_FALSE(is_charon_guarded().value_or(true));
    start();
    EXPECT_TRUE(is_charon_guarded().value_or(false));
    ASSERT_TRUE(service().stop().has_value());
    EXPECT_TRUE(is_charon_guarded().value_or(false));
}

TEST_F(CharonServiceTest, ReportsWhatItHasWhenItsConnectionsAreLoaded) {
    start();
    const auto none = list_ike_sas(service(), "", 2s);
    ASSERT_TRUE(none.has_value()) << none.error().detail;
    EXPECT_THAT(*none, IsEmpty());
}

TEST_F(CharonServiceTest, WhoAsksWhatItHasWaitsForWhoStartsIt) {
    start();
    auto held = lock_directory(root_ + "/run/charon/west", LOCK_EX);
    ASSERT_TRUE(held.has_value()) << held.error().detail;
    auto listed =
        std::async(std::launch::async, [this] { return list_ike_sas(service(), "", 2s); });
    EXPECT_EQ(listed.wait_for(300ms), std::future_status::timeout);
    *held = UniqueFd();
    EXPECT_TRUE(listed.get().has_value());
}

TEST(ViciClientTest, ReportsWhenNobodyListens) {
    const auto client = ViciClient::connect("/nowhere/charon.vici", 2s);
    ASSERT_FALSE(client.has_value());
    EXPECT_EQ(client.error().code, Errc::unreachable);
    EXPECT_FALSE(ViciClient::connect(std::string(200, 'x'), 2s).has_value());
}

}  // namespace charon_service_test
}  // namespace vpnha::adapters

// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/vip/vip_service.hpp"

#include <gmock/gmock.h>
#include <signal.h>

#include <filesystem>
#include <fstream>

#include "host/os/process.hpp"
#include "support/temporary_path.hpp"
#include "unit/host/addresses/two_hosts.hpp"

namespace vpnha::adapters {
namespace vip_service_test {

using namespace std::chrono_literals;
using testing::Capture;
using ::testing::HasSubstr;
using testing::ip_command;
using ::testing::Not;
using testing::output_of;

using State = VipService::State;
using Depth = VipService::Depth;

constexpr const char* kRpFilter = "/proc/sys/net/ipv4/conf/out0/rp_filter";

std::string read_file(const std::string& path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line;
}

class VipServiceTest : public testing::TwoHosts {
  protected:
    void SetUp() override {
        TwoHosts::SetUp();
        parameters_.addresses = "192.0.2.9/24 2001:db8::9/64";
        parameters_.interface = "out0";
        parameters_.probe_ms = "20";
    }
    void TearDown() override {
        // Not one announcer is left behind, whatever a test did.
        EXPECT_TRUE(vip_.stop(parameters_));
        std::filesystem::remove_all(directory_);
        TwoHosts::TearDown();
    }
    void expect_started() {
        const auto started = vip_.start(parameters_);
        ASSERT_TRUE(started) << started.error().detail;
    }
    State state(Depth depth = Depth::kernel) {
        const auto found = vip_.status(parameters_, depth);
        EXPECT_TRUE(found) << found.error().detail;
        return found.value_or(State::stopped);
    }
    std::string trouble(Depth depth = Depth::kernel) {
        const auto found = vip_.status(parameters_, depth);
        EXPECT_FALSE(found);
        return found ? "" : found.error().detail;
    }
    [[nodiscard]] pid_t announcer() const {
        pid_t pid = 0;
        std::ifstream(directory_ + "/web/announcer") >> pid;
        return pid;
    }
    static bool have_address(const char* text) {
        return output_of("ip -o addr show dev out0").find(text) != std::string::npos;
    }
    static bool is_gone(pid_t pid) {
        const auto deadline = std::chrono::steady_clock::now() + 5s;
        while (read_process(pid) && std::chrono::steady_clock::now() < deadline) {
            ::usleep(5000);
        }
        return !read_process(pid);
    }

    std::string directory_ = temporary_path("vip");
    VipParameters parameters_;
    VipService vip_{"web", VPNHA_ANNOUNCE_PROGRAM, directory_};
};

TEST_F(VipServiceTest, StartsAndStopsRepeatably) {
    EXPECT_EQ(state(), State::stopped);
    EXPECT_TRUE(vip_.stop(parameters_));
    expect_started();
    const pid_t first = announcer();
    expect_started();
    EXPECT_EQ(announcer(), first);
    EXPECT_EQ(state(), State::running);
    EXPECT_TRUE(have_address("192.0.2.9/24"));
    EXPECT_TRUE(have_address("2001:db8::9/64"));
    // One that cannot see the addresses go is ended all the same.
    ASSERT_EQ(::kill(first, SIGSTOP), 0);
    for (int i = 0; i < 2; ++i) {
        const auto stopped = vip_.stop(parameters_);
        ASSERT_TRUE(stopped) << stopped.error().detail;
    }
    EXPECT_EQ(state(), State::stopped);
    EXPECT_FALSE(have_address("192.0.2.9/24"));
    EXPECT_FALSE(have_address("2001:db8::9/64"));
    EXPECT_TRUE(have_address("192.0.2.1/24")) << "the interface's own";
    EXPECT_FALSE(read_process(first));
}

TEST_F(VipServiceTest, RefusesAnAddressThatSomebodyHas) {
    in_peer([] {
        EXPECT_TRUE(ip_command("link set peer0 address 02:00:00:00:00:77"));
        EXPECT_TRUE(ip_command("addr add 192.0.2.9/24 dev peer0"));
    });
    parameters_.probe_ms = "2000";
    const auto started = vip_.start(parameters_);
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().code, Errc::already_exists);
    EXPECT_THAT(started.error().detail,
                HasSubstr("192.0.2.9 is in use on out0 by 02:00:00:00:00:77"));
    EXPECT_EQ(state(), State::stopped) << "nothing is left";
    parameters_.probe_ms = "0";
    expect_started();
    EXPECT_EQ(state(), State::running);
    EXPECT_THAT(trouble(Depth::neighbours), HasSubstr("02:00:00:00:00:77"));
}

TEST_F(VipServiceTest, ADeepLookFindsNobodyElse) {
    expect_started();
    EXPECT_EQ(state(Depth::neighbours), State::running);
}

TEST_F(VipServiceTest, BringsRulesRoutesAndFilterAndTakesThemAway) {
    const std::string was = read_file(kRpFilter);
    parameters_.table = "700";
    parameters_.default_via = "192.0.2.51 2001:db8::51";
    parameters_.rp_filter = "loose";
    expect_started();
    expect_started();
    EXPECT_EQ(state(), State::running);
    EXPECT_EQ(read_file(kRpFilter), "2");
    EXPECT_THAT(output_of("ip rule"), HasSubstr("from 192.0.2.9 lookup 700"));
    EXPECT_THAT(output_of("ip -6 rule"), HasSubstr("from 2001:db8::9 lookup 700"));
    EXPECT_THAT(output_of("ip route show table 700"), HasSubstr("default via 192.0.2.51"));
    EXPECT_THAT(output_of("ip -6 route show table 700"), HasSubstr("default via 2001:db8::51"));
    ASSERT_TRUE(vip_.stop(parameters_));
    EXPECT_EQ(read_file(kRpFilter), was);
    EXPECT_THAT(output_of("ip rule; ip -6 rule"), Not(HasSubstr("lookup 700")));
    EXPECT_EQ(output_of("ip route show table 700; ip -6 route show table 700"), "");
}

TEST_F(VipServiceTest, ReportsWhatIsGone) {
    parameters_.table = "700";
    parameters_.default_via = "192.0.2.51";
    expect_started();
    ASSERT_TRUE(ip_command("route del default table 700"));
    EXPECT_THAT(trouble(), HasSubstr("route to 0.0.0.0/0 in table 700 is missing"));
    expect_started();
    ASSERT_TRUE(ip_command("rule del from 192.0.2.9 table 700"));
    EXPECT_THAT(trouble(), HasSubstr("policy rule 10000 for table 700 is missing"));
    expect_started();
    ASSERT_TRUE(ip_command("addr del 192.0.2.9/24 dev out0"));
    EXPECT_THAT(trouble(), HasSubstr("192.0.2.9/24 is not on out0"));
    expect_started();
    EXPECT_EQ(state(), State::running);
    in_peer([] { EXPECT_TRUE(ip_command("link set peer0 down")); });
    EXPECT_THAT(trouble(), HasSubstr("out0 is down or has no carrier"));
    EXPECT_TRUE(vip_.stop(parameters_)) << "without a carrier";
}

TEST_F(VipServiceTest, ReportsThatADeviceLostItsIpv6AddressBySettingItDown) {
    expect_started();
    ASSERT_TRUE(ip_command("link set out0 down"));
    ASSERT_TRUE(ip_command("link set out0 up"));
    EXPECT_THAT(trouble(), HasSubstr("2001:db8::9/64 is not on out0"));
    expect_started();
    EXPECT_EQ(state(), State::running);
}

// Rules, routes, a VLAN device may be left: a failure, which Pacemaker answers with a stop first.
TEST_F(VipServiceTest, ItIsNoStopThatSomebodyHasRemovedAllAddresses) {
    expect_started();
    ASSERT_TRUE(ip_command("addr flush dev out0"));
    EXPECT_THAT(trouble(), HasSubstr("192.0.2.9/24 is not on out0"));
    ASSERT_TRUE(vip_.stop(parameters_));
    EXPECT_EQ(state(), State::stopped);
}

TEST_F(VipServiceTest, StopsWhatIsGoneAlready) {
    expect_started();
    const pid_t pid = announcer();
    ASSERT_TRUE(ip_command("link del out0"));
    EXPECT_TRUE(is_gone(pid)) << "it ends with the addresses";
    EXPECT_THAT(trouble(), HasSubstr("there is no interface out0"));
    EXPECT_TRUE(vip_.stop(parameters_));
    EXPECT_EQ(state(), State::stopped);
    EXPECT_EQ(vip_.start(parameters_).error().code, Errc::invalid_argument);
    EXPECT_EQ(state(), State::stopped);
}

TEST_F(VipServiceTest, TakesNoAddressThatItCannotAnnounce) {
    VipService incomplete("web", "/nowhere/announce-vip", directory_);
    const auto started = incomplete.start(parameters_);
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().code, Errc::unsupported);
    EXPECT_EQ(state(), State::stopped);
    EXPECT_FALSE(have_address("192.0.2.9/24"));
}

TEST_F(VipServiceTest, AStopTakesNoOthersAddressOfTheSameNetAway) {
    std::ofstream("/proc/sys/net/ipv4/conf/out0/promote_secondaries") << '0';
    ASSERT_TRUE(ip_command("addr delete 192.0.2.1/24 dev out0"));
    expect_started();
    ASSERT_TRUE(ip_command("addr add 192.0.2.10/24 dev out0"));
    ASSERT_TRUE(vip_.stop(parameters_));
    EXPECT_TRUE(have_address("192.0.2.10/24"));
}

TEST_F(VipServiceTest, FindsAndStopsAnAddressThatItDoesNotRemember) {
    ASSERT_TRUE(ip_command("addr add 192.0.2.9/24 dev out0"));
    EXPECT_THAT(trouble(), HasSubstr("2001:db8::9/64 is not on out0")) << "half of it is here";
    ASSERT_TRUE(vip_.stop(parameters_));
    EXPECT_FALSE(have_address("192.0.2.9/24"));
    EXPECT_EQ(state(), State::stopped);
}

TEST_F(VipServiceTest, OtherParametersTakeTheOldOnesAway) {
    expect_started();
    parameters_.addresses = "192.0.2.10/24";
    expect_started();
    EXPECT_TRUE(have_address("192.0.2.10/24"));
    EXPECT_FALSE(have_address("192.0.2.9/24"));
    EXPECT_EQ(state(), State::running);
}

TEST_F(VipServiceTest, AStopWithWrongParametersTakesAwayWhatWasStarted) {
    expect_started();
    VipParameters wrong = parameters_;
    wrong.addresses = "nonsense";
    EXPECT_TRUE(vip_.stop(wrong));
    EXPECT_FALSE(have_address("192.0.2.9/24"));
    EXPECT_TRUE(vip_.stop(wrong)) << "and nothing when nothing was";
}

TEST_F(VipServiceTest, LeavesAVlanDeviceThatItDidNotMake) {
    ASSERT_TRUE(ip_command("link add out0.100 type veth peer name other0"));
    ASSERT_TRUE(ip_command("link set out0.100 up"));
    ASSERT_TRUE(ip_command("link set other0 up"));
    parameters_.vlan = "100";
    expect_started();
    EXPECT_THAT(output_of("ip -o addr show dev out0.100"), HasSubstr("192.0.2.9/24"));
    ASSERT_TRUE(vip_.stop(parameters_));
    EXPECT_THAT(output_of("ip -o link show out0.100"), HasSubstr("out0.100"));
}

TEST_F(VipServiceTest, AMonitorStartsADeadAnnouncerAgain) {
    expect_started();
    const pid_t pid = announcer();
    ASSERT_EQ(::kill(pid, SIGKILL), 0);
    ASSERT_TRUE(is_gone(pid));
    EXPECT_EQ(state(), State::running);
    EXPECT_NE(announcer(), pid);
    EXPECT_TRUE(read_process(announcer()));
}

// The gratuitous ARP frames for 192.0.2.9 that arrive until `patience` passes without one.
std::vector<std::chrono::milliseconds> received(const Capture& capture,
                                                std::chrono::milliseconds patience) {
    const auto begun = std::chrono::steady_clock::now();
    std::vector<std::chrono::milliseconds> times;
    // Requests only: each burst has one.
    const auto is_ours = [](const Bytes& frame) {
        return to_hex(ByteView(frame).first(std::min<std::size_t>(frame.size(), 42)))
                       .find("08060001080006040001") == 24 &&
               to_hex(frame).find("c0000209") == 56;
    };
    while (capture.find(patience, is_ours)) {
        times.push_back(std::chrono::duration_cast<std::chrono::milliseconds>(
            std::chrono::steady_clock::now() - begun));
    }
    return times;
}

TEST_F(VipServiceTest, AnnouncesOnScheduleAndAgainAfterAFlap) {
    std::optional<Capture> capture;
    in_peer([&capture] { capture.emplace("peer0"); });
    parameters_.probe_ms = "0";
    expect_started();
    // At 0, 0.1 and 1 s; the next one comes at 3 s. A busy machine sends each one later.
    const auto first = received(*capture, 1500ms);
    ASSERT_EQ(first.size(), 3U);
    EXPECT_GE(first[2] - first[0], 500ms);

    // Over before the announcer has looked.
    ASSERT_EQ(::kill(announcer(), SIGSTOP), 0);
    ASSERT_TRUE(ip_command("link set out0 down"));
    ASSERT_TRUE(ip_command("link set out0 up"));
    ASSERT_EQ(::kill(announcer(), SIGCONT), 0);
    const auto again = received(*capture, 1500ms);
    ASSERT_EQ(again.size(), 3U) << "from the start";
    EXPECT_LT(again[0], 500ms);
}

TEST_F(VipServiceTest, AFlappingLinkIsNoStormOfAnnouncements) {
    expect_started();
    std::optional<Capture> capture;
    in_peer([&capture] { capture.emplace("peer0"); });
    const auto begun = std::chrono::steady_clock::now();
    for (int i = 0; i < 100; ++i) {
        in_peer([] {
            EXPECT_TRUE(ip_command("link set peer0 down"));
            EXPECT_TRUE(ip_command("link set peer0 up"));
        });
    }
    // The kernel reports a carrier up to a second late (net/core/link_watch.c), and the bursts that
    // went into the dead link use up the next second's share.
    const auto count = received(*capture, 3000ms).size();
    const auto seconds =
        std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - begun)
            .count();
    EXPECT_GE(count, 1U);
    EXPECT_LE(count, static_cast<std::size_t>(3 * (seconds + 2)));
}

}  // namespace vip_service_test
}  // namespace vpnha::adapters

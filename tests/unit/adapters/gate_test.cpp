// SPDX-License-Identifier: GPL-2.0-or-later
#include "adapters/gate.hpp"

#include <bpf/bpf.h>
#include <linux/pkt_cls.h>
#include <netinet/in.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <csignal>

#include "unit/adapters/frame.hpp"
#include "unit/adapters/two_hosts.hpp"

namespace vpnha::adapters {
namespace {

constexpr TimePoint kForever = TimePoint::max();

using testing::Capture;
using testing::Frame;
using testing::ip;
using testing::prefix;
using namespace std::chrono_literals;

constexpr auto kSoon = 2000ms;    // For what must come: generous, a busy machine is slow.
constexpr auto kNothing = 150ms;  // For what must not come.

TimePoint boot_time() {
    timespec now{};
    clock_gettime(CLOCK_BOOTTIME, &now);
    return TimePoint(std::chrono::seconds(now.tv_sec) + Duration(now.tv_nsec));
}

bool is_udp_from_vip(const Bytes& frame) {
    return frame.size() > 30 && frame[12] == 0x08 && frame[13] == 0x00 && frame[23] == 17 &&
           frame[26] == 192 && frame[29] == 100;
}

bool is_arp_reply(const Bytes& frame) {
    return frame.size() > 21 && frame[12] == 0x08 && frame[13] == 0x06 && frame[21] == 2;
}

// To pass means to go on to the next filter, not past it.
enum class Verdict { passes, dropped, no_gate, unknown };

class GateTest : public testing::TwoHosts {
  protected:
    void SetUp() override {
        TwoHosts::SetUp();
        config_.gateways = {gateway()};
    }

    // What the attached program says of a frame.
    static Verdict verdict(GateDirection direction, const Bytes& frame,
                           const std::string& interface = "out0") {
        const auto found = AttachedGate::find(interface, direction);
        if (!found || !*found) {
            return Verdict::no_gate;
        }
        bpf_test_run_opts options{};
        options.sz = sizeof options;
        options.data_in = frame.data();
        options.data_size_in = static_cast<std::uint32_t>(frame.size());
        EXPECT_EQ(bpf_prog_test_run_opts((*found)->program(), &options), 0);
        const int action = static_cast<int>(options.retval);
        if (action == TC_ACT_UNSPEC) {
            return Verdict::passes;
        }
        // Stolen, not shot, at egress: the sender is to see success.
        return action == (direction == GateDirection::out ? TC_ACT_STOLEN : TC_ACT_SHOT)
                   ? Verdict::dropped
                   : Verdict::unknown;
    }
    static Verdict verdict_on_vip() {
        return verdict(GateDirection::out, Frame().ipv4("192.0.2.100", "192.0.2.51"));
    }
    BpfGate attached() {
        auto gate = BpfGate::create(config_);
        EXPECT_TRUE(gate) << gate.error().detail;
        const auto outcome = gate->attach(kId);
        EXPECT_TRUE(outcome) << outcome.error().detail;
        return std::move(*gate);
    }
    static std::optional<TimePoint> deadline_of(const BpfGate& gate) {
        const auto deadline = gate.deadline(kId);
        EXPECT_TRUE(deadline);
        return *deadline;
    }
    // As a stock daemon would, from the VIP to the peer: true when send() reports success.
    static bool send_from_vip() {
        UniqueFd udp(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        // Such a socket hears of drops that others do not.
        const int on = 1;
        setsockopt(udp.get(), SOL_IP, IP_RECVERR, &on, sizeof on);
        sockaddr_in local{};
        local.sin_family = AF_INET;
        local.sin_addr.s_addr = htonl(ip("192.0.2.100").value);
        sockaddr_in peer = local;
        peer.sin_addr.s_addr = htonl(ip("192.0.2.51").value);
        peer.sin_port = htons(1701);
        return bind(udp.get(), reinterpret_cast<sockaddr*>(&local), sizeof local) == 0 &&
               sendto(udp.get(), "x", 1, 0, reinterpret_cast<sockaddr*>(&peer), sizeof peer) == 1;
    }

    static constexpr GatewayId kId{7};
    config::Config config_;
};

TEST_F(GateTest, ShutDropsWhatComesFromOrGoesToCoveredAddressesAndNothingElse) {
    const BpfGate gate = attached();
    const struct {
        const char* description;
        GateDirection direction;
        Bytes frame;
        Verdict expected;
    } cases[] = {
        {"out from the VIP", GateDirection::out, Frame().ipv4("192.0.2.100", "192.0.2.51"),
         Verdict::dropped},
        {"out from the PPP address", GateDirection::out, Frame().ipv4("10.64.0.1", "192.0.2.51"),
         Verdict::dropped},
        {"out from a client", GateDirection::out, Frame().ipv4("10.64.1.5", "198.51.100.51"),
         Verdict::dropped},
        {"out from the inside VIP", GateDirection::out,
         Frame().ipv4("198.51.100.100", "198.51.100.51"), Verdict::dropped},
        {"out to the VIP only", GateDirection::out, Frame().ipv4("192.0.2.1", "192.0.2.100"),
         Verdict::passes},
        {"out from the VIP's neighbour", GateDirection::out,
         Frame().ipv4("192.0.2.101", "192.0.2.51"), Verdict::passes},
        {"out from beside the pool", GateDirection::out, Frame().ipv4("10.64.2.5", "192.0.2.51"),
         Verdict::passes},
        {"in to the VIP", GateDirection::in, Frame().ipv4("192.0.2.51", "192.0.2.100"),
         Verdict::dropped},
        {"in to a client", GateDirection::in, Frame().ipv4("198.51.100.51", "10.64.1.5"),
         Verdict::dropped},
        {"in from the VIP only", GateDirection::in, Frame().ipv4("192.0.2.100", "192.0.2.1"),
         Verdict::passes},
        {"in to the node", GateDirection::in, Frame().ipv4("192.0.2.51", "192.0.2.1"),
         Verdict::passes},
        {"ARP out by the VIP", GateDirection::out, Frame().arp("192.0.2.100", "192.0.2.51"),
         Verdict::dropped},
        {"ARP out about the VIP", GateDirection::out, Frame().arp("192.0.2.1", "192.0.2.100"),
         Verdict::passes},
        {"ARP in about the VIP", GateDirection::in, Frame().arp("192.0.2.51", "192.0.2.100"),
         Verdict::dropped},
        {"ARP in about the PPP address", GateDirection::in, Frame().arp("192.0.2.51", "10.64.0.1"),
         Verdict::dropped},
        {"ARP in by the VIP", GateDirection::in, Frame().arp("192.0.2.100", "192.0.2.1"),
         Verdict::passes},
        {"ARP of another protocol", GateDirection::out,
         Frame().arp("192.0.2.100", "192.0.2.51", 0x86dd), Verdict::passes},
        {"tagged, out from the VIP", GateDirection::out,
         Frame().vlan(7).ipv4("192.0.2.100", "192.0.2.51"), Verdict::dropped},
        {"tagged twice, in to the VIP", GateDirection::in,
         Frame().vlan(7, 0x88a8).vlan(8).ipv4("192.0.2.51", "192.0.2.100"), Verdict::dropped},
        {"tagged ARP in about the VIP", GateDirection::in,
         Frame().vlan(7).arp("192.0.2.51", "192.0.2.100"), Verdict::dropped},
        {"tagged, of the node", GateDirection::out, Frame().vlan(7).ipv4("192.0.2.1", "192.0.2.51"),
         Verdict::passes},
        {"IPv6", GateDirection::out, Frame().of_type(0x86dd, Bytes(40)), Verdict::passes},
        {"IPv4 cut off", GateDirection::out, Frame().vlan(7).of_type(0x0800, Bytes(10)),
         Verdict::passes},
        {"ARP cut off", GateDirection::in, Frame().of_type(0x0806, Bytes(12)), Verdict::passes},
        {"tag cut off", GateDirection::in, Frame().of_type(0x8100, Bytes(2)), Verdict::passes},
    };
    for (const auto& test : cases) {
        EXPECT_EQ(verdict(test.direction, test.frame), test.expected) << test.description;
    }
}

TEST_F(GateTest, StandsOnBothSidesOfTheGateway) {
    const BpfGate gate = attached();
    EXPECT_EQ(verdict(GateDirection::out, Frame().ipv4("10.64.1.5", "198.51.100.51"), "in0"),
              Verdict::dropped);
    EXPECT_EQ(verdict(GateDirection::in, Frame().ipv4("198.51.100.51", "10.64.1.5"), "in0"),
              Verdict::dropped);
}

TEST_F(GateTest, ShutsByItselfAtItsDeadline) {
    BpfGate gate = attached();
    const TimePoint deadline = boot_time() + 300ms;
    ASSERT_TRUE(gate.open_until(kId, deadline));
    EXPECT_EQ(deadline_of(gate), std::optional(deadline));
    const Verdict before = verdict_on_vip();
    if (boot_time() < deadline) {
        EXPECT_EQ(before, Verdict::passes);
    }
    while (boot_time() <= deadline) {
    }
    EXPECT_EQ(verdict_on_vip(), Verdict::dropped);
}

TEST_F(GateTest, StaysOpenWithoutADeadlineUntilShut) {
    BpfGate gate = attached();
    EXPECT_EQ(deadline_of(gate), std::optional<TimePoint>());
    ASSERT_TRUE(gate.open_until(kId, kForever));
    EXPECT_EQ(deadline_of(gate), std::optional(kForever));
    EXPECT_EQ(verdict_on_vip(), Verdict::passes);
    ASSERT_TRUE(gate.shut(kId));
    EXPECT_EQ(deadline_of(gate), std::optional<TimePoint>());
    EXPECT_EQ(verdict_on_vip(), Verdict::dropped);
}

TEST_F(GateTest, DoesNotOpenBeforeItIsAttached) {
    auto gate = BpfGate::create(config_);
    ASSERT_TRUE(gate);
    EXPECT_EQ(gate->open_until(kId, kForever).error().code, Errc::not_found);
    EXPECT_EQ(deadline_of(*gate), std::optional<TimePoint>());
    EXPECT_EQ(gate->attach(GatewayId{8}).error().code, Errc::not_found);
}

TEST_F(GateTest, DropsSilentlyForLocalSendersAndCounts) {
    BpfGate gate = attached();
    ASSERT_TRUE(testing::ip_command("addr add 192.0.2.100/32 dev out0"));
    std::optional<Capture> peer;
    in_peer([&] { peer.emplace("peer0"); });
    // With the neighbour known, the datagram itself meets the gate, not an ARP request before it.
    ASSERT_TRUE(testing::ip_command("neigh add 192.0.2.51 lladdr 02:00:00:00:00:51 dev out0"));
    EXPECT_TRUE(send_from_vip());
    EXPECT_EQ(peer->find(kNothing, is_udp_from_vip), std::nullopt);
    const auto counters = gate.counters(kId);
    ASSERT_TRUE(counters);
    EXPECT_EQ(counters->dropped_out, 1U);
    EXPECT_EQ(counters->dropped_in, 0U);
    ASSERT_TRUE(gate.open_until(kId, kForever));
    EXPECT_TRUE(send_from_vip());
    EXPECT_NE(peer->find(kSoon, is_udp_from_vip), std::nullopt);
}

TEST_F(GateTest, AnswersNoArpWhileShut) {
    BpfGate gate = attached();
    ASSERT_TRUE(testing::ip_command("addr add 192.0.2.100/32 dev out0"));
    std::optional<Capture> peer;
    in_peer([&] { peer.emplace("peer0"); });
    peer->send_frame(testing::Frame().arp("192.0.2.51", "192.0.2.100"));
    EXPECT_EQ(peer->find(kNothing, is_arp_reply), std::nullopt);
    EXPECT_EQ(gate.counters(kId)->dropped_in, 1U);
    ASSERT_TRUE(gate.open_until(kId, kForever));
    // Frames to a unicast address that is not ours would be ignored: broadcast this one.
    Bytes request = testing::Frame().arp("192.0.2.51", "192.0.2.100");
    std::fill_n(request.begin(), 6, std::uint8_t{0xff});
    peer->send_frame(request);
    EXPECT_NE(peer->find(kSoon, is_arp_reply), std::nullopt);
}

TEST_F(GateTest, OutlivesItsProcessAndIsShutByAnother) {
    const pid_t child = fork();
    if (child == 0) {
        BpfGate gate = attached();
        const bool opened = gate.open_until(kId, kForever).has_value();
        if (opened && verdict_on_vip() == Verdict::passes) {
            kill(getpid(), SIGKILL);
        }
        _exit(1);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child could not open its gate";
    EXPECT_EQ(verdict_on_vip(), Verdict::passes);
    const auto silenced = silence(gateway());
    ASSERT_TRUE(silenced) << silenced.error().detail;
    EXPECT_EQ(verdict_on_vip(), Verdict::dropped);
    EXPECT_EQ(verdict(GateDirection::in, Frame().ipv4("198.51.100.51", "10.64.1.5"), "in0"),
              Verdict::dropped);
}

TEST_F(GateTest, SilenceCoversWhatTheDeadProcessDidNot) {
    const BpfGate gate = attached();
    config::Gateway changed = gateway();
    changed.l2tp.pools.push_back(prefix("10.65.0.0/16"));
    const Bytes frame = Frame().ipv4("10.65.3.4", "198.51.100.51");
    EXPECT_EQ(verdict(GateDirection::out, frame), Verdict::passes);
    ASSERT_TRUE(silence(changed));
    EXPECT_EQ(verdict(GateDirection::out, frame), Verdict::dropped);
}

TEST_F(GateTest, SilencePutsAShutGateWhereThereIsNone) {
    const auto silenced = silence(gateway());
    ASSERT_TRUE(silenced) << silenced.error().detail;
    EXPECT_EQ(verdict_on_vip(), Verdict::dropped);
    EXPECT_EQ(verdict(GateDirection::in, Frame().ipv4("192.0.2.51", "198.51.100.100"), "in0"),
              Verdict::dropped);
}

TEST_F(GateTest, SilenceSucceedsWithoutTheDevice) {
    ASSERT_TRUE(testing::ip_command("link delete out0"));
    const auto silenced = silence(gateway());
    EXPECT_TRUE(silenced) << silenced.error().detail;
    EXPECT_EQ(verdict(GateDirection::out, Frame().ipv4("10.64.1.5", "198.51.100.51"), "in0"),
              Verdict::dropped);
}

TEST_F(GateTest, TakesAnEarlierGatesPlaceShut) {
    BpfGate earlier = attached();
    ASSERT_TRUE(earlier.open_until(kId, kForever));
    const BpfGate later = attached();
    EXPECT_EQ(verdict_on_vip(), Verdict::dropped);
    ASSERT_TRUE(earlier.open_until(kId, kForever));
    EXPECT_EQ(verdict_on_vip(), Verdict::dropped);
}

TEST_F(GateTest, ShutsAnEarlierGateEvenWhereItCannotTakeItsPlace) {
    BpfGate earlier = attached();
    ASSERT_TRUE(earlier.open_until(kId, kForever));
    config_.gateways[0].outside.interface = "gone0";
    auto later = BpfGate::create(config_);
    ASSERT_TRUE(later);
    EXPECT_EQ(later->attach(kId).error().code, Errc::not_found);
    EXPECT_EQ(verdict(GateDirection::out, Frame().ipv4("10.64.1.5", "198.51.100.51"), "in0"),
              Verdict::dropped);
}

TEST_F(GateTest, ReattachesToARecreatedDeviceAndKeepsItsDeadline) {
    BpfGate gate = attached();
    ASSERT_TRUE(gate.open_until(kId, kForever));
    ASSERT_TRUE(testing::ip_command("link delete out0"));
    plug_outside();
    EXPECT_EQ(verdict_on_vip(), Verdict::no_gate) << "a new device has no gate";
    ASSERT_TRUE(gate.attach(kId));
    EXPECT_EQ(verdict_on_vip(), Verdict::passes);
    ASSERT_TRUE(gate.shut(kId));
    EXPECT_EQ(verdict_on_vip(), Verdict::dropped);
}

TEST_F(GateTest, GatewaysOnOneDeviceOpenEachForItself) {
    config::Gateway second = gateway();
    second.id = GatewayId{8};
    second.outside.addresses = {prefix("192.0.2.200/24")};
    second.inside.addresses = {prefix("198.51.100.200/24")};
    second.l2tp.ppp_local = ip("10.80.0.1");
    second.l2tp.pools = {prefix("10.80.1.0/24")};
    config_.gateways.push_back(second);
    BpfGate gate = attached();
    const Bytes frame_of_second = Frame().ipv4("192.0.2.200", "192.0.2.51");
    EXPECT_EQ(verdict(GateDirection::out, frame_of_second), Verdict::dropped)
        << "before its attach()";
    ASSERT_TRUE(gate.attach(GatewayId{8}));
    ASSERT_TRUE(gate.open_until(GatewayId{8}, kForever));
    EXPECT_EQ(verdict(GateDirection::out, frame_of_second), Verdict::passes);
    EXPECT_EQ(verdict_on_vip(), Verdict::dropped);
}

TEST_F(GateTest, NamesTheDeviceThatIsMissing) {
    config_.gateways[0].inside.interface = "gone0";
    auto gate = BpfGate::create(config_);
    ASSERT_TRUE(gate);
    const auto outcome = gate->attach(kId);
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().detail, "there is no interface gone0");
}

}  // namespace
}  // namespace vpnha::adapters

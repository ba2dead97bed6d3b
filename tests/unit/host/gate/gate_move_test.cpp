// SPDX-License-Identifier: GPL-2.0-or-later
// Planned moves: what the old node sends on, and what the new one holds.
#include <fmt/format.h>

#include "host/gate/gate_abi.h"
#include "host/gate/hold_pair.hpp"
#include "unit/host/gate/gate_host.hpp"

namespace vpnha::adapters {
namespace gate_move_test {

using testing::Capture;
using testing::Frame;
using testing::ip_command;
using testing::prefix;
using namespace std::chrono_literals;

constexpr MacAddress kClient{2, 0, 0, 0, 0, 0xc1};
constexpr MacAddress kOther{2, 0, 0, 0, 0, 0xb2};   // The node that the gateway moves to.
constexpr MacAddress kBefore{2, 0, 0, 0, 0, 0xa1};  // The node that it came from.
constexpr Duration kWindow = 10s;

MacAddress mac_of(const std::string& interface) {
    const auto found = RouteNetlink::open().and_then(
        [&](RouteNetlink route) { return route.find_device(interface); });
    return found && *found ? (*found)->mac : MacAddress{};
}

// The frame, between these two.
Bytes between(const MacAddress& from, const MacAddress& to, Bytes frame) {
    std::copy(to.begin(), to.end(), frame.begin());
    std::copy(from.begin(), from.end(), frame.begin() + 6);
    return frame;
}

// An IPv4 packet that a stack takes.
Bytes with_checksum(Bytes frame) {
    constexpr std::size_t kHeader = 14;
    constexpr std::size_t kHeaderBytes = 20;
    std::uint32_t sum = 0;
    for (std::size_t i = kHeader; i < kHeader + kHeaderBytes; i += 2) {
        sum += std::uint32_t{frame[i]} << 8U | frame[i + 1];
    }
    sum = ~(sum + (sum >> 16U));
    frame[kHeader + 10] = static_cast<std::uint8_t>(sum >> 8U);
    frame[kHeader + 11] = static_cast<std::uint8_t>(sum);
    return frame;
}

class GateMoveTest : public HookedGateHost {
  protected:
    void SetUp() override {
        HookedGateHost::SetUp();
        config_.gateways[0].outside.addresses.push_back(prefix("2001:db8::100/64"));
    }

    // The gateway leaves for kOther; this node lets out what is within it until `shut_at`.
    static void leave(BpfGate& gate, TimePoint shut_at, TimePoint until, TimePoint beyond) {
        const auto left = gate.leave(
            kId, {.until = until, .beyond = beyond, .shut_at = shut_at, .to = {kOther, kOther}});
        ASSERT_TRUE(left) << left.error().detail;
    }
    // What comes out of the node when the client sends it that frame.
    [[nodiscard]] std::optional<Bytes> sent_on(const Bytes& frame,
                                               std::chrono::milliseconds patience = kSoon,
                                               const MacAddress& from = kClient,
                                               const std::string& cable = "0") {
        const MacAddress own = mac_of(cable == "0" ? "out0" : "in0");
        std::optional<Bytes> found;
        in_peer([&] {
            const Capture peer("peer" + cable);
            peer.send_frame(between(from, own, frame));
            found = peer.find(patience, [&](const Bytes& each) {
                return each.size() >= frame.size() &&
                       std::equal(frame.begin() + 12, frame.end(), each.begin() + 12);
            });
        });
        return found;
    }
};

TEST_P(GateMoveTest, SendsOnWhatComesForTheGatewayToTheNewNodeFromItsOwnAddress) {
    BpfGate gate = attached();
    ASSERT_TRUE(gate.open_until(kId, kForever));
    const TimePoint now = boot_time();
    leave(gate, now, now + kWindow, kForever);
    const struct {
        const char* description;
        Bytes frame;
        const char* cable;
        const char* device;
    } cases[] = {
        {"to the VIP", Frame().ipv4("192.0.2.51", "192.0.2.100"), "0", "out0"},
        {"to the VIP by IPv6", Frame().datagram6("2001:db8::51", "2001:db8::100", 500, Bytes(4)),
         "0", "out0"},
        {"to a client", Frame().ipv4("198.51.100.51", "10.64.1.5"), "1", "in0"},
    };
    for (const auto& test : cases) {
        const auto frame = sent_on(test.frame, kSoon, kClient, test.cable);
        ASSERT_TRUE(frame) << test.description;
        EXPECT_EQ(*frame, between(mac_of(test.device), kOther, test.frame)) << test.description;
    }
    EXPECT_EQ(gate.counters(kId)->moved.sent_on, std::size(cases));
    EXPECT_EQ(gate.counters(kId)->dropped(GateDirection::in), 0U);
}

TEST_P(GateMoveTest, SendsOnNothingElse) {
    config_.gateways.push_back(gateway());
    config_.gateways[1].id = GatewayId{8};
    config_.gateways[1].outside.addresses = {prefix("192.0.2.101/24")};
    config_.gateways[1].inside.addresses = {prefix("198.51.100.101/24")};
    config_.gateways[1].pools = {prefix("10.65.1.0/24")};
    config_.gateways[1].ppp_local = testing::ip("10.65.0.1");
    BpfGate gate = attached();
    ASSERT_TRUE(gate.open_until(kId, kForever));
    const TimePoint now = boot_time();
    leave(gate, now, now + kWindow, kForever);
    const struct {
        const char* description;
        Bytes frame;
    } cases[] = {
        {"in the gateway's own name", Frame().ipv4("192.0.2.100", "192.0.2.100")},
        {"in a client's name", Frame().ipv4("10.64.1.7", "10.64.1.5")},
        {"in another gateway's name", Frame().ipv4("192.0.2.101", "192.0.2.100")},
        {"from another gateway's client", Frame().ipv4("10.65.1.5", "192.0.2.100")},
        {"in the gateway's own name by IPv6",
         Frame().datagram6("2001:db8::100", "2001:db8::100", 500, Bytes(4))},
        {"to the node", Frame().ipv4("192.0.2.51", "192.0.2.1")},
        {"to another gateway", Frame().ipv4("192.0.2.51", "192.0.2.101")},
        {"ARP", Frame().arp("192.0.2.51", "192.0.2.100")},
    };
    for (const auto& test : cases) {
        EXPECT_FALSE(sent_on(test.frame, kNothing)) << test.description;
    }
    EXPECT_EQ(gate.counters(kId)->moved.sent_on, 0U);
}

TEST_P(GateMoveTest, AFrameGoesOneHop) {
    BpfGate gate = attached();
    const TimePoint now = boot_time();
    leave(gate, now, now + kWindow, kForever);
    const Bytes frame = Frame().ipv4("192.0.2.51", "192.0.2.100");
    EXPECT_FALSE(sent_on(frame, kNothing, kOther));
    EXPECT_EQ(gate.counters(kId)->moved.looped, 1U);
    EXPECT_EQ(gate.counters(kId)->moved.sent_on, 0U);
}

TEST_P(GateMoveTest, SendsOnUntilTheDeadlineAndNeverForAnOlderLease) {
    BpfGate gate = attached();
    const Bytes frame = Frame().ipv4("192.0.2.51", "192.0.2.100");
    const TimePoint given_up = boot_time() + 1s;
    leave(gate, boot_time(), boot_time() - 1ms, given_up);
    EXPECT_FALSE(sent_on(frame, kNothing));
    leave(gate, boot_time(), boot_time() + kWindow, given_up);
    EXPECT_TRUE(sent_on(frame));
    // This node has the lease again, and its rule has not ended.
    ASSERT_TRUE(gate.open_until(kId, given_up + 5s));
    EXPECT_FALSE(sent_on(frame, kNothing));
    EXPECT_EQ(verdict(GateDirection::in, frame), Verdict::passes);
}

TEST_P(GateMoveTest, LetsOutWhatIsWithinUntilTheGateShuts) {
    BpfGate gate = attached();
    const Bytes from_vip = Frame().ipv4("192.0.2.100", "192.0.2.51");
    ASSERT_TRUE(gate.open_until(kId, kForever));
    leave(gate, boot_time() + kWindow, boot_time() + kWindow, kForever);
    EXPECT_EQ(verdict(GateDirection::out, from_vip), Verdict::passes);
    EXPECT_TRUE(sent_on(Frame().ipv4("192.0.2.51", "192.0.2.100")));
    leave(gate, boot_time(), boot_time() + kWindow, kForever);
    EXPECT_EQ(verdict(GateDirection::out, from_vip), Verdict::dropped);
    // The lease would have ended before.
    const TimePoint ended = boot_time() - 1ms;
    ASSERT_TRUE(gate.open_until(kId, ended));
    leave(gate, boot_time() + kWindow, boot_time() + kWindow, kForever);
    EXPECT_EQ(deadline_of(gate), std::optional(ended));
}

// The pair without its plug, which the kernel of a test need not have: what goes in comes back.
class HoldProgramTest : public GateMoveTest {
  protected:
    void SetUp() override {
        GateMoveTest::SetUp();
        auto program = GateProgram::load();
        ASSERT_TRUE(program) << program.error().detail;
        program_.emplace(std::move(*program));
        ASSERT_TRUE(maps().cover(config_.gateways[0]));
        auto chain = GateChain::open(hook_);
        ASSERT_TRUE(chain);
        ASSERT_TRUE(ip_command("link add near0 type veth peer name far0"));
        for (const char* const name : {"near0", "far0"}) {
            ASSERT_TRUE(ip_command(fmt::format("link set {} up", name)));
            ASSERT_TRUE(
                chain->put_first(index_of(name), name, GateDirection::in, program_->back()));
        }
        for (const GateDirection direction : kGateDirections) {
            ASSERT_TRUE(chain->put_first(index_of("out0"), "out0", direction,
                                         program_->program(direction)));
        }
        ASSERT_TRUE(ip_command("addr add 192.0.2.100/24 dev out0"));
    }
    [[nodiscard]] GateMaps maps() const { return program_->maps(); }
    // Through the pair until then; kBefore sends on.
    void hold(TimePoint until) const {
        vpnha_gate_station station{};
        std::copy(kBefore.begin(), kBefore.end(), station.before);
        ASSERT_TRUE(maps().set_station(kId, index_of("out0"), station));
        vpnha_gate_move move{};
        move.hold_until = static_cast<std::uint64_t>(until.time_since_epoch().count());
        move.hold_device = static_cast<std::uint32_t>(index_of("near0"));
        ASSERT_TRUE(maps().set_move(kId, move));
    }
    [[nodiscard]] static bool is_answer(const Bytes& frame) {
        return frame.size() > 34 && frame[12] == 8 && frame[13] == 0 && frame[23] == 1;
    }
    // The node says that nobody listens at that port: the datagram has come to its stack.
    [[nodiscard]] bool reaches_the_stack(std::chrono::milliseconds patience = kSoon) {
        bool answered = false;
        const MacAddress own = mac_of("out0");
        in_peer([&] {
            const Capture peer("peer0");
            const Bytes frame =
                with_checksum(Frame().datagram4("192.0.2.51", "192.0.2.100", 9, Bytes(4)));
            peer.send_frame(between(kClient, own, frame));
            answered = peer.find(patience, is_answer).has_value();
        });
        return answered;
    }

    std::optional<GateProgram> program_;
};

TEST_P(HoldProgramTest, WhatIsHeldComesBackByItsDeviceAndPassesTheGateOnce) {
    ASSERT_TRUE(
        maps().set_deadline(kId, static_cast<std::uint64_t>(kForever.time_since_epoch().count())));
    EXPECT_TRUE(reaches_the_stack());
    hold(boot_time() + kWindow);
    EXPECT_TRUE(reaches_the_stack());
    EXPECT_EQ(maps().moved(kId)->held, 0U);  // It need not have waited.
}

TEST_P(HoldProgramTest, WhatComesBackBeforeTheGateOpensIsDropped) {
    hold(boot_time() + kWindow);
    EXPECT_FALSE(reaches_the_stack(kNothing));
    EXPECT_EQ(maps().moved(kId)->held, 1U);
    EXPECT_EQ(maps().drops(kId)->at(GateDirection::in, GateReason::standby, GateKind::ip), 1U);
    hold(boot_time() - 1ms);
    EXPECT_FALSE(reaches_the_stack(kNothing));
    EXPECT_EQ(maps().moved(kId)->held, 1U);
}

TEST_P(HoldProgramTest, ThePairTakesNothingElse) {
    const Bytes frame = Frame().ipv4("192.0.2.51", "192.0.2.100");
    bpf_test_run_opts options{};
    options.sz = sizeof options;
    options.data_in = frame.data();
    options.data_size_in = static_cast<std::uint32_t>(frame.size());
    EXPECT_EQ(bpf_prog_test_run_opts(program_->back(), &options), 0);
    EXPECT_EQ(static_cast<int>(options.retval), TC_ACT_SHOT);
}

TEST_P(HoldProgramTest, FramesOfTheOldNodeAreNotSentOnAgain) {
    hold(boot_time() - 1ms);
    auto station = maps().station(kId, index_of("out0"));
    ASSERT_TRUE(station);
    std::copy(kOther.begin(), kOther.end(), station->to);
    ASSERT_TRUE(maps().set_station(kId, index_of("out0"), *station));
    vpnha_gate_move move{};
    move.onward_beyond = ~std::uint64_t{0};
    move.onward_until =
        static_cast<std::uint64_t>((boot_time() + kWindow).time_since_epoch().count());
    ASSERT_TRUE(maps().set_move(kId, move));
    EXPECT_FALSE(sent_on(Frame().ipv4("192.0.2.51", "192.0.2.100"), kNothing, kBefore).has_value());
    EXPECT_EQ(maps().moved(kId)->looped, 1U);
}

TEST_P(GateMoveTest, HoldsUntilTheGateOpensOrReportsWhatTheKernelMisses) {
    BpfGate gate = attached();
    if (const Result<void> can = gate.can_hold(kId); !can) {
        EXPECT_EQ(can.error().code, Errc::unsupported);
        EXPECT_NE(can.error().detail.find("module sch_"), std::string::npos) << can.error().detail;
        EXPECT_FALSE(gate.macs(kId).are_known());
        EXPECT_EQ(index_of("vpnh-7"), 0);
        EXPECT_FALSE(probe_hold());
        return;
    }
    ASSERT_TRUE(probe_hold());
    EXPECT_EQ(gate.macs(kId), (SideMacs{mac_of("out0"), mac_of("in0")}));
    ASSERT_TRUE(ip_command("addr add 192.0.2.100/24 dev out0"));
    const MacAddress own = mac_of("out0");
    const auto ask = [&](int count) {
        in_peer([&] {
            const Capture peer("peer0");
            for (int each = 0; each < count; ++each) {
                peer.send_frame(between(
                    kClient, own,
                    with_checksum(Frame().datagram4("192.0.2.51", "192.0.2.100", 9, Bytes(4)))));
            }
        });
    };
    const auto drops = [&] { return gate.counters(kId)->dropped(GateDirection::in); };
    // Released behind the opening.
    ASSERT_TRUE(gate.hold(kId, {boot_time() + kWindow, {kBefore, kBefore}}));
    ask(3);
    EXPECT_EQ(gate.counters(kId)->moved.held, 3U);
    EXPECT_EQ(drops(), 0U);
    ASSERT_TRUE(gate.open_until(kId, kForever));
    bool answered = false;
    in_peer([&] {
        const Capture peer("peer0");
        node_.enter();
        ASSERT_TRUE(gate.release(kId, ports::HoldQueue::sent_on));
        ASSERT_TRUE(gate.release(kId, ports::HoldQueue::direct));
        peer_.enter();
        answered = peer.find(kSoon,
                             [](const Bytes& frame) {
                                 return frame.size() > 34 && frame[12] == 8 && frame[23] == 1;
                             })
                       .has_value();
    });
    EXPECT_TRUE(answered);
    // Dropped with the claim.
    ASSERT_TRUE(gate.shut(kId));
    ASSERT_TRUE(gate.hold(kId, {boot_time() + kWindow, {}}));
    ask(2);
    EXPECT_EQ(gate.counters(kId)->moved.held, 5U);
    ASSERT_TRUE(gate.shut(kId));
    ASSERT_TRUE(gate.open_until(kId, kForever));
    ASSERT_TRUE(gate.release(kId, ports::HoldQueue::sent_on));
    ASSERT_TRUE(gate.release(kId, ports::HoldQueue::direct));
    in_peer([&] {
        const Capture peer("peer0");
        EXPECT_FALSE(peer.find(kNothing, [](const Bytes& frame) {
            return frame.size() > 34 && frame[12] == 8 && frame[23] == 1;
        }));
    });
}

INSTANTIATE_TEST_SUITE_P(Hooks, GateMoveTest, ::testing::ValuesIn(hooks_of_kernel()), name_of_hook);
INSTANTIATE_TEST_SUITE_P(Hooks, HoldProgramTest, ::testing::ValuesIn(hooks_of_kernel()),
                         name_of_hook);

}  // namespace gate_move_test
}  // namespace vpnha::adapters

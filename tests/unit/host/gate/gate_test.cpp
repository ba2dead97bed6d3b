// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/gate/gate.hpp"

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "protocols/ipsec/table.hpp"
#include "protocols/l2tp/table.hpp"
#include "protocols/pptp/table.hpp"
#include "unit/host/gate/gate_host.hpp"

namespace vpnha::adapters {
namespace gate_test {

using testing::Capture;
using testing::Frame;
using testing::ip;
using testing::ip_command;
using testing::output_of;
using testing::prefix;
using namespace std::chrono_literals;

bool is_udp_from_vip(const Bytes& frame) {
    return frame.size() > 30 && frame[12] == 0x08 && frame[13] == 0x00 && frame[23] == 17 &&
           frame[26] == 192 && frame[29] == 100;
}

class GateTest : public HookedGateHost {
  protected:
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
};

TEST_P(GateTest, ShutDropsWhatComesFromOrGoesToCoveredAddressesAndNothingElse) {
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
        {"IPv4 cut off", GateDirection::out, Frame().vlan(7).of_type(0x0800, Bytes(10)),
         Verdict::passes},
        {"ARP cut off", GateDirection::in, Frame().of_type(0x0806, Bytes(12)), Verdict::passes},
        {"tag cut off", GateDirection::in, Frame().of_type(0x8100, Bytes(2)), Verdict::passes},
    };
    for (const auto& test : cases) {
        EXPECT_EQ(verdict(test.direction, test.frame), test.expected) << test.description;
    }
}

TEST_P(GateTest, StandsOnBothSidesOfTheGateway) {
    const BpfGate gate = attached();
    EXPECT_EQ(verdict(GateDirection::out, Frame().ipv4("10.64.1.5", "198.51.100.51"), "in0"),
              Verdict::dropped);
    EXPECT_EQ(verdict(GateDirection::in, Frame().ipv4("198.51.100.51", "10.64.1.5"), "in0"),
              Verdict::dropped);
}

TEST_P(GateTest, ShutsByItselfAtItsDeadline) {
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

TEST_P(GateTest, CountsWhyItDrops) {
    BpfGate gate = attached();
    const Bytes to_vip = Frame().ipv4("192.0.2.51", "192.0.2.100");
    EXPECT_EQ(verdict(GateDirection::in, to_vip), Verdict::dropped);
    ASSERT_TRUE(gate.open_until(kId, boot_time() - 1ms));
    EXPECT_EQ(verdict(GateDirection::in, to_vip), Verdict::dropped);
    EXPECT_EQ(verdict(GateDirection::in, to_vip), Verdict::dropped);
    EXPECT_EQ(verdict(GateDirection::out, Frame().arp("192.0.2.100", "192.0.2.51")),
              Verdict::dropped);
    const auto counters = gate.counters(kId);
    ASSERT_TRUE(counters);
    EXPECT_EQ(counters->dropped(GateDirection::in, GateReason::standby), 1U);
    EXPECT_EQ(counters->dropped(GateDirection::in, GateReason::expired), 2U);
    EXPECT_EQ(counters->dropped(GateDirection::in), 3U);
    EXPECT_EQ(counters->dropped(GateDirection::out), 1U);
    EXPECT_EQ(counters->at(GateDirection::out, GateReason::expired, GateKind::arp), 1U);
    EXPECT_EQ(gate.counters(GatewayId{8})->dropped(GateDirection::in), 0U);
}

constexpr std::uint8_t kFin = 0x01;
constexpr std::uint8_t kSyn = 0x02;
constexpr std::uint8_t kRst = 0x04;
constexpr std::uint8_t kAck = 0x10;
// Of a Frame.
constexpr std::uint16_t kPeerPort = 40'000;

TEST_P(GateTest, EndsOfPptpPassOnlyWhenMeant) {
    config_.gateways[0].protocols.serve<pptp::Table>();
    BpfGate gate = attached();
    const char* const vip = "192.0.2.100";
    const char* const client = "192.0.2.51";
    const struct {
        const char* description;
        Bytes frame;
        Verdict unless_meant;
    } cases[] = {
        {"FIN", Frame().tcp4(vip, client, 1723, kFin | kAck), Verdict::dropped},
        {"RST", Frame().tcp4(vip, client, 1723, kRst), Verdict::dropped},
        {"RST behind options", Frame().tcp4(vip, client, 1723, kRst, 40), Verdict::dropped},
        {"FIN in a VLAN", Frame().vlan(7).tcp4(vip, client, 1723, kFin), Verdict::dropped},
        {"ACK", Frame().tcp4(vip, client, 1723, kAck), Verdict::passes},
        {"SYN", Frame().tcp4(vip, client, 1723, kSyn | kAck), Verdict::passes},
        {"of another port", Frame().tcp4(vip, client, 1724, kRst), Verdict::passes},
        {"of a client", Frame().tcp4("10.64.1.5", client, 1723, kRst), Verdict::passes},
        {"of another address", Frame().tcp4("192.0.2.1", client, 1723, kRst), Verdict::passes},
        {"a later fragment", Frame().tcp4(vip, client, 1723, kRst, 0, 0x2003), Verdict::passes},
        {"a first fragment", Frame().tcp4(vip, client, 1723, kRst, 0, 0x2000), Verdict::dropped},
    };
    ASSERT_TRUE(gate.open_until(kId, kForever));
    std::uint64_t ends = 0;
    for (const auto& test : cases) {
        EXPECT_EQ(verdict(GateDirection::out, test.frame), test.unless_meant) << test.description;
        ends += test.unless_meant == Verdict::dropped ? 1 : 0;
    }
    EXPECT_EQ(verdict(GateDirection::in, Frame().tcp4(client, vip, 1723, kRst)), Verdict::passes);
    const Ipv4Address local = parse_ipv4(vip).value();
    const Ipv4Address peer = parse_ipv4(client).value();
    for (const auto& [address, other] : {std::pair{local, Ipv4Endpoint{peer, kPeerPort + 1}},
                                         std::pair{local, Ipv4Endpoint{local, kPeerPort}},
                                         std::pair{peer, Ipv4Endpoint{peer, kPeerPort}}}) {
        ASSERT_TRUE(gate.allow_end(address, other, true));
        EXPECT_EQ(verdict(GateDirection::out, cases[0].frame), Verdict::dropped)
            << "another connection's end";
        ++ends;
    }
    ASSERT_TRUE(gate.allow_end(local, {peer, kPeerPort}, true));
    for (const auto& test : cases) {
        EXPECT_EQ(verdict(GateDirection::out, test.frame), Verdict::passes) << test.description;
    }
    ASSERT_TRUE(gate.allow_end(local, {peer, kPeerPort}, false));
    ASSERT_TRUE(gate.allow_end(local, {peer, kPeerPort}, false)) << "forgotten already";
    EXPECT_EQ(verdict(GateDirection::out, cases[0].frame), Verdict::dropped);
    EXPECT_EQ(gate.counters(kId)->dropped(GateDirection::out, GateReason::ending), ends + 1);
    ASSERT_TRUE(gate.shut(kId));
    EXPECT_EQ(verdict(GateDirection::out, cases[0].frame), Verdict::dropped);
    EXPECT_EQ(gate.counters(kId)->dropped(GateDirection::out, GateReason::standby), 1U);
}

TEST_P(GateTest, WithoutPptpPort1723OfAVipIsNotTouched) {
    BpfGate gate = attached();
    ASSERT_TRUE(gate.open_until(kId, kForever));
    EXPECT_EQ(verdict(GateDirection::out, Frame().tcp4("192.0.2.100", "192.0.2.51", 1723, kRst)),
              Verdict::passes);
}

TEST_P(GateTest, L2tpThatRequiresIpsecNeverPassesInClearText) {
    config_.gateways[0].protocols.serve<l2tp::Table>();
    config_.gateways[0].protocols.serve<ipsec::Table>().required = true;
    BpfGate gate = attached();
    ASSERT_TRUE(gate.open_until(kId, kForever));
    const char* const vip = "192.0.2.100";
    const char* const client = "192.0.2.51";
    constexpr std::uint16_t kMoreFollow = 0x2000;
    const struct {
        const char* description;
        GateDirection direction;
        Bytes frame;
        Verdict expected;
    } cases[] = {
        {"in", GateDirection::in, Frame().udp4(client, vip, 40'000, 1701), Verdict::dropped},
        {"in within a VLAN", GateDirection::in, Frame().vlan(7).udp4(client, vip, 1, 1701),
         Verdict::dropped},
        {"out", GateDirection::out, Frame().udp4(vip, client, 1701, 40'000), Verdict::dropped},
        {"a first fragment out", GateDirection::out,
         Frame().udp4(vip, client, 1701, 1701, kMoreFollow, 7), Verdict::dropped},
        {"a later fragment of it", GateDirection::out,
         Frame().udp4(vip, client, 0, 0, kMoreFollow | 3, 7), Verdict::dropped},
        {"its last fragment", GateDirection::out, Frame().udp4(vip, client, 0, 0, 6, 7),
         Verdict::dropped},
        {"a fragment of another datagram", GateDirection::out,
         Frame().udp4(vip, client, 0, 0, 6, 8), Verdict::passes},
        {"IKE in", GateDirection::in, Frame().udp4(client, vip, 500, 500), Verdict::passes},
        {"ESP in UDP out", GateDirection::out, Frame().udp4(vip, client, 4500, 40'000),
         Verdict::passes},
        {"a client of this port", GateDirection::in, Frame().udp4(client, vip, 1701, 4500),
         Verdict::passes},
        {"what is in a tunnel", GateDirection::in, Frame().udp4(client, "10.64.1.5", 1, 1701),
         Verdict::passes},
        {"not UDP", GateDirection::out, Frame().tcp4(vip, client, 1701, kAck), Verdict::passes},
        {"of another address", GateDirection::out, Frame().udp4("192.0.2.1", client, 1701, 1),
         Verdict::passes},
    };
    std::uint64_t out = 0;
    for (const auto& test : cases) {
        EXPECT_EQ(verdict(test.direction, test.frame), test.expected) << test.description;
        out += test.direction == GateDirection::out && test.expected == Verdict::dropped ? 1 : 0;
    }
    EXPECT_EQ(gate.counters(kId)->dropped(GateDirection::out, GateReason::cleartext), out);
    EXPECT_EQ(gate.counters(kId)->dropped(GateDirection::in, GateReason::cleartext), 2U);
}

TEST_P(GateTest, L2tpPassesInClearTextWhereIpsecIsNotRequired) {
    config_.gateways[0].protocols.serve<l2tp::Table>();
    config_.gateways[0].protocols.serve<ipsec::Table>();
    BpfGate gate = attached();
    ASSERT_TRUE(gate.open_until(kId, kForever));
    EXPECT_EQ(verdict(GateDirection::in, Frame().udp4("192.0.2.51", "192.0.2.100", 1701, 1701)),
              Verdict::passes);
    EXPECT_EQ(verdict(GateDirection::out, Frame().udp4("192.0.2.100", "192.0.2.51", 1701, 1701)),
              Verdict::passes);
}

TEST_P(GateTest, StaysOpenWithoutADeadlineUntilShut) {
    BpfGate gate = attached();
    EXPECT_EQ(deadline_of(gate), std::optional<TimePoint>());
    ASSERT_TRUE(gate.open_until(kId, kForever));
    EXPECT_EQ(deadline_of(gate), std::optional(kForever));
    EXPECT_EQ(verdict_on_vip(), Verdict::passes);
    ASSERT_TRUE(gate.shut(kId));
    EXPECT_EQ(deadline_of(gate), std::optional<TimePoint>());
    EXPECT_EQ(verdict_on_vip(), Verdict::dropped);
}

TEST_P(GateTest, DoesNotOpenBeforeItIsAttached) {
    auto gate = BpfGate::create(config_, hook_);
    ASSERT_TRUE(gate);
    EXPECT_EQ(gate->open_until(kId, kForever).error().code, Errc::not_found);
    EXPECT_EQ(deadline_of(*gate), std::optional<TimePoint>());
    EXPECT_EQ(gate->attach(GatewayId{8}).error().code, Errc::not_found);
}

TEST_P(GateTest, DropsSilentlyForLocalSendersAndCounts) {
    BpfGate gate = attached();
    ASSERT_TRUE(ip_command("addr add 192.0.2.100/32 dev out0"));
    std::optional<Capture> peer;
    in_peer([&] { peer.emplace("peer0"); });
    // With the neighbour known, the datagram itself meets the gate, not an ARP request before it.
    ASSERT_TRUE(ip_command("neigh add 192.0.2.51 lladdr 02:00:00:00:00:51 dev out0"));
    EXPECT_TRUE(send_from_vip());
    EXPECT_EQ(peer->find(kNothing, is_udp_from_vip), std::nullopt);
    const auto counters = gate.counters(kId);
    ASSERT_TRUE(counters);
    EXPECT_EQ(counters->at(GateDirection::out, GateReason::standby, GateKind::ip), 1U);
    EXPECT_EQ(counters->dropped(GateDirection::in), 0U);
    ASSERT_TRUE(gate.open_until(kId, kForever));
    EXPECT_TRUE(send_from_vip());
    EXPECT_NE(peer->find(kSoon, is_udp_from_vip), std::nullopt);
}

TEST_P(GateTest, AnswersNoArpWhileShut) {
    BpfGate gate = attached();
    ASSERT_TRUE(ip_command("addr add 192.0.2.100/32 dev out0"));
    std::optional<Capture> peer;
    in_peer([&] { peer.emplace("peer0"); });
    peer->send_frame(Frame().arp("192.0.2.51", "192.0.2.100"));
    EXPECT_EQ(peer->find(kNothing, is_arp_reply), std::nullopt);
    EXPECT_EQ(gate.counters(kId)->at(GateDirection::in, GateReason::standby, GateKind::arp), 1U);
    ASSERT_TRUE(gate.open_until(kId, kForever));
    // Frames to a unicast address that is not ours would be ignored: broadcast this one.
    Bytes request = Frame().arp("192.0.2.51", "192.0.2.100");
    std::fill_n(request.begin(), 6, std::uint8_t{0xff});
    peer->send_frame(request);
    EXPECT_NE(peer->find(kSoon, is_arp_reply), std::nullopt);
}

TEST_P(GateTest, OutlivesItsProcessAndIsShutByAnother) {
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
    const auto outcome = silenced(gateway());
    ASSERT_TRUE(outcome) << outcome.error().detail;
    EXPECT_EQ(verdict_on_vip(), Verdict::dropped);
    EXPECT_EQ(verdict(GateDirection::in, Frame().ipv4("198.51.100.51", "10.64.1.5"), "in0"),
              Verdict::dropped);
}

TEST_P(GateTest, SilenceCoversWhatTheDeadProcessDidNot) {
    const BpfGate gate = attached();
    config::Gateway changed = gateway();
    changed.pools.push_back(prefix("10.65.0.0/16"));
    const Bytes frame = Frame().ipv4("10.65.3.4", "198.51.100.51");
    EXPECT_EQ(verdict(GateDirection::out, frame), Verdict::passes);
    ASSERT_TRUE(silenced(changed));
    EXPECT_EQ(verdict(GateDirection::out, frame), Verdict::dropped);
}

TEST_P(GateTest, WhoDidNotAttachItSeesWhetherItIsOpen) {
    const auto opened = [this] { return is_open(config_, gateway(), hook_); };
    EXPECT_FALSE(opened().value_or(true)) << "there is none";
    BpfGate gate = attached();
    EXPECT_FALSE(opened().value_or(true)) << "shut";
    ASSERT_TRUE(gate.open_until(kId, kForever));
    EXPECT_TRUE(opened().value_or(false));
    ASSERT_TRUE(gate.open_until(kId, TimePoint(1ns)));
    EXPECT_FALSE(opened().value_or(true)) << "its lease ran out";
}

TEST_P(GateTest, WhoLooksAgainAndAgainSeesTheGateOfWhicheverProcessAndDevice) {
    auto look = GateLook::create(config_.gateways[0], hook_);
    ASSERT_TRUE(look);
    const auto opened = [&look] { return look->is_open(); };
    EXPECT_FALSE(opened().value_or(true)) << "there is none";
    {
        BpfGate gate = attached();
        EXPECT_FALSE(opened().value_or(true)) << "shut";
        ASSERT_TRUE(gate.open_until(kId, kForever));
        EXPECT_TRUE(opened().value_or(false));
        ASSERT_TRUE(gate.open_until(kId, TimePoint(1ns)));
        EXPECT_FALSE(opened().value_or(true)) << "its lease ran out";
        ASSERT_TRUE(gate.open_until(kId, kForever));
    }
    BpfGate next = attached();
    EXPECT_FALSE(opened().value_or(true)) << "the next process has not opened it";
    ASSERT_TRUE(ip_command("link delete out0"));
    EXPECT_FALSE(opened().value_or(true)) << "no device";
    plug_outside();
    ASSERT_TRUE(next.attach(kId));
    ASSERT_TRUE(next.open_until(kId, kForever));
    EXPECT_TRUE(opened().value_or(false));
}

TEST_P(GateTest, SilencePutsAShutGateWhereThereIsNone) {
    const auto outcome = silenced(gateway());
    ASSERT_TRUE(outcome) << outcome.error().detail;
    EXPECT_EQ(verdict_on_vip(), Verdict::dropped);
    EXPECT_EQ(verdict(GateDirection::in, Frame().ipv4("192.0.2.51", "198.51.100.100"), "in0"),
              Verdict::dropped);
}

TEST_P(GateTest, SilenceSucceedsWithoutTheDevice) {
    ASSERT_TRUE(ip_command("link delete out0"));
    const auto outcome = silenced(gateway());
    EXPECT_TRUE(outcome) << outcome.error().detail;
    EXPECT_EQ(verdict(GateDirection::out, Frame().ipv4("10.64.1.5", "198.51.100.51"), "in0"),
              Verdict::dropped);
}

TEST_P(GateTest, TakesAnEarlierGatesPlaceShut) {
    BpfGate earlier = attached();
    ASSERT_TRUE(earlier.open_until(kId, kForever));
    const BpfGate later = attached();
    EXPECT_EQ(verdict_on_vip(), Verdict::dropped);
    ASSERT_TRUE(earlier.open_until(kId, kForever));
    EXPECT_EQ(verdict_on_vip(), Verdict::dropped);
}

TEST_P(GateTest, ShutsAnEarlierGateEvenWhereItCannotTakeItsPlace) {
    BpfGate earlier = attached();
    ASSERT_TRUE(earlier.open_until(kId, kForever));
    config_.gateways[0].outside.interface = "gone0";
    auto later = BpfGate::create(config_, hook_);
    ASSERT_TRUE(later);
    EXPECT_EQ(later->attach(kId).error().code, Errc::not_found);
    EXPECT_EQ(verdict(GateDirection::out, Frame().ipv4("10.64.1.5", "198.51.100.51"), "in0"),
              Verdict::dropped);
}

TEST_P(GateTest, ReattachesToARecreatedDeviceAndKeepsItsDeadline) {
    BpfGate gate = attached();
    ASSERT_TRUE(gate.open_until(kId, kForever));
    ASSERT_TRUE(ip_command("link delete out0"));
    plug_outside();
    EXPECT_EQ(verdict_on_vip(), Verdict::no_gate) << "a new device has no gate";
    ASSERT_TRUE(gate.attach(kId));
    EXPECT_EQ(verdict_on_vip(), Verdict::passes);
    ASSERT_TRUE(gate.shut(kId));
    EXPECT_EQ(verdict_on_vip(), Verdict::dropped);
}

TEST_P(GateTest, ListsWhatItCoversForAGateway) {
    config_.gateways[0].inside.addresses = {prefix("2001:db8::100/64")};
    config_.gateways[0].pools.push_back(prefix("2001:db8:2::/64"));
    config_.gateways.push_back(gateway());
    config_.gateways[1].id = GatewayId{8};
    config_.gateways[1].outside.addresses = {prefix("192.0.2.200/24")};
    const BpfGate gate = attached();
    const auto covered = [&gate](GatewayId id) {
        std::string text;
        for (const IpPrefix& net : gate.state(id).value_or(GateState{}).covered) {
            text += to_string(net) + " ";
        }
        return text;
    };
    EXPECT_EQ(covered(kId), "192.0.2.100/32 2001:db8::100/128 2001:db8:2::/64 ");
    EXPECT_EQ(covered(GatewayId{8}), "10.64.0.1/32 10.64.1.0/24 192.0.2.200/32 198.51.100.100/32 ")
        << "what two cover is the later one's";
    EXPECT_EQ(gate.state(GatewayId{9}).error().code, Errc::not_found);
}

TEST_P(GateTest, GatewaysOnOneDeviceOpenEachForItself) {
    config::Gateway second = gateway();
    second.id = GatewayId{8};
    second.outside.addresses = {prefix("192.0.2.200/24")};
    second.inside.addresses = {prefix("198.51.100.200/24")};
    second.ppp_local = ip("10.80.0.1");
    second.pools = {prefix("10.80.1.0/24")};
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

TEST_P(GateTest, NamesTheDeviceThatIsMissing) {
    config_.gateways[0].inside.interface = "gone0";
    auto gate = BpfGate::create(config_, hook_);
    ASSERT_TRUE(gate);
    const auto outcome = gate->attach(kId);
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().detail, "there is no interface gone0");
}

INSTANTIATE_TEST_SUITE_P(Hooks, GateTest, ::testing::ValuesIn(hooks_of_kernel()), name_of_hook);

}  // namespace gate_test
}  // namespace vpnha::adapters

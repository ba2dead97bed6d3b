// SPDX-License-Identifier: GPL-2.0-or-later
// The gate on IPv6 and on neighbour discovery; gate_test.cpp has all that is of no family.
#include <netinet/in.h>

#include "unit/host/gate/gate_host.hpp"

namespace vpnha::adapters {
namespace gate_ipv6_test {

using testing::Capture;
using testing::Frame;
using testing::ip_command;
using testing::prefix;
using namespace std::chrono_literals;

constexpr auto kSolicited = 3000ms;  // For what must come; the kernel asks again each second.

constexpr std::uint8_t kRouterAdvertisement = 134;
constexpr std::uint8_t kSolicitation = 135;
constexpr std::uint8_t kAdvertisement = 136;
constexpr std::uint8_t kEcho = 128;
constexpr const char* kVip = "2001:db8::100";
constexpr const char* kNode = "2001:db8::1";
constexpr const char* kPeer = "2001:db8::51";
constexpr const char* kGroupOfVip = "ff02::1:ff00:100";  // Its solicited-node address.
constexpr const char* kAllNodes = "ff02::1";

class GateIpv6Test : public GateHost {
  protected:
    void SetUp() override {
        GateHost::SetUp();
        config::Gateway& gateway = config_.gateways[0];
        gateway.outside.addresses.push_back(prefix("2001:db8::100/64"));
        gateway.inside.addresses.push_back(prefix("2001:db8:1::100/64"));
        gateway.pools.push_back(prefix("2001:db8:2::/64"));
    }
    void name_hosts() {
        ASSERT_TRUE(ip_command("addr add 2001:db8::1/64 dev out0 nodad"));
        in_peer([] { ASSERT_TRUE(ip_command("addr add 2001:db8::51/64 dev peer0 nodad")); });
    }
    // From any port to `destination`: true when send() reports success.
    static bool send_datagram(const char* source, const char* destination) {
        UniqueFd udp(socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        const int on = 1;
        setsockopt(udp.get(), SOL_IPV6, IPV6_RECVERR, &on, sizeof on);
        sockaddr_in6 local{};
        local.sin6_family = AF_INET6;
        sockaddr_in6 peer = local;
        inet_pton(AF_INET6, source, &local.sin6_addr);
        inet_pton(AF_INET6, destination, &peer.sin6_addr);
        peer.sin6_port = htons(1701);
        return bind(udp.get(), reinterpret_cast<sockaddr*>(&local), sizeof local) == 0 &&
               sendto(udp.get(), "x", 1, 0, reinterpret_cast<sockaddr*>(&peer), sizeof peer) == 1;
    }
    static bool is_icmp6(const Bytes& frame, std::uint8_t type) {
        return frame.size() >= 78 && frame[12] == 0x86 && frame[13] == 0xdd && frame[20] == 58 &&
               frame[54] == type;
    }
    // An advertisement of, or a solicitation for, the VIP.
    static auto about_vip(std::uint8_t type) {
        return [type](const Bytes& frame) {
            return is_icmp6(frame, type) && frame[76] == 0x01 && frame[77] == 0x00;
        };
    }
    static std::uint64_t nd_drops(const BpfGate& gate, GateDirection direction) {
        const auto counters = gate.counters(kId);
        EXPECT_TRUE(counters);
        return counters->at(direction, GateReason::standby, GateKind::nd);
    }
};

TEST_F(GateIpv6Test, ShutDropsWhatComesFromOrGoesToCoveredAddressesAndNothingElse) {
    const BpfGate gate = attached();
    const struct {
        const char* description;
        GateDirection direction;
        Bytes frame;
        Verdict expected;
    } cases[] = {
        {"out from the VIP", GateDirection::out, Frame().ipv6(kVip, kPeer), Verdict::dropped},
        {"out from a client", GateDirection::out, Frame().ipv6("2001:db8:2::9", kPeer),
         Verdict::dropped},
        {"out from the inside VIP", GateDirection::out,
         Frame().ipv6("2001:db8:1::100", "2001:db8:1::51"), Verdict::dropped},
        {"out from the node", GateDirection::out, Frame().ipv6(kNode, kPeer), Verdict::passes},
        {"out to the VIP only", GateDirection::out, Frame().ipv6(kNode, kVip), Verdict::passes},
        {"out from beside the pool", GateDirection::out, Frame().ipv6("2001:db8:3::9", kPeer),
         Verdict::passes},
        {"in to the VIP", GateDirection::in, Frame().ipv6(kPeer, kVip), Verdict::dropped},
        {"in to a client", GateDirection::in, Frame().ipv6(kPeer, "2001:db8:2::9"),
         Verdict::dropped},
        {"in from the VIP only", GateDirection::in, Frame().ipv6(kVip, kNode), Verdict::passes},
        {"in to the node", GateDirection::in, Frame().ipv6(kPeer, kNode), Verdict::passes},
        {"ping from the VIP", GateDirection::out, Frame().nd(kEcho, kVip, kPeer, kVip),
         Verdict::dropped},
        {"ping that looks like one about the VIP", GateDirection::out,
         Frame().nd(kEcho, kNode, kPeer, kVip), Verdict::passes},
        {"tagged, out from the VIP", GateDirection::out, Frame().vlan(7).ipv6(kVip, kPeer),
         Verdict::dropped},
        {"tagged twice, in to the VIP", GateDirection::in,
         Frame().vlan(7, 0x88a8).vlan(8).ipv6(kPeer, kVip), Verdict::dropped},
        {"tagged, of the node", GateDirection::out, Frame().vlan(7).ipv6(kNode, kPeer),
         Verdict::passes},
        {"without addresses", GateDirection::out, Frame().of_type(0x86dd, Bytes(40)),
         Verdict::passes},
        {"cut off", GateDirection::out, Frame().vlan(7).of_type(0x86dd, Bytes(39)),
         Verdict::passes},
        {"the VIP's IPv4 in IPv6", GateDirection::out, Frame().ipv6("::c000:264", kPeer),
         Verdict::passes},
    };
    for (const auto& test : cases) {
        EXPECT_EQ(verdict(test.direction, test.frame), test.expected) << test.description;
    }
}

TEST_F(GateIpv6Test, NeighboursNeitherLearnOfTheVipNorAreAnswered) {
    const BpfGate gate = attached();
    const struct {
        const char* description;
        GateDirection direction;
        Bytes frame;
        Verdict expected;
    } cases[] = {
        {"advertisement by the VIP", GateDirection::out,
         Frame().nd(kAdvertisement, kVip, kAllNodes, kVip), Verdict::dropped},
        {"advertisement of the VIP by the node", GateDirection::out,
         Frame().nd(kAdvertisement, kNode, kPeer, kVip), Verdict::dropped},
        {"advertisement of the VIP by a link-local address", GateDirection::out,
         Frame().nd(kAdvertisement, "fe80::1", kPeer, kVip), Verdict::dropped},
        {"advertisement of a client", GateDirection::out,
         Frame().nd(kAdvertisement, "fe80::1", kPeer, "2001:db8:2::9"), Verdict::dropped},
        {"advertisement of the node", GateDirection::out,
         Frame().nd(kAdvertisement, kNode, kPeer, kNode), Verdict::passes},
        {"solicitation by the VIP", GateDirection::out,
         Frame().nd(kSolicitation, kVip, "ff02::1:ff00:51", kPeer), Verdict::dropped},
        {"is the VIP free?", GateDirection::out, Frame().nd(kSolicitation, "::", kGroupOfVip, kVip),
         Verdict::dropped},
        {"is the node's address free?", GateDirection::out,
         Frame().nd(kSolicitation, "::", "ff02::1:ff00:1", kNode), Verdict::passes},
        {"who has the VIP?", GateDirection::out,
         Frame().nd(kSolicitation, kNode, kGroupOfVip, kVip), Verdict::passes},
        {"router advertisement", GateDirection::out,
         Frame().nd(kRouterAdvertisement, "fe80::1", kAllNodes, kVip), Verdict::passes},
        {"asked for the VIP", GateDirection::in,
         Frame().nd(kSolicitation, kPeer, kGroupOfVip, kVip), Verdict::dropped},
        {"asked for a client", GateDirection::in,
         Frame().nd(kSolicitation, kPeer, "ff02::1:ff00:9", "2001:db8:2::9"), Verdict::dropped},
        {"asked whether the VIP is free", GateDirection::in,
         Frame().nd(kSolicitation, "::", kGroupOfVip, kVip), Verdict::dropped},
        {"asked for the VIP in a VLAN", GateDirection::in,
         Frame().vlan(7).nd(kSolicitation, kPeer, kGroupOfVip, kVip), Verdict::dropped},
        {"asked whether the VIP is still there", GateDirection::in,
         Frame().nd(kSolicitation, kPeer, kVip, kVip), Verdict::dropped},
        {"asked for the node", GateDirection::in,
         Frame().nd(kSolicitation, kPeer, "ff02::1:ff00:1", kNode), Verdict::passes},
        {"told who has the VIP", GateDirection::in,
         Frame().nd(kAdvertisement, kVip, kAllNodes, kVip), Verdict::passes},
        {"advertisement behind options, by the VIP", GateDirection::out,
         Frame().hidden_nd(kAdvertisement, kVip, kAllNodes, kVip), Verdict::dropped},
        {"asked behind options: its answer will not be", GateDirection::in,
         Frame().hidden_nd(kSolicitation, kPeer, kGroupOfVip, kVip), Verdict::passes},
    };
    for (const auto& test : cases) {
        EXPECT_EQ(verdict(test.direction, test.frame), test.expected) << test.description;
    }
}

TEST_F(GateIpv6Test, OpenLetsAllOfItPassUntilTheDeadline) {
    BpfGate gate = attached();
    const Bytes solicitation = Frame().nd(kSolicitation, kPeer, kGroupOfVip, kVip);
    const Bytes advertisement = Frame().nd(kAdvertisement, kNode, kPeer, kVip);
    ASSERT_TRUE(gate.open_until(kId, kForever));
    EXPECT_EQ(verdict(GateDirection::in, solicitation), Verdict::passes);
    EXPECT_EQ(verdict(GateDirection::out, advertisement), Verdict::passes);
    EXPECT_EQ(verdict(GateDirection::out, Frame().ipv6(kVip, kPeer)), Verdict::passes);
    ASSERT_TRUE(gate.open_until(kId, boot_time() - 1ms));
    EXPECT_EQ(verdict(GateDirection::in, solicitation), Verdict::dropped);
    EXPECT_EQ(verdict(GateDirection::out, advertisement), Verdict::dropped);
    EXPECT_EQ(verdict(GateDirection::out, Frame().ipv6(kVip, kPeer)), Verdict::dropped);
    const auto counters = gate.counters(kId);
    ASSERT_TRUE(counters);
    EXPECT_EQ(counters->at(GateDirection::in, GateReason::expired, GateKind::nd), 1U);
    EXPECT_EQ(counters->at(GateDirection::out, GateReason::expired, GateKind::nd), 1U);
    EXPECT_EQ(counters->at(GateDirection::out, GateReason::expired, GateKind::ip), 1U);
}

// As where this node has a proxy entry for a client of the other gateway.
TEST_F(GateIpv6Test, AnOpenGatewayNeitherAnswersNorIsAskedForAShutOne) {
    constexpr const char* kOther = "2001:db8::200";
    config::Gateway& other = config_.gateways.emplace_back(gateway());
    other.id = GatewayId{8};
    other.outside.addresses = {prefix("2001:db8::200/64")};
    other.inside.addresses = {prefix("2001:db8:1::200/64")};
    other.ppp_local = testing::ip("10.201.0.1");
    other.pools = {prefix("10.201.1.0/24")};
    BpfGate gate = attached();
    ASSERT_TRUE(gate.attach(other.id));
    ASSERT_TRUE(gate.open_until(kId, kForever));
    const Bytes answer = Frame().nd(kAdvertisement, kVip, kPeer, kOther);
    const Bytes question = Frame().nd(kSolicitation, kPeer, kVip, kOther);
    EXPECT_EQ(verdict(GateDirection::out, answer), Verdict::dropped);
    EXPECT_EQ(verdict(GateDirection::in, question), Verdict::dropped);
    ASSERT_TRUE(gate.open_until(other.id, kForever));
    EXPECT_EQ(verdict(GateDirection::out, answer), Verdict::passes);
    EXPECT_EQ(verdict(GateDirection::in, question), Verdict::passes);
}

TEST_F(GateIpv6Test, AnswersNoNeighbourWhileShut) {
    name_hosts();
    BpfGate gate = attached();
    ASSERT_TRUE(ip_command("addr add 2001:db8::100/64 dev out0 nodad"));
    std::optional<Capture> peer;
    in_peer([&] {
        peer.emplace("peer0");
        EXPECT_TRUE(send_datagram(kPeer, kVip));
    });
    EXPECT_EQ(peer->find(kNothing, about_vip(kAdvertisement)), std::nullopt);
    EXPECT_GE(nd_drops(gate, GateDirection::in), 1U);
    ASSERT_TRUE(gate.open_until(kId, kForever));
    in_peer([] { EXPECT_TRUE(send_datagram(kPeer, kVip)); });
    EXPECT_NE(peer->find(kSolicited, about_vip(kAdvertisement)), std::nullopt);
}

TEST_F(GateIpv6Test, DropsSilentlyForLocalSenders) {
    name_hosts();
    BpfGate gate = attached();
    ASSERT_TRUE(ip_command("addr add 2001:db8::100/64 dev out0 nodad"));
    ASSERT_TRUE(ip_command("neigh add 2001:db8::51 lladdr 02:00:00:00:00:51 dev out0"));
    EXPECT_TRUE(send_datagram(kVip, kPeer));
    const auto counters = gate.counters(kId);
    ASSERT_TRUE(counters);
    EXPECT_EQ(counters->at(GateDirection::out, GateReason::standby, GateKind::ip), 1U);
    std::optional<Capture> peer;
    in_peer([&] { peer.emplace("peer0"); });
    ASSERT_TRUE(gate.open_until(kId, kForever));
    EXPECT_TRUE(send_datagram(kVip, kPeer));
    EXPECT_NE(peer->find(kSolicited,
                         [](const Bytes& frame) {
                             return frame.size() > 60 && frame[12] == 0x86 && frame[20] == 17 &&
                                    frame[36] == 0x01 && frame[37] == 0x00;
                         }),
              std::nullopt);
}

TEST_F(GateIpv6Test, AStandbyDoesNotAskWhetherTheVipIsFree) {
    const BpfGate gate = attached();
    std::optional<Capture> peer;
    in_peer([&] { peer.emplace("peer0"); });
    // Whoever adds it with duplicate address detection: the kernel begins within a second.
    ASSERT_TRUE(ip_command("addr add 2001:db8::100/64 dev out0"));
    const auto until = boot_time() + kSolicited;
    while (nd_drops(gate, GateDirection::out) == 0 && boot_time() < until) {
        EXPECT_EQ(peer->find(20ms, about_vip(kSolicitation)), std::nullopt);
    }
    EXPECT_GE(nd_drops(gate, GateDirection::out), 1U);
}

TEST_F(GateIpv6Test, AStandbyReachesTheVipOfAnotherNode) {
    name_hosts();
    const BpfGate gate = attached();
    std::optional<Capture> peer;
    in_peer([&] {
        ASSERT_TRUE(ip_command("addr add 2001:db8::100/64 dev peer0 nodad"));
        peer.emplace("peer0");
    });
    EXPECT_TRUE(send_datagram(kNode, kVip));
    EXPECT_NE(peer->find(kSolicited,
                         [](const Bytes& frame) {
                             return frame.size() > 60 && frame[12] == 0x86 && frame[20] == 17;
                         }),
              std::nullopt);
    EXPECT_EQ(nd_drops(gate, GateDirection::out), 0U);
}

}  // namespace gate_ipv6_test
}  // namespace vpnha::adapters

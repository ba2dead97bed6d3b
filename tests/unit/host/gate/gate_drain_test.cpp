// SPDX-License-Identifier: GPL-2.0-or-later
// What comes to a gateway that accepts no new clients.
#include "host/gate/gate.hpp"
#include "protocols/ipsec/table.hpp"
#include "protocols/l2tp/table.hpp"
#include "protocols/pptp/table.hpp"
#include "protocols/wireguard/table.hpp"
#include "unit/host/addresses/frame.hpp"
#include "unit/host/gate/gate_host.hpp"

namespace vpnha::adapters {
namespace gate_drain_test {

using testing::Frame;
using testing::prefix;

class GateDrainTest : public HookedGateHost {};

// Of IKE up to the responder's SPI, behind so many octets of 0.
Bytes ike(std::uint64_t responder_spi, std::size_t marker = 0) {
    ByteWriter header;
    header.bytes(Bytes(marker)).u64(0x1122'3344'5566'7788).u64(responder_spi);
    return std::move(header).take();
}

Bytes l2tp(std::uint16_t flags, std::uint16_t tunnel) {
    ByteWriter header;
    header.u16(flags).u16(12).u16(tunnel).u16(0).u32(0);
    return std::move(header).take();
}

constexpr std::uint16_t kHandshakePort = 51'820;

// Of WireGuard, by the type of its message.
Bytes wireguard(std::uint8_t type, std::uint8_t reserved = 0) {
    ByteWriter message;
    message.u8(type).u8(0).u8(0).u8(reserved).bytes(Bytes(28));
    return std::move(message).take();
}

TEST_P(GateDrainTest, TheFirstWordOfASessionDoesNotPass) {
    config_.gateways[0].protocols.serve<ipsec::Table>();
    config_.gateways[0].protocols.serve<l2tp::Table>();
    config_.gateways[0].protocols.serve<pptp::Table>();
    config_.gateways[0].protocols.serve<wireguard::Table>();
    config_.gateways[0].outside.addresses.push_back(prefix("2001:db8::100/64"));
    BpfGate gate = attached();
    ASSERT_TRUE(gate.open_until(kId, kForever));
    const char* const vip = "192.0.2.100";
    const char* const client = "192.0.2.51";
    const auto to = [&](std::uint16_t port, const Bytes& payload) {
        return Frame().datagram4(client, vip, port, payload);
    };
    constexpr std::uint8_t kSyn = 0x02;
    constexpr std::uint8_t kAck = 0x10;
    Bytes later = to(500, ike(0));
    later[21] = 6;  // IPv4's offset of the fragment.
    const struct {
        const char* description;
        Bytes frame;
        bool begins;
    } cases[] = {
        {"IKE", to(500, ike(0)), true},
        {"IKE behind a NAT", to(4500, ike(0, 4)), true},
        {"IKE over IPv6", Frame().datagram6("2001:db8::51", "2001:db8::100", 500, ike(0)), true},
        {"an SCCRQ", to(1701, l2tp(0xc802, 0)), true},
        {"a connection of PPTP", Frame().tcp4(client, vip, 40'000, kSyn, 0, 0, 1723), true},
        {"a handshake", to(51'820, wireguard(1)), true},
        {"a handshake over IPv6",
         Frame().datagram6("2001:db8::51", "2001:db8::100", 51'820, wireguard(1)), true},
        {"a handshake's answer", to(51'820, wireguard(2)), false},
        {"data of WireGuard", to(51'820, wireguard(4)), false},
        {"no message of WireGuard", to(51'820, wireguard(1, 1)), false},
        {"half a word of WireGuard", to(51'820, Bytes{1, 0}), false},
        {"a handshake on another port", to(51'821, wireguard(1)), false},
        {"of an IKE SA", to(500, ike(7)), false},
        {"of an IKE SA behind a NAT", to(4500, ike(7, 4)), false},
        {"ESP behind a NAT", to(4500, ike(0)), false},
        {"IKE on another port", to(501, ike(0)), false},
        {"half an IKE header", to(500, Bytes(12, 0)), false},
        {"a keepalive", to(4500, Bytes{0xff}), false},
        {"of a tunnel", to(1701, l2tp(0xc802, 9)), false},
        {"L2TP's data", to(1701, l2tp(0x0002, 0)), false},
        {"of a connection", Frame().tcp4(client, vip, 40'000, kAck, 0, 0, 1723), false},
        {"to another port", Frame().tcp4(client, vip, 40'000, kSyn, 0, 0, 1724), false},
        {"to another address", Frame().datagram4(client, "192.0.2.1", 500, ike(0)), false},
        {"IKE to a client", Frame().datagram4(client, "10.64.1.5", 500, ike(0)), false},
        {"what is like IKE in a later fragment", later, false},
    };
    for (const auto& test : cases) {
        EXPECT_EQ(verdict(GateDirection::in, test.frame), Verdict::passes) << test.description;
    }
    ASSERT_TRUE(gate.drain(kId, true));
    std::uint64_t dropped = 0;
    for (const auto& test : cases) {
        EXPECT_EQ(verdict(GateDirection::in, test.frame),
                  test.begins ? Verdict::dropped : Verdict::passes)
            << test.description;
        dropped += test.begins ? 1 : 0;
    }
    EXPECT_EQ(gate.counters(kId)->dropped(GateDirection::in, GateReason::drained), dropped);
    EXPECT_EQ(verdict(GateDirection::out, Frame().datagram4(vip, client, 500, ike(0))),
              Verdict::passes);
    ASSERT_TRUE(gate.drain(kId, false));
    for (const auto& test : cases) {
        EXPECT_EQ(verdict(GateDirection::in, test.frame), Verdict::passes) << test.description;
    }
    ASSERT_TRUE(gate.drain_all(true));
    for (const auto& test : cases) {
        EXPECT_EQ(verdict(GateDirection::in, test.frame),
                  test.begins ? Verdict::dropped : Verdict::passes)
            << test.description << ", of a node that takes no more";
    }
    ASSERT_TRUE(gate.drain_all(false));
    EXPECT_EQ(verdict(GateDirection::in, cases[0].frame), Verdict::passes);
}

TEST_P(GateDrainTest, L2tpHasThePortOfItsGateway) {
    using Ports = std::vector<std::uint16_t>;
    const auto sccrq = [](std::uint16_t port) {
        return Frame().datagram4("192.0.2.51", "192.0.2.100", port, l2tp(0xc802, 0));
    };
    const auto sccrq6 = [](std::uint16_t port) {
        return Frame().datagram6("2001:db8::51", "2001:db8::100", port, l2tp(0xc802, 0));
    };
    config_.gateways[0].outside.addresses.push_back(prefix("2001:db8::100/64"));
    for (const std::uint16_t port : Ports{0, 1701, 1703, 65'535}) {
        config_.gateways[0].protocols = {};
        if (port != 0) {
            config_.gateways[0].protocols.serve<l2tp::Table>().port = port;
        }
        BpfGate gate = attached();
        ASSERT_TRUE(gate.open_until(kId, kForever));
        ASSERT_TRUE(gate.drain(kId, true));
        for (const std::uint16_t to : Ports{1701, 1703, 65'535}) {
            const Verdict expected = to == port ? Verdict::dropped : Verdict::passes;
            EXPECT_EQ(verdict(GateDirection::in, sccrq(to)), expected) << port << " " << to;
            EXPECT_EQ(verdict(GateDirection::in, sccrq6(to)), expected) << port << " " << to;
        }
        ASSERT_TRUE(gate.drain(kId, false));
    }
}

TEST_P(GateDrainTest, ASessionIsRenewedByAHandshake) {
    config_.gateways[0].protocols.serve<wireguard::Table>();
    config_.gateways[0].outside.addresses.push_back(prefix("2001:db8::100/64"));
    BpfGate gate = attached();
    ASSERT_TRUE(gate.open_until(kId, kForever));
    const char* const vip = "192.0.2.100";
    const auto handshake = [&](const char* client, std::uint16_t port) {
        return verdict(GateDirection::in,
                       Frame().datagram4(client, vip, kHandshakePort, wireguard(1), port));
    };
    const auto answer = [&](const char* client, std::uint16_t port, std::uint8_t type,
                            std::uint16_t own = kHandshakePort) {
        EXPECT_EQ(
            verdict(GateDirection::out, Frame().datagram4(vip, client, port, wireguard(type), own)),
            Verdict::passes);
    };
    answer("192.0.2.51", 1000, 4);
    ASSERT_TRUE(gate.drain(kId, true));
    EXPECT_EQ(handshake("192.0.2.51", 1000), Verdict::dropped) << "nobody looked before";
    answer("192.0.2.51", 1000, 2);
    answer("192.0.2.51", 1000, 4, 51'821);
    EXPECT_EQ(handshake("192.0.2.51", 1000), Verdict::dropped) << "no data was sent to it";
    answer("192.0.2.51", 1000, 4);
    EXPECT_EQ(handshake("192.0.2.51", 1000), Verdict::passes);
    EXPECT_EQ(handshake("192.0.2.51", 1001), Verdict::dropped);
    EXPECT_EQ(handshake("192.0.2.52", 1000), Verdict::dropped);
    const auto handshake6 = [&] {
        return verdict(GateDirection::in, Frame().datagram6("2001:db8::51", "2001:db8::100",
                                                            kHandshakePort, wireguard(1), 1000));
    };
    EXPECT_EQ(handshake6(), Verdict::dropped);
    EXPECT_EQ(verdict(GateDirection::out, Frame().datagram6("2001:db8::100", "2001:db8::51", 1000,
                                                            wireguard(4), kHandshakePort)),
              Verdict::passes);
    EXPECT_EQ(handshake6(), Verdict::passes);
}

// A protocol that the gate does not know. Its sessions begin by HI, and continue by OK for a
// minute.
struct Greeting {
    static const config::Protocol kProtocol;
    static std::vector<config::Key> keys() { return {}; }
    [[nodiscard]] static config::Facts facts() {
        using Rule = config::GateRule;
        const auto word = [](std::uint32_t letters) {
            return std::vector<Rule::Word>{{Rule::kUdpPayload + 4, 0xffff'0000, letters << 16U}};
        };
        return {
            .title = "greeting",
            .daemon = "greeter",
            .gate_rules = {
                {Rule::Kind::begins, Rule::Transport::tcp, 77, {{12, 0x0012'0000, 0x0002'0000}}},
                {Rule::Kind::renews, Rule::Transport::udp, 77, word(0x4849)},
                {Rule::Kind::continues, Rule::Transport::udp, 77, word(0x4f4b),
                 std::chrono::minutes(1)}}};
    }
};
constexpr config::Protocol Greeting::kProtocol = config::protocol_of<Greeting>("greeting", "");

TEST_P(GateDrainTest, AProtocolBringsItsRules) {
    const char* const vip = "192.0.2.100";
    const char* const client = "192.0.2.51";
    constexpr std::uint8_t kSyn = 0x02;
    const Bytes hi{0, 0, 0, 0, 'H', 'I', 0, 0};
    const Bytes ok{0, 0, 0, 0, 'O', 'K', 0, 0};
    const Bytes dial = Frame().tcp4(client, vip, 40'000, kSyn, 0, 0, 77);
    const Bytes greeting = Frame().datagram4(client, vip, 77, hi, 1000);
    const Bytes greeting6 = Frame().datagram6("2001:db8::51", "2001:db8::100", 77, hi, 1000);
    config_.gateways[0].outside.addresses.push_back(prefix("2001:db8::100/64"));
    for (const bool is_served : {false, true}) {
        config_.gateways[0].protocols = {};
        if (is_served) {
            config_.gateways[0].protocols.serve<Greeting>();
        }
        BpfGate gate = attached();
        ASSERT_TRUE(gate.open_until(kId, kForever));
        ASSERT_TRUE(gate.drain(kId, true));
        const Verdict expected = is_served ? Verdict::dropped : Verdict::passes;
        EXPECT_EQ(verdict(GateDirection::in, dial), expected);
        EXPECT_EQ(verdict(GateDirection::in, greeting), expected);
        EXPECT_EQ(verdict(GateDirection::in, greeting6), expected);
        EXPECT_EQ(verdict(GateDirection::in, Frame().datagram4(client, vip, 77, ok, 1000)),
                  Verdict::passes);
        EXPECT_EQ(verdict(GateDirection::in, Frame().datagram4(client, vip, 78, hi, 1000)),
                  Verdict::passes);
        EXPECT_EQ(verdict(GateDirection::out, Frame().datagram4(vip, client, 1000, ok, 77)),
                  Verdict::passes);
        EXPECT_EQ(verdict(GateDirection::in, greeting), Verdict::passes) << "it is known now";
        EXPECT_EQ(verdict(GateDirection::in, greeting6), expected);
        EXPECT_EQ(verdict(GateDirection::in, dial), expected);
        ASSERT_TRUE(gate.drain(kId, false));
    }
}

INSTANTIATE_TEST_SUITE_P(Hooks, GateDrainTest, ::testing::ValuesIn(hooks_of_kernel()),
                         name_of_hook);

}  // namespace gate_drain_test
}  // namespace vpnha::adapters

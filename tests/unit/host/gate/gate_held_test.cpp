// SPDX-License-Identifier: GPL-2.0-or-later
// What leaves of ESP SAs whose numbers are not set yet.
#include "host/gate/gate.hpp"
#include "protocols/ipsec/table.hpp"
#include "unit/host/addresses/frame.hpp"
#include "unit/host/gate/gate_host.hpp"

namespace vpnha::adapters {
namespace gate_held_test {

using testing::Frame;
using testing::prefix;

class GateHeldTest : public HookedGateHost {};

TEST_P(GateHeldTest, EspOfAHeldSaDoesNotLeave) {
    config_.gateways[0].protocols.serve<ipsec::Table>();
    config_.gateways[0].outside.addresses.push_back(prefix("2001:db8::100/64"));
    BpfGate gate = attached();
    ASSERT_TRUE(gate.open_until(kId, kForever));
    const char* const vip = "192.0.2.100";
    const char* const client = "192.0.2.51";
    constexpr std::uint16_t kMoreFollow = 0x2000;
    constexpr std::uint32_t kHeld = 0xc0de'0001;
    const auto esp = [&](std::uint32_t spi) { return Frame().esp4(vip, client, spi); };
    const auto in_udp = [&](std::uint32_t spi, std::uint16_t fragment = 0) {
        return Frame().esp_in_udp4(vip, client, 4500, spi, fragment, 9);
    };
    const struct {
        const char* description;
        GateDirection direction;
        Bytes frame;
        bool is_held;
    } cases[] = {
        {"ESP", GateDirection::out, esp(kHeld), true},
        {"ESP over IPv6", GateDirection::out, Frame().esp6("2001:db8::100", "2001:db8::51", kHeld),
         true},
        {"in UDP", GateDirection::out, in_udp(kHeld), true},
        {"a first fragment", GateDirection::out, in_udp(kHeld, kMoreFollow), true},
        {"the fragment behind it", GateDirection::out, Frame().udp4(vip, client, 0, 0, 6, 9), true},
        {"another SA", GateDirection::out, esp(kHeld + 1), false},
        {"another SA in UDP", GateDirection::out, in_udp(kHeld + 1), false},
        {"IKE", GateDirection::out, in_udp(0), false},
        {"from another port", GateDirection::out, Frame().esp_in_udp4(vip, client, 4501, kHeld),
         false},
        {"what comes", GateDirection::in, Frame().esp4(client, vip, kHeld), false},
        {"of another address", GateDirection::out, Frame().esp4("192.0.2.1", client, kHeld), false},
    };
    for (const auto& test : cases) {
        EXPECT_EQ(verdict(test.direction, test.frame), Verdict::passes) << test.description;
    }
    ASSERT_TRUE(gate.hold_esp(kId, {kHeld, kHeld + 2}, true));
    std::uint64_t dropped = 0;
    for (const auto& test : cases) {
        EXPECT_EQ(verdict(test.direction, test.frame),
                  test.is_held ? Verdict::dropped : Verdict::passes)
            << test.description;
        dropped += test.is_held ? 1 : 0;
    }
    EXPECT_EQ(gate.counters(kId)->dropped(GateDirection::out, GateReason::held), dropped);
    ASSERT_TRUE(gate.hold_esp(kId, {kHeld, kHeld + 7}, false));
    EXPECT_EQ(verdict(GateDirection::out, esp(kHeld)), Verdict::passes);
    EXPECT_EQ(verdict(GateDirection::out, in_udp(kHeld)), Verdict::passes);
    EXPECT_EQ(verdict(GateDirection::out, esp(kHeld + 2)), Verdict::dropped);
}

INSTANTIATE_TEST_SUITE_P(Hooks, GateHeldTest, ::testing::ValuesIn(hooks_of_kernel()), name_of_hook);

}  // namespace gate_held_test
}  // namespace vpnha::adapters

// SPDX-License-Identifier: GPL-2.0-or-later
// Calls in a CallWorld, and what a stranger sends to them.
#pragma once

#include <gmock/gmock.h>

#include "unit/protocols/pptp/model/call_world.hpp"

namespace vpnha::pptp::test {

class ResumedCallTest : public ::testing::TestWithParam<ModelClient::Kind> {
  protected:
    // A call that continued for a while, known up to 100 packets.
    void be_known(CallWorld& world) {
        world.stock_sends(100);
        world.forget_sent();
        world.checkpoint();
    }
    // A call that runs here.
    void be_running(CallWorld& world) {
        be_known(world);
        world.call->resume(true, 0, world.now, world);
        ASSERT_EQ(world.call->state(), ResumedCall::State::running);
    }
    // What somebody sends who knows the client's address and the id of the call.
    static void forge(CallWorld& world, std::optional<std::uint32_t> number,
                      std::optional<std::uint32_t> acknowledged, ByteView payload) {
        const auto header =
            encode_gre_header(CallWorld::id(), number, acknowledged, payload.size());
        Bytes packet(header.view().begin(), header.view().end());
        packet.insert(packet.end(), payload.begin(), payload.end());
        world.call->on_gre(packet, world.now, world);
    }
    static void forge_some(CallWorld& world, std::mt19937& random) {
        const auto octet = [&random] { return static_cast<std::uint8_t>(random()); };
        Bytes clear{0xff, 3, 0, 0x21};
        const Bytes packet = mppe::test::ip_packet(0xbad);
        clear.insert(clear.end(), packet.begin(), packet.end());
        const std::vector<Bytes> frames{
            clear,
            {0xff, 3, 0, 0xfd, static_cast<std::uint8_t>(0x90 | (octet() & 15)), octet(), 1, 2, 3},
            {0xff, 3, 0xc0, 0x21, 10, static_cast<std::uint8_t>(0xa0 + octet() % 96), 0, 8, 0x22,
             0x22, 0x22, 0x22},                   // LCP Echo-Reply.
            {0xff, 3, 0xc0, 0x21, 5, 1, 0, 4},    // LCP Terminate-Request.
            {0xff, 3, 0xc0, 0x21, 1, 1, 0, 4},    // LCP Configure-Request.
            {0xff, 3, 0x80, 0x21, 1, 1, 0, 4},    // IPCP Configure-Request.
            {0xff, 3, 0x80, 0xfd, 1, 1, 0, 4},    // CCP Configure-Request.
            {0xff, 3, 0x80, 0xfd, 5, 1, 0, 4},    // CCP Terminate-Request.
            {0xff, 3, 0x80, 0xfd, 14, 1, 0, 4}};  // CCP Reset-Request.
        for (const Bytes& each : frames) {
            forge(world, static_cast<std::uint32_t>(random()), static_cast<std::uint32_t>(random()),
                  each);
        }
        forge(world, std::nullopt, static_cast<std::uint32_t>(random()), {});
        // What moved the ladder.
        forge(world, std::nullopt, world.known.gre_out + 1 + random() % 65'000, {});
    }
    // Frames that the client sends as they are.
    static Bytes frame(std::initializer_list<std::uint8_t> octets) { return octets; }
};

}  // namespace vpnha::pptp::test

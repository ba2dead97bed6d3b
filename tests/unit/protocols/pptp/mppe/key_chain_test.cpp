// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/pptp/mppe/key_chain.hpp"

#include <gmock/gmock.h>

#include <string>

#include "support/linux_peer.hpp"

namespace vpnha::mppe {
namespace key_chain_test {

using test::kStartKey;

struct Vector {
    Strength strength;
    std::string first_key;   // RFC 3079 3.5.1 to 3.5.3.
    std::string encrypted;   // "test message"
    std::string packet_key;  // Of packet 0, and of packet 1: made independently.
    std::string second_packet_key;
};

// RFC 3079's own: the session key that the start key leads to, and what it encrypts.
TEST(KeyChainTest, TheVectorsOfTheRfcComeOut) {
    const std::vector<Vector> vectors{
        {Strength::bits40, "d1269ec49fa62e3e", "929137917e5803d668d75898", "d1269ece4d98d181",
         "d1269edeefbd8aff"},
        {Strength::bits56, "d15c00c49fa62e3e", "3f106833fa448da842bc57b8", "d16182a2ab481407",
         "d178cc274f63faf1"},
        {Strength::bits128, "405cb2247a7956e6e211007ae27b22d4", "81848317df68846272fb5abe",
         "726f10500e2b54135b1b74d7682f0471", "2805bc7869bec825573a7803e95a3acd"},
    };
    for (const Vector& vector : vectors) {
        KeyChain chain(vector.strength, kStartKey);
        const auto key = [&] {
            return to_hex(ByteView(chain.key()).first(vector.first_key.size() / 2));
        };
        EXPECT_EQ(key(), vector.first_key);
        Bytes out(12);
        chain.crypt(chain.key(), to_bytes("test message"), out.data());
        EXPECT_EQ(to_hex(out), vector.encrypted);
        EXPECT_EQ(chain.next(), 0U);
        chain.step();
        EXPECT_EQ(chain.next(), 1U);
        EXPECT_EQ(key(), vector.packet_key);
        chain.step();
        EXPECT_EQ(key(), vector.second_packet_key);
    }
}

}  // namespace key_chain_test
}  // namespace vpnha::mppe

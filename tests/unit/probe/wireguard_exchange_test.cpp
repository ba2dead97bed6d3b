// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/wireguard_exchange.hpp"

#include <gmock/gmock.h>

namespace vpnha::probe {
namespace wireguard_exchange_test {

using noise::Octets;
using noise::Secret;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::size_t kMacs = 32;

Secret secret_of(std::uint8_t octet) {
    Octets octets{};
    octets.fill(octet);
    return Secret(octets);
}

Octets public_of(const Secret& secret) {
    return noise::public_key_of(secret).value();
}

const Secret kServer = secret_of(0x11);
const Secret kClient = secret_of(0x22);
const Secret kPreshared = secret_of(0x33);

noise::Account account() {
    return {kClient, public_of(kServer), kPreshared};
}

std::unique_ptr<WireguardExchange> exchange_of(noise::Account from = account()) {
    auto made = WireguardExchange::make(std::move(from), {.unix_s = 1'800'000'000,
                                                          .nanoseconds = 990'000'000,
                                                          .index = 0x01020304,
                                                          .seed = secret_of(0x44)});
    EXPECT_TRUE(made) << made.error().detail;
    return std::move(*made);
}

ByteView view(const Secret& secret) {
    return {secret.data(), Secret::size()};
}

// What the responder of the white paper (5.4.2, 5.4.3) makes of an initiation.
struct Seen {
    Bytes client;     // Its public key.
    Bytes timestamp;  // By which it tells a new initiation from an old one.
    Bytes response;
};

Seen answer(ByteView initiation, const Secret& own = kServer,
            const Secret& preshared = kPreshared) {
    const auto start = noise::beginning(public_of(own)).value();
    const ByteView shown = initiation.subspan(8, 32);
    auto hash = noise::hash_of(start.second, shown).value();
    auto first = noise::derive<1>(start.first, shown).value();
    auto second = noise::derive<2>(first[0], view(*noise::shared_of(own, shown))).value();
    Seen seen;
    const ByteView sealed_key = initiation.subspan(40, 48);
    seen.client = noise::open(second[1], sealed_key, hash).value_or(Bytes{});
    if (seen.client.empty()) {
        return seen;  // Sealed for another server.
    }
    hash = noise::hash_of(hash, sealed_key).value();
    auto third = noise::derive<2>(second[0], view(*noise::shared_of(own, seen.client))).value();
    const ByteView sealed_time = initiation.subspan(88, 28);
    seen.timestamp = noise::open(third[1], sealed_time, hash).value_or(Bytes{});
    hash = noise::hash_of(hash, sealed_time).value();

    const Secret ephemeral = secret_of(0x55);
    const Octets ours = public_of(ephemeral);
    hash = noise::hash_of(hash, ours).value();
    auto chain = noise::derive<1>(third[0], ours).value()[0];
    chain = noise::derive<1>(chain, view(*noise::shared_of(ephemeral, shown))).value()[0];
    chain = noise::derive<1>(chain, view(*noise::shared_of(ephemeral, seen.client))).value()[0];
    const auto last = noise::derive<3>(chain, view(preshared)).value();
    hash = noise::hash_of(hash, view(last[1])).value();
    ByteWriter writer;
    writer.u8(2).u8(0).u16(0).u32(0x0a0b0c0d).bytes(initiation.subspan(4, 4)).bytes(ours);
    writer.bytes(noise::seal(last[2], {}, hash)).bytes(Bytes(kMacs));
    seen.response = std::move(writer).take();
    return seen;
}

TEST(WireguardExchangeTest, TheServerLearnsWhoAsksAndWhen) {
    const auto exchange = exchange_of();
    EXPECT_EQ(exchange->step(), "handshake");
    ASSERT_EQ(exchange->request().size(), noise::kInitiationBytes);
    EXPECT_EQ(to_hex(ByteView(exchange->request()).first(8)), "0100000004030201");
    const Seen seen = answer(exchange->request());
    EXPECT_EQ(to_hex(seen.client), to_hex(public_of(kClient)));
    EXPECT_EQ(to_hex(seen.timestamp), "400000006b49d20a3b023380");
    EXPECT_EQ(to_hex(ByteView(exchange->request()).last(16)), to_hex(Bytes(16)))
        << "no cookie was given";
}

TEST(WireguardExchangeTest, ItsResponseEndsIt) {
    const auto exchange = exchange_of();
    const Bytes response = answer(exchange->request()).response;
    ASSERT_EQ(response.size(), noise::kResponseBytes);
    ASSERT_TRUE(exchange->on_datagram(response));
    EXPECT_TRUE(exchange->is_over());
    EXPECT_THAT(exchange->closing_message(), IsEmpty());
}

// A server takes no initiation twice, and none that is not later than the one before.
TEST(WireguardExchangeTest, EachRepetitionIsAHandshakeOfItsOwn) {
    const auto exchange = exchange_of();
    const Bytes first = exchange->request();
    exchange->repeat();
    const Bytes second = exchange->request();
    EXPECT_EQ(to_hex(ByteView(second).first(8)), "0100000005030201");
    EXPECT_NE(to_hex(ByteView(second).subspan(8, 32)), to_hex(ByteView(first).subspan(8, 32)));
    EXPECT_EQ(to_hex(answer(second).timestamp), "400000006b49d20b00989680")
        << "20 ms later, which is the next second";
    ASSERT_TRUE(exchange->on_datagram(answer(first).response));
    EXPECT_TRUE(exchange->is_over()) << "an answer may be late";
}

TEST(WireguardExchangeTest, WhoDoesNotKnowTheKeysHasNotAnswered) {
    const auto exchange = exchange_of();
    EXPECT_THAT(answer(exchange->request(), secret_of(0x66)).response, IsEmpty());
    ASSERT_TRUE(exchange->on_datagram(answer(exchange->request(), kServer, secret_of(0)).response));
    EXPECT_FALSE(exchange->is_over()) << "another preshared key";
    const Bytes good = answer(exchange->request()).response;
    for (std::size_t at = 0; at < noise::kResponseBytes - kMacs; ++at) {
        Bytes forged = good;
        forged[at] ^= 1;
        // The index that the server has chosen is not sealed.
        if (at < 4 || at >= 8) {
            ASSERT_TRUE(exchange->on_datagram(forged));
            EXPECT_FALSE(exchange->is_over()) << at;
        }
    }
}

TEST(WireguardExchangeTest, WhatIsNoAnswerChangesNothing) {
    const auto exchange = exchange_of();
    const Bytes good = answer(exchange->request()).response;
    for (std::size_t size = 0; size < good.size(); ++size) {
        ASSERT_TRUE(exchange->on_datagram(ByteView(good).first(size)));
    }
    Bytes long_one = good;
    long_one.push_back(0);
    ASSERT_TRUE(exchange->on_datagram(long_one));
    ASSERT_TRUE(exchange->on_datagram(Bytes(noise::kResponseBytes)));
    EXPECT_FALSE(exchange->is_over());
    EXPECT_THAT(exchange->hint(), IsEmpty());
    ASSERT_TRUE(exchange->on_datagram(Bytes{3, 0, 0, 0}));
    EXPECT_THAT(exchange->hint(), HasSubstr("wants a cookie"));
}

TEST(WireguardExchangeTest, AServersKeyThatIsNoneIsNamed) {
    noise::Account wrong = account();
    wrong.server = Octets{};
    const auto made = WireguardExchange::make(wrong, {});
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, Errc::malformed);
}

}  // namespace wireguard_exchange_test
}  // namespace vpnha::probe

// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/ikev2_exchange.hpp"

#include <gmock/gmock.h>

#include "probe/ike_message.hpp"

namespace vpnha::probe {
namespace ikev2_exchange_test {

using ::testing::HasSubstr;

constexpr Ikev2Numbers kNumbers{.spi = 0x1122334455667788, .nonce = {7}, .public_value = {8}};
constexpr std::uint8_t kSa = 33;
constexpr std::uint8_t kKey = 34;
constexpr std::uint8_t kNonce = 40;
constexpr std::uint8_t kNotify = 41;
constexpr std::uint16_t kInvalidKe = 17;
constexpr std::uint16_t kCookie = 16390;
constexpr IkeHeader kAnswer{
    .initiator = kNumbers.spi, .version = kIkev2Version, .exchange = 34, .flags = 0x20};

Bytes notify(std::uint16_t type, const Bytes& data = {}, const IkeHeader& header = kAnswer) {
    ByteWriter body;
    body.u8(0).u8(0).u16(type).bytes(data);
    return encode_ike_message(header, {{kNotify, body.view()}});
}

std::vector<int> types_of(const Bytes& request) {
    std::vector<int> types;
    const auto message = parse_ike_message(request);
    for (const IkePayload& payload : message->payloads) {
        types.push_back(payload.type);
    }
    return types;
}

TEST(Ikev2ExchangeTest, AServerThatWantsAnotherGroupHasAnswered) {
    Ikev2Exchange exchange(kNumbers);
    EXPECT_EQ(exchange.step(), "ike_sa_init");
    EXPECT_EQ(types_of(exchange.request()), (std::vector<int>{kSa, kKey, kNonce}));
    // In one datagram of an Ethernet path.
    EXPECT_LE(exchange.request().size(), 1400U);
    ASSERT_TRUE(exchange.on_datagram(notify(kInvalidKe, {0, 14})));
    EXPECT_TRUE(exchange.is_over());
    EXPECT_TRUE(exchange.closing_message().empty());
}

TEST(Ikev2ExchangeTest, AServerThatTakesTheGroupHasAnsweredToo) {
    Ikev2Exchange exchange(kNumbers);
    ASSERT_TRUE(exchange.on_datagram(encode_ike_message(kAnswer, {{kSa, {}}, {kKey, {}}})));
    EXPECT_FALSE(exchange.is_over());
    ASSERT_TRUE(
        exchange.on_datagram(encode_ike_message(kAnswer, {{kSa, {}}, {kKey, {}}, {kNonce, {}}})));
    EXPECT_TRUE(exchange.is_over());
}

TEST(Ikev2ExchangeTest, BringsTheCookie) {
    Ikev2Exchange exchange(kNumbers);
    const Bytes before = exchange.request();
    ASSERT_TRUE(exchange.on_datagram(notify(kCookie, {1, 2, 3})));
    EXPECT_EQ(exchange.step(), "cookie");
    EXPECT_EQ(types_of(exchange.request()), (std::vector<int>{kNotify, kSa, kKey, kNonce}));
    EXPECT_THAT(to_hex(exchange.request()), HasSubstr("00004006010203"));
    const Bytes with = exchange.request();
    ASSERT_TRUE(exchange.on_datagram(notify(kCookie, {1, 2, 3})));
    EXPECT_EQ(exchange.request(), with) << "a copy is no other cookie";
    ASSERT_TRUE(exchange.on_datagram(notify(kInvalidKe, {0, 14})));
    EXPECT_TRUE(exchange.is_over());
}

TEST(Ikev2ExchangeTest, AServerMayNotAskForCookiesForEver) {
    Ikev2Exchange exchange(kNumbers);
    for (std::uint8_t i = 1; i <= 3; ++i) {
        ASSERT_TRUE(exchange.on_datagram(notify(kCookie, {i})));
    }
    EXPECT_FALSE(exchange.on_datagram(notify(kCookie, {4})));
}

TEST(Ikev2ExchangeTest, CookiesThatAreNoneAreLeftAlone) {
    Ikev2Exchange exchange(kNumbers);
    ASSERT_TRUE(exchange.on_datagram(notify(kCookie, {})));
    ASSERT_TRUE(exchange.on_datagram(notify(kCookie, Bytes(65))));
    EXPECT_EQ(exchange.step(), "ike_sa_init");
}

TEST(Ikev2ExchangeTest, NoConnectionIsARefusal) {
    Ikev2Exchange exchange(kNumbers);
    const auto refused = exchange.on_datagram(notify(kNoProposalChosen));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::unreachable);
    EXPECT_THAT(refused.error().detail, HasSubstr("NO_PROPOSAL_CHOSEN"));
}

TEST(Ikev2ExchangeTest, AnswersToOthersChangeNothing) {
    Ikev2Exchange exchange(kNumbers);
    for (const auto change : {+[](IkeHeader& header) { header.initiator += 1; },
                              +[](IkeHeader& header) { header.version = kIkev1Version; },
                              +[](IkeHeader& header) { header.exchange = 35; },
                              +[](IkeHeader& header) { header.flags = 0; },
                              +[](IkeHeader& header) { header.message_id = 1; }}) {
        IkeHeader header = kAnswer;
        change(header);
        ASSERT_TRUE(exchange.on_datagram(notify(kInvalidKe, {0, 14}, header)));
        ASSERT_TRUE(exchange.on_datagram(notify(kNoProposalChosen, {}, header)));
    }
    ASSERT_TRUE(exchange.on_datagram(exchange.request()));
    ASSERT_TRUE(exchange.on_datagram({}));
    EXPECT_FALSE(exchange.is_over());
}

}  // namespace ikev2_exchange_test
}  // namespace vpnha::probe

// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/radius_exchange.hpp"

#include <gmock/gmock.h>

#include <utility>

#include "support/radius_builder.hpp"

namespace vpnha::probe {
namespace radius_exchange_test {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr RadiusNumbers kNumbers{.id = 9, .authenticator = {1, 2, 3}};
constexpr std::string_view kSecret = "a secret";

std::unique_ptr<RadiusExchange> exchange_of(std::string_view secret = kSecret) {
    auto bytes = adapters::SecretBytes::with_room(secret.size());
    EXPECT_TRUE(bytes && bytes->append(to_bytes(secret)));
    auto made = RadiusExchange::make(kNumbers, std::move(*bytes));
    EXPECT_TRUE(made);
    return std::move(*made);
}

// With a Response Authenticator of RFC 2865 3.
Bytes answer(std::uint8_t code, std::uint8_t id = kNumbers.id, std::string_view secret = kSecret) {
    const std::string_view attributes("\x12\x04hi", 4);
    ByteWriter writer;
    writer.u8(code).u8(id).u16(24).bytes(kNumbers.authenticator).bytes(to_bytes(attributes));
    Bytes octets = std::move(writer).take();
    Bytes signed_part = octets;
    const ByteView key = to_bytes(secret);
    signed_part.insert(signed_part.end(), key.begin(), key.end());
    std::ranges::copy(md5_of(signed_part), octets.begin() + 4);
    return octets;
}

TEST(RadiusExchangeTest, TheRequestIsSigned) {
    const Bytes request = exchange_of()->request();
    EXPECT_EQ(to_hex(ByteView(request).first(4)), "0c090033");
    ASSERT_EQ(request.size(), 0x33U);
    EXPECT_EQ(to_hex(ByteView(request).subspan(20, 2)), "5012");
    Bytes unsigned_one = request;
    std::fill_n(unsigned_one.begin() + 22, 16, std::uint8_t{0});
    const Md5 wanted = hmac_of(unsigned_one, kSecret);
    EXPECT_EQ(to_hex(ByteView(request).subspan(22, 16)), to_hex(wanted));
}

TEST(RadiusExchangeTest, EitherKindOfPortAnswers) {
    for (const int code : {2, 5}) {
        const auto exchange = exchange_of();
        ASSERT_TRUE(exchange->on_datagram(answer(static_cast<std::uint8_t>(code))));
        EXPECT_TRUE(exchange->is_over()) << code;
        EXPECT_THAT(exchange->hint(), IsEmpty());
    }
}

TEST(RadiusExchangeTest, AnotherSecretIsNoAnswerAndIsNamed) {
    const auto exchange = exchange_of();
    ASSERT_TRUE(exchange->on_datagram(answer(2, kNumbers.id, "another")));
    EXPECT_FALSE(exchange->is_over());
    EXPECT_THAT(exchange->hint(), HasSubstr("another secret"));
    ASSERT_TRUE(exchange->on_datagram(answer(2)));
    EXPECT_TRUE(exchange->is_over());
}

TEST(RadiusExchangeTest, WhatIsNoAnswerChangesNothing) {
    const auto exchange = exchange_of();
    const Bytes good = answer(2);
    for (std::size_t size = 0; size < good.size(); ++size) {
        ASSERT_TRUE(exchange->on_datagram(ByteView(good).first(size)));
    }
    Bytes short_of_its_header = good;
    short_of_its_header[3] = 19;
    ASSERT_TRUE(exchange->on_datagram(short_of_its_header));
    ASSERT_TRUE(exchange->on_datagram(answer(3)));
    ASSERT_TRUE(exchange->on_datagram(answer(2, kNumbers.id + 1)));
    EXPECT_FALSE(exchange->is_over());
    EXPECT_THAT(exchange->hint(), IsEmpty());
}

}  // namespace radius_exchange_test
}  // namespace vpnha::probe

// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/flows/model/expectation.hpp"

#include <gmock/gmock.h>

#include "services/flows/model/flow_record.hpp"
#include "support/expectation_builder.hpp"

namespace vpnha::conntrack {
namespace expectation_test {

using test::ftp_expectation;
using test::sip_expectation;

Result<Expectation> parse(const Expectation& expectation, const Bytes& payload) {
    return parse_expectation(encode_key(expectation.key).view(), payload);
}

TEST(ExpectationTest, HasTheDocumentedBytes) {
    EXPECT_EQ(to_hex(encode_key(ftp_expectation().key).view()),
              "0006"
              "cb007109"
              "c0000264"
              "0000"
              "c350");
    EXPECT_EQ(to_hex(encode_payload(ftp_expectation())),
              "1d"        // Version 1; from this address; NAT, of the reply's direction.
              "00"        // No flags.
              "00"        // Class.
              "0000012c"  // 300 s.
              "0e00060a400105cb0071099c400015"
              "03667470"
              "116e61742d666f6c6c6f772d6d6173746572"
              "00000000c350");
    EXPECT_EQ(to_hex(encode_payload(sip_expectation())),
              "11"
              "01"
              "00"
              "00000e10"
              "0e00110a400105cb00710913c413c4"
              "03736970"
              "00");
}

TEST(ExpectationTest, EachComesBackAsItWas) {
    test::Random random(1);
    for (int i = 0; i < 20'000; ++i) {
        const Expectation expectation = test::random_expectation(random);
        ASSERT_TRUE(validate(expectation)) << validate(expectation).error().detail;
        const auto parsed = parse(expectation, encode_payload(expectation));
        ASSERT_TRUE(parsed) << parsed.error().detail;
        ASSERT_EQ(*parsed, expectation);
    }
}

TEST(ExpectationTest, AnyCutOrTailIsMalformed) {
    test::Random random(2);
    for (int i = 0; i < 500; ++i) {
        const Expectation expectation = test::random_expectation(random);
        Bytes payload = encode_payload(expectation);
        for (std::size_t size = 0; size < payload.size(); ++size) {
            EXPECT_FALSE(parse(expectation,
                               Bytes(payload.begin(), payload.begin() + static_cast<long>(size))));
        }
        payload.push_back(0);
        EXPECT_FALSE(parse(expectation, payload));
    }
}

TEST(ExpectationTest, AnotherVersionIsNotRead) {
    Bytes payload = encode_payload(ftp_expectation());
    payload[0] = static_cast<std::uint8_t>((payload[0] & 0x0f) | 0x20);
    EXPECT_EQ(parse(ftp_expectation(), payload).error().code, Errc::unsupported);
}

TEST(ExpectationTest, WhatNoKernelTakesIsMalformed) {
    const auto reads = [](auto change) {
        Expectation expectation = ftp_expectation();
        change(expectation);
        return parse(expectation, encode_payload(expectation)).has_value();
    };
    EXPECT_TRUE(reads([](Expectation&) {}));
    EXPECT_FALSE(reads([](Expectation& each) { each.from_address = false; }));
    EXPECT_FALSE(reads([](Expectation& each) { each.key.original.source_part = 20; }));
    EXPECT_FALSE(reads([](Expectation& each) { each.flags = 4; }));
    EXPECT_FALSE(reads([](Expectation& each) { each.policy_class = 4; }));
    EXPECT_FALSE(reads([](Expectation& each) { each.timeout_s = UINT32_MAX; }));
    EXPECT_FALSE(reads([](Expectation& each) { each.helper = "f/p"; }));
    EXPECT_FALSE(reads([](Expectation& each) { each.function.assign(32, 'a'); }));
    EXPECT_FALSE(reads([](Expectation& each) { each.parent.zone.id = 7; }));
    EXPECT_FALSE(reads([](Expectation& each) {
        each.key.zone = each.parent.zone = {7, ZoneScope::reply};
    }));
    EXPECT_FALSE(reads([](Expectation& each) {
        each.parent.original.source = each.parent.original.destination =
            test::address("2001:db8::1");
    }));
    EXPECT_FALSE(reads([](Expectation& each) {
        each.key.protocol = 50;
        each.from_part = true;
    }));
    Bytes reply_of_no_nat = encode_payload(sip_expectation());
    reply_of_no_nat[0] |= 0x08;
    EXPECT_FALSE(parse(sip_expectation(), reply_of_no_nat));
}

TEST(ExpectationTest, OnlySipsHelperIsNamed) {
    EXPECT_FALSE(names_helper(ftp_expectation()));
    EXPECT_TRUE(names_helper(sip_expectation()));
}

}  // namespace expectation_test
}  // namespace vpnha::conntrack

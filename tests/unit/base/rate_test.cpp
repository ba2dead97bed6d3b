// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/rate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <utility>

namespace vpnha {
namespace rate_test {

using Given = std::pair<RateAttribute, std::string>;

constexpr std::uint64_t kKilobits = 1'000;
constexpr std::uint64_t kMegabits = 1'000'000;

std::optional<Rate> notified(std::initializer_list<Given> attributes) {
    RadiusRate rate;
    for (const auto& [attribute, value] : attributes) {
        static_cast<void>(rate.take(attribute, to_bytes(value)));
    }
    return rate.rate();
}

std::string octets(std::uint32_t number) {
    ByteWriter writer;
    writer.u32(number);
    return to_text(std::move(writer).take());
}

TEST(RateTest, AFileHasUnitsAndDownFirst) {
    EXPECT_EQ(parse_rate("20M/5M"), (Rate{20 * kMegabits, 5 * kMegabits}));
    EXPECT_EQ(parse_rate("1500K"), (Rate{1'500 * kKilobits, 1'500 * kKilobits}));
    EXPECT_EQ(parse_rate("1G/0"), (Rate{1'000 * kMegabits, 0}));
    EXPECT_EQ(parse_rate("0/512k"), (Rate{0, 512 * kKilobits}));
    EXPECT_EQ(parse_rate("0"), Rate{});
    for (const std::string bad : {"", "20", "20000000", "/5M", "20M/", "20M/5", "20M 5M", "20M/5M ",
                                  "-1M", "1.5M", "7K", "11G", "99999999999G", "20M/5M/1M", "M"}) {
        EXPECT_EQ(parse_rate(bad), std::nullopt) << bad;
    }
}

TEST(RateTest, WhatIsShownIsReadAgain) {
    for (const std::string text : {"20M/5M", "1500K", "1G/0", "0/512K", "0"}) {
        EXPECT_EQ(to_string(parse_rate(text).value_or(Rate{1, 1})), text);
    }
    EXPECT_EQ(to_string(Rate{20 * kMegabits + 1, 8'000}), "20000001/8K");
}

TEST(RateTest, BothDirectionsLieWithinTheBounds) {
    EXPECT_TRUE(is_sound({0, kRateMin}));
    EXPECT_TRUE(is_sound({kRateMax, 0}));
    EXPECT_FALSE(is_sound({kRateMin - 1, 0}));
    EXPECT_FALSE(is_sound({0, kRateMax + 1}));
}

// In kilobits, as accel-ppp takes them.
TEST(RateTest, AFilterIdHasOneOfSeveralForms) {
    const auto of = [](const std::string& text) {
        return notified({{RateAttribute::filter_id, text}});
    };
    const Rate both{20 * kMegabits, 5 * kMegabits};
    for (const std::string text : {"20000/5000", "20000:5000", "20000\\5000", "20M/5M", "20m/5000K",
                                   "20000000B/5M", "20000/5000 burst"}) {
        EXPECT_EQ(of(text), both) << text;
    }
    EXPECT_EQ(of("2000"), (Rate{2 * kMegabits, 2 * kMegabits}));
    EXPECT_EQ(of("0/5000"), (Rate{0, 5 * kMegabits}));
    EXPECT_EQ(of("0"), Rate{});
    // Names of filters; a time range of accel-ppp; out of bounds.
    for (const std::string text : {"", "slow", "slow/fast", "20000/fast", "std.ppp.in", "1,20000",
                                   "5", "20000000", "20000/5000/1"}) {
        EXPECT_EQ(of(text), std::nullopt) << text;
    }
}

TEST(RateTest, OfCiscoEachDirectionHasAFilterIdOfItsOwn) {
    const std::string down =
        "lcp:interface-config#1=rate-limit output 2000000 375000 750000 conform-action transmit "
        "exceed-action drop";
    const std::string up =
        "lcp:interface-config#1=rate-limit input access-group 101 1000000 187500 375000 "
        "conform-action transmit exceed-action drop";
    EXPECT_EQ(notified({{RateAttribute::filter_id, down}}), (Rate{2 * kMegabits, 0}));
    EXPECT_EQ(notified({{RateAttribute::filter_id, up}}), (Rate{0, kMegabits}));
    EXPECT_EQ(notified({{RateAttribute::filter_id, down}, {RateAttribute::filter_id, up}}),
              (Rate{2 * kMegabits, kMegabits}));
    for (const std::string text :
         {"rate-limit output ", "rate-limit output fast", "rate-limit output access-group 101",
          "rate-limit output access-group ", "rate-limit input 1000000x"}) {
        EXPECT_EQ(notified({{RateAttribute::filter_id, text}}), std::nullopt) << text;
    }
}

// A router names its own side: what it receives is what the client sends.
TEST(RateTest, MikroTikHasUpFirst) {
    const auto of = [](const std::string& text) {
        return notified({{RateAttribute::mikrotik_rate_limit, text}});
    };
    EXPECT_EQ(of("5M/20M"), (Rate{20 * kMegabits, 5 * kMegabits}));
    EXPECT_EQ(of("512k/2M 1M/4M 384k/1500k 10/10 8 256k/1M"),
              (Rate{2 * kMegabits, 512 * kKilobits}));
    EXPECT_EQ(of("2000000"), (Rate{2 * kMegabits, 2 * kMegabits}));
    EXPECT_EQ(of("5M:20M"), std::nullopt);
}

TEST(RateTest, OfWisprEachDirectionIsANumberOfBits) {
    EXPECT_EQ(notified({{RateAttribute::wispr_max_down, octets(2'000'000)}}),
              (Rate{2 * kMegabits, 0}));
    EXPECT_EQ(notified({{RateAttribute::wispr_max_down, octets(2'000'000)},
                        {RateAttribute::wispr_max_up, octets(64'000)}}),
              (Rate{2 * kMegabits, 64 * kKilobits}));
    EXPECT_EQ(notified({{RateAttribute::wispr_max_up, octets(7)}}), std::nullopt);
    EXPECT_EQ(notified({{RateAttribute::wispr_max_up, "2000000"}}), std::nullopt) << "seven octets";
}

TEST(RateTest, TheLastOneCounts) {
    EXPECT_EQ(notified({}), std::nullopt);
    EXPECT_EQ(notified({{RateAttribute::filter_id, "1000"}, {RateAttribute::filter_id, "slow"}}),
              (Rate{kMegabits, kMegabits}));
    EXPECT_EQ(notified({{RateAttribute::filter_id, "1000"},
                        {RateAttribute::wispr_max_up, octets(2'000'000)}}),
              (Rate{kMegabits, 2 * kMegabits}));
    EXPECT_EQ(notified({{static_cast<RateAttribute>(6), "1000"}}), std::nullopt);
}

TEST(RateTest, AnOrderedOneIsReadAsItWasWritten) {
    const Rate rate{20 * kMegabits + 1, 0};
    const Bytes written = encode_ordered_rate(rate);
    EXPECT_EQ(notified({{RateAttribute::ordered, to_text(written)}}), rate);
    EXPECT_EQ(notified({{RateAttribute::ordered, to_text(encode_ordered_rate({1, 1}))}}),
              std::nullopt);
    EXPECT_EQ(notified({{RateAttribute::ordered, to_text(written) + "x"}}), std::nullopt);
}

}  // namespace rate_test
}  // namespace vpnha

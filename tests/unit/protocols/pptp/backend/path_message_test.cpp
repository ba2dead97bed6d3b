// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/pptp/backend/path_message.hpp"

#include <gmock/gmock.h>

#include <algorithm>

#include "host/helper/message_socket.hpp"
#include "support/sample_call.hpp"

namespace vpnha::adapters {
namespace path_message_test {

using ::testing::SizeIs;

constexpr pptp::CallNumbers kNumbers{.snd_nxt = 1,
                                     .rcv_nxt = 2,
                                     .snd_wnd = 3,
                                     .tsval = 4,
                                     .peer_tsval = 5,
                                     .echo_id = 6,
                                     .echo_open = true,
                                     .gre_out = 7,
                                     .gre_in = 8,
                                     .mppe_out = 9,
                                     .mppe_in = 10};

TEST(PathMessageTest, AnOrderIsReadAsItWasWritten) {
    PathPrepare prepare{7, GatewayId{3}, pptp::test::sample_call(), kNumbers, pptp::StartKeys{}};
    std::ranges::fill(prepare.keys->send, 0x11);
    std::ranges::fill(prepare.keys->receive, 0x22);
    const auto read = parse_order(encode_order(prepare));
    ASSERT_TRUE(read) << read.error().detail;
    const auto& same = std::get<PathPrepare>(*read);
    EXPECT_EQ(same.call, 7U);
    EXPECT_EQ(same.gateway, GatewayId{3});
    EXPECT_EQ(same.record, pptp::test::sample_call());
    EXPECT_EQ(same.numbers, kNumbers);
    ASSERT_TRUE(same.keys);
    EXPECT_EQ(same.keys->send[15], 0x11);
    EXPECT_EQ(same.keys->receive[0], 0x22);
    const auto resume = parse_order(encode_order(PathResume{{1, 2, 3}, true, 9}));
    ASSERT_TRUE(resume);
    EXPECT_EQ(std::get<PathResume>(*resume).calls, (std::vector<PathCallNumber>{1, 2, 3}));
    EXPECT_TRUE(std::get<PathResume>(*resume).exact);
    EXPECT_EQ(std::get<PathResume>(*resume).tenure, 9);
}

TEST(PathMessageTest, AReportIsReadAsItWasWritten) {
    const PathNumbersRead numbers{GatewayId{3}, 77, false, {{5, kNumbers}, {6, kNumbers}}};
    const auto read = parse_report(encode_report(numbers));
    ASSERT_TRUE(read) << read.error().detail;
    const auto& same = std::get<PathNumbersRead>(*read);
    EXPECT_EQ(same.gateway, GatewayId{3});
    EXPECT_EQ(same.ticket, 77U);
    EXPECT_FALSE(same.last);
    EXPECT_EQ(same.calls, numbers.calls);
    PathCounters counters;
    counters.counters.resets = 3;
    counters.counters.link.rejects_withheld = 4;
    const auto counted = parse_report(encode_report(counters));
    ASSERT_TRUE(counted);
    EXPECT_EQ(std::get<PathCounters>(*counted).counters.resets, 3U);
    EXPECT_EQ(std::get<PathCounters>(*counted).counters.link.rejects_withheld, 4U);
}

TEST(PathMessageTest, TheLongestMessageGoesThroughTheSocket) {
    std::vector<NumbersOfCall> all(kPathCallsMax, NumbersOfCall{1, kNumbers});
    const Bytes bytes = encode_report(PathNumbersRead{GatewayId{3}, 77, true, all});
    EXPECT_LE(bytes.size(), MessageSocket::kMessageBytesMax);
    EXPECT_TRUE(parse_report(bytes));
    pptp::CallRecord record = pptp::test::sample_call();
    record.facts.user = std::string(255, 'u');
    record.facts.obstacle = std::string(200, 'o');
    EXPECT_LE(
        encode_order(PathPrepare{7, GatewayId{3}, record, kNumbers, pptp::StartKeys{}}).size(),
        MessageSocket::kMessageBytesMax);
}

TEST(PathMessageTest, AReportOfMoreCallsThanAreSentIsRefused) {
    std::vector<NumbersOfCall> all(kPathCallsMax, NumbersOfCall{1, kNumbers});
    Bytes bytes = encode_report(PathNumbersRead{GatewayId{3}, 77, true, all});
    // One call more, and its number in the count.
    const Bytes one(bytes.end() - 60, bytes.end());
    bytes.insert(bytes.end(), one.begin(), one.end());
    constexpr std::size_t kCountAt = 1 + 1 + 8 + 1;
    ASSERT_EQ(bytes[kCountAt] << 8 | bytes[kCountAt + 1], 256);
    bytes[kCountAt + 1] = 1;
    EXPECT_FALSE(parse_report(bytes));
}

TEST(PathMessageTest, EachOctetCounts) {
    const std::vector<Bytes> reports{
        encode_report(PathReady{"no", "locked"}),
        encode_report(CallIsResumed{5, "exact"}),
        encode_report(CallHasEnded{5, "over", EndCause::user_request}),
        encode_report(CallWantsConnection{5, {}}),
        encode_report(PathNumbersRead{GatewayId{3}, 77, true, {{5, kNumbers}}}),
        encode_report(PathCounters{})};
    for (const Bytes& report : reports) {
        for (std::size_t size = 0; size < report.size(); ++size) {
            EXPECT_FALSE(parse_report(ByteView(report).first(size))) << to_hex(report);
        }
        Bytes longer = report;
        longer.push_back(0);
        EXPECT_FALSE(parse_report(longer)) << to_hex(report);
    }
    EXPECT_FALSE(parse_report(Bytes{std::variant_size_v<PathReport>}));
    EXPECT_FALSE(parse_order(Bytes{std::variant_size_v<PathOrder>}));
}

TEST(PathMessageTest, ATextIsPrintableAndBounded) {
    const auto read = parse_report(
        encode_report(CallHasEnded{5, "a\nb\x7f" + std::string(600, 'x'), EndCause::nas_error}));
    ASSERT_TRUE(read);
    const std::string& reason = std::get<CallHasEnded>(*read).reason;
    EXPECT_EQ(reason.substr(0, 5), "a?b?x");
    EXPECT_THAT(reason, SizeIs(kPathTextBytesMax));
    Bytes bytes = encode_report(CallIsResumed{5, "exact"});
    bytes.back() = '\n';
    EXPECT_FALSE(parse_report(bytes));
}

TEST(PathMessageTest, ValuesOutOfTheirRangeAreRefused) {
    Bytes ended = encode_report(CallHasEnded{5, "", EndCause::user_request});
    ended.back() = 0;
    EXPECT_FALSE(parse_report(ended));
    ended.back() = kEndCauseMax + 1;
    EXPECT_FALSE(parse_report(ended));
    Bytes resume = encode_order(PathResume{{}, true, 0});
    resume[3] = 2;
    EXPECT_FALSE(parse_order(resume));
}

}  // namespace path_message_test
}  // namespace vpnha::adapters

// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/drill/record.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/cli/drill/sample_record.hpp"

namespace vpnha::cli::drill {
namespace record_test {

using nlohmann::json;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(RecordTest, WhatWasWrittenIsRead) {
    const Record record = sample_record();
    const auto read = parse_record(to_json(record).dump());
    ASSERT_TRUE(read) << read.error().detail;
    EXPECT_EQ(to_json(*read), to_json(record));
    const auto watch = parse_watch(to_json(record.watches.front()).dump());
    ASSERT_TRUE(watch) << watch.error().detail;
    EXPECT_EQ(to_json(*watch), to_json(record.watches.front()));
}

TEST(RecordTest, TheResultHasItsFigures) {
    const auto object = to_json(sample_record());
    EXPECT_EQ(object.at("drill"), "node-power");
    EXPECT_EQ(object.at("outcome"), "moved");
    EXPECT_EQ(object.at("good"), true);
    const auto& seen = object.at("watches").at(0).at("seen");
    EXPECT_EQ(seen.at("lost"), 6);
    EXPECT_EQ(seen.at("silence_ms"), 301);
    EXPECT_EQ(seen.at("answered_again"), true);
    EXPECT_THAT(object.at("ruled").at("timer").get<std::string>(), HasSubstr("lease"));
}

TEST(RecordTest, ForeignFilesAreRefused) {
    for (const char* text : {"", "[]", "{}", R"({"version": 2, "what": "a drill"})",
                             R"({"version": 1, "what": "a watch"})",
                             R"({"version": 1, "what": "a drill", "gateway": 7})"}) {
        EXPECT_EQ(parse_record(text).error().code, Errc::malformed) << text;
    }
    json watch = json::parse(to_json(sample_record().watches.front()).dump());
    watch["probes"][0] = json::array();
    EXPECT_EQ(parse_watch(watch.dump()).error().code, Errc::malformed);
}

TEST(RecordTest, TheSummaryHasSilenceSessionsTimerAndAdvice) {
    const auto lines = summary(sample_record());
    EXPECT_THAT(lines, Contains("gw2 serves in place of gw1"));
    EXPECT_THAT(lines, Contains(HasSubstr("192.0.2.100 from client1: silent for 301 ms, 6 of 40")));
    EXPECT_THAT(lines, Contains("of 3 sessions 3 continued, 0 ended; 1 negotiated anew"));
    EXPECT_THAT(lines, Contains(HasSubstr("what ruled: the lease")));
    EXPECT_THAT(lines, Contains(HasSubstr("what to set: a shorter duration")));
    EXPECT_THAT(lines, Contains("healthy again 20.01 s after the fault"));
}

TEST(RecordTest, WhatIsNotGoodIsNotCalledSo) {
    Record record = sample_record();
    record.sessions->lost = 1;
    EXPECT_FALSE(record.is_good());
    record = sample_record();
    record.recovered_ms.reset();
    EXPECT_FALSE(record.is_good());
    EXPECT_THAT(summary(record), Contains(HasSubstr("not healthy again yet")));
    record = sample_record();
    record.undo_trouble = "/usr/sbin/ip link set dev eth1 up";
    EXPECT_FALSE(record.is_good());
    EXPECT_THAT(summary(record), Contains("NOT UNDONE, type this: " + record.undo_trouble));
    record = sample_record();
    record.outcome = Outcome::stayed;
    EXPECT_FALSE(record.is_good());
    EXPECT_THAT(summary(record), Contains("nobody took over from gw1"));
    EXPECT_THAT(summary(record), Not(Contains(HasSubstr("what ruled"))));
}

TEST(RecordTest, ADrillThatDiedWithItsNodeAndOneThatNobodyWatchedAreNamed) {
    Record record = sample_record();
    record.outcome = Outcome::begun;
    record.watches.clear();
    record.recovered_ms.reset();
    EXPECT_THAT(summary(record), Contains(HasSubstr("the drill on gw2 did not come to its end")));
    EXPECT_THAT(summary(record), Contains(HasSubstr("nobody watched")));
    EXPECT_THAT(summary(record), Not(Contains(HasSubstr("healthy again"))));
}

}  // namespace record_test
}  // namespace vpnha::cli::drill

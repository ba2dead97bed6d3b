// SPDX-License-Identifier: GPL-2.0-or-later
#include "checkpoint/member.hpp"

#include <gmock/gmock.h>
#include <zlib.h>

#include "programs.hpp"

namespace vpnha::checkpoint::member_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Table = std::map<std::string, std::string>;

std::string reason_against(const Result<void>& done) {
    return done ? std::string() : done.error().detail;
}

Programs three_with_first_promoted() {
    Programs programs(3);
    EXPECT_TRUE(programs.promote(1));
    return programs;
}

TEST(CheckpointMemberTest, ARecordIsInstalledOnTheOthersAndConfirmed) {
    Programs programs = three_with_first_promoted();
    ASSERT_TRUE(programs.publish(1, "a", "one"));
    EXPECT_EQ(programs.at(2).table, (Table{{"a", "one"}}));
    EXPECT_EQ(programs.at(3).table, (Table{{"a", "one"}}));
    EXPECT_THAT(programs.at(1).table, IsEmpty());  // It is live there.
    EXPECT_THAT(programs.at(1).confirmed, ElementsAre("a"));
    EXPECT_TRUE(programs.at(1).member.is_confirmed("a"));
    const CheckpointState state = programs.at(1).member.state();
    EXPECT_TRUE(state.promoted && state.quorate);
    EXPECT_EQ(state.epoch, 1U);
    EXPECT_THAT(state.members, ElementsAre(1, 2, 3));
    EXPECT_THAT(state.complete_standbys, ElementsAre(2, 3));
    EXPECT_EQ(programs.at(3).member.state().holder, 1U);
}

TEST(CheckpointMemberTest, AWithdrawnRecordIsRemoved) {
    Programs programs = three_with_first_promoted();
    ASSERT_TRUE(programs.publish(1, "a", "one"));
    ASSERT_TRUE(programs.withdraw(1, "a"));
    ASSERT_TRUE(programs.withdraw(1, "never"));
    EXPECT_THAT(programs.at(2).table, IsEmpty());
    EXPECT_FALSE(programs.at(1).member.is_confirmed("a"));
}

TEST(CheckpointMemberTest, OnlyTheNewestPayloadIsConfirmed) {
    Programs programs = three_with_first_promoted();
    ASSERT_TRUE(programs.emit(1, "a", "one"));
    ASSERT_TRUE(programs.emit(1, "a", "two"));
    EXPECT_FALSE(programs.at(1).member.is_confirmed("a"));
    programs.settle();
    EXPECT_EQ(programs.at(2).table, (Table{{"a", "two"}}));
    EXPECT_THAT(programs.at(1).confirmed, ElementsAre("a"));
}

TEST(CheckpointMemberTest, WhatEveryStandbyRefusesIsNotConfirmedUntilOneTakesIt) {
    Programs programs = three_with_first_promoted();
    programs.at(2).refuses = programs.at(3).refuses = {"a"};
    ASSERT_TRUE(programs.publish(1, "a", "one"));
    ASSERT_TRUE(programs.publish(1, "b", "two"));
    EXPECT_THAT(programs.at(1).confirmed, ElementsAre("b"));
    programs.at(3).refuses = {};
    programs.pass(limits::kInstallRetryFirst);
    EXPECT_THAT(programs.at(1).confirmed, ElementsAre("b", "a"));
}

TEST(CheckpointMemberTest, TheNextOneContinuesWithAllThatWasConfirmed) {
    Programs programs = three_with_first_promoted();
    ASSERT_TRUE(programs.publish(1, "a", "one"));
    programs.leave(1);
    ASSERT_TRUE(programs.promote(2));
    EXPECT_EQ(programs.at(2).table, (Table{{"a", "one"}}));
    ASSERT_TRUE(programs.publish(2, "b", "two"));
    EXPECT_EQ(programs.at(3).table, (Table{{"a", "one"}, {"b", "two"}}));
    EXPECT_EQ(programs.at(2).member.state().epoch, 2U);
    EXPECT_TRUE(programs.at(2).member.is_confirmed("a"));
    // It comes back with nothing, and gets all.
    programs.join(1);
    EXPECT_EQ(programs.at(1).table, (Table{{"a", "one"}, {"b", "two"}}));
    EXPECT_EQ(programs.at(1).member.state().level, CheckpointState::Level::complete);
}

TEST(CheckpointMemberTest, WithoutAHolderNothingIsDueAllTheTime) {
    Programs programs = three_with_first_promoted();
    for (int i = 0; i < 100; ++i) {
        ASSERT_TRUE(programs.publish(1, "key " + std::to_string(i), "one"));
    }
    ASSERT_TRUE(programs.emit(1, "late", "one"));
    ASSERT_TRUE(programs.emit(1, "later", "one"));
    programs.leave(1);
    for (int i = 0; i < 100; ++i) {
        programs.pass(std::chrono::milliseconds(100));
        for (const std::uint32_t node : {2U, 3U}) {
            const auto due = programs.at(node).member.next_deadline();
            EXPECT_TRUE(!due || *due > programs.now()) << node << " after " << i;
        }
    }
}

TEST(CheckpointMemberTest, WhoMissesRecordsIsNotPromotedWhileAnotherOneHasThem) {
    Programs programs(3);
    ASSERT_TRUE(programs.promote(1));
    programs.leave(3);
    ASSERT_TRUE(programs.publish(1, "a", "one"));
    programs.leave(1);
    programs.come(3);
    EXPECT_THAT(reason_against(programs.claim(3)), HasSubstr("node 2 has not introduced itself"));
    while (reason_against(programs.claim(3)) ==
           "node 2 has not introduced itself to the group yet") {
        programs.deliver_one();
    }
    EXPECT_EQ(reason_against(programs.claim(3)), "node 2 has records that this one has yet to get");
    programs.settle();
    EXPECT_TRUE(programs.promote(3));
    EXPECT_EQ(programs.at(3).table, (Table{{"a", "one"}}));
}

TEST(CheckpointMemberTest, WithoutTheQuorumNobodyIsPromotedAndNothingConfirmed) {
    Programs programs = three_with_first_promoted();
    programs.split({1});
    EXPECT_FALSE(programs.at(1).member.state().quorate);
    ASSERT_TRUE(programs.publish(1, "a", "one"));
    EXPECT_THAT(programs.at(1).confirmed, IsEmpty());
    programs.stand_by(1);
    EXPECT_THAT(reason_against(programs.promote(1)), HasSubstr("no quorum"));
}

TEST(CheckpointMemberTest, WhoReturnsFromALostPartitionGivesUpWhatItWroteThere) {
    Programs programs = three_with_first_promoted();
    ASSERT_TRUE(programs.publish(1, "a", "one"));
    programs.split({1});
    ASSERT_TRUE(programs.publish(1, "lost", "here"));
    ASSERT_TRUE(programs.promote(2));
    ASSERT_TRUE(programs.publish(2, "b", "two"));
    programs.split({});
    const CheckpointState state = programs.at(1).member.state();
    EXPECT_FALSE(state.promoted);
    EXPECT_EQ(state.holder, 2U);
    EXPECT_EQ(state.level, CheckpointState::Level::complete);
    EXPECT_EQ(programs.at(1).table, (Table{{"a", "one"}, {"b", "two"}}));
    EXPECT_EQ(programs.publish(1, "c", "three").error().code, Errc::stale_epoch);
}

TEST(CheckpointMemberTest, AnotherSideIsReceivedBeforeSomebodyIsPromoted) {
    Programs programs = three_with_first_promoted();
    ASSERT_TRUE(programs.publish(1, "a", "one"));
    programs.split({3});
    ASSERT_TRUE(programs.publish(1, "b", "two"));
    programs.stand_by(1);
    programs.meet();
    // Complete in its own eyes, of an epoch that the others are in as well, with nobody promoted.
    EXPECT_THAT(reason_against(programs.claim(3)), HasSubstr("introduced"));
    programs.settle();
    EXPECT_EQ(programs.at(3).table, (Table{{"a", "one"}, {"b", "two"}}));
}

TEST(CheckpointMemberTest, OfTwoThatArePromotedTheLastOneKeepsTheRole) {
    Programs programs = three_with_first_promoted();
    ASSERT_TRUE(programs.publish(1, "a", "one"));
    ASSERT_TRUE(programs.promote(2));
    EXPECT_FALSE(programs.at(1).member.state().promoted);
    EXPECT_EQ(programs.at(1).member.state().holder, 2U);
    // What it dealt with as its own comes to it like to any standby.
    EXPECT_EQ(programs.at(1).table, (Table{{"a", "one"}}));
    ASSERT_TRUE(programs.publish(2, "a", "two"));
    EXPECT_EQ(programs.at(1).table, (Table{{"a", "two"}}));
}

TEST(CheckpointMemberTest, BothClaimAtOnceAndOneOfThemIsLeft) {
    Programs programs(3);
    ASSERT_TRUE(programs.claim(1));
    ASSERT_TRUE(programs.claim(2));
    programs.settle();
    EXPECT_FALSE(programs.at(1).member.state().promoted);
    EXPECT_TRUE(programs.at(2).member.state().promoted);
    EXPECT_EQ(programs.at(3).member.state().holder, 2U);
}

TEST(CheckpointMemberTest, WhoStandsByHasAllRecordsInstalledAnew) {
    Programs programs = three_with_first_promoted();
    ASSERT_TRUE(programs.publish(1, "a", "one"));
    programs.stand_by(1);
    EXPECT_EQ(programs.at(1).table, (Table{{"a", "one"}}));
    EXPECT_EQ(programs.at(3).member.state().holder, 0U);
    ASSERT_TRUE(programs.promote(3));
    ASSERT_TRUE(programs.publish(3, "b", "two"));
    EXPECT_THAT(programs.at(3).confirmed, ElementsAre("b"));
}

TEST(CheckpointMemberTest, WhatIsTooLongOrTooMuchIsRefused) {
    Programs programs = three_with_first_promoted();
    const std::string long_id(kCheckpointIdBytesMax + 1, 'i');
    const std::string long_payload(kCheckpointPayloadBytesMax + 1, 'p');
    EXPECT_EQ(programs.publish(1, long_id, "").error().code, Errc::invalid_argument);
    EXPECT_EQ(programs.publish(1, "a", long_payload).error().code, Errc::invalid_argument);
    EXPECT_EQ(programs.withdraw(1, long_id).error().code, Errc::invalid_argument);
    EXPECT_FALSE(programs.at(1).member.is_confirmed(long_id));
    ASSERT_TRUE(programs.publish(1, long_id.substr(1), long_payload.substr(1)));
    EXPECT_EQ(programs.at(2).table[long_id.substr(1)], long_payload.substr(1));
    EXPECT_EQ(programs.publish(2, "a", "one").error().code, Errc::stale_epoch);
    for (std::size_t i = 1; i < kCheckpointRecordsMax; ++i) {
        ASSERT_TRUE(programs.emit(1, std::to_string(i), ""));
    }
    EXPECT_EQ(programs.emit(1, "one more", "").error().code, Errc::limit);
}

TEST(CheckpointMemberTest, NothingIsReportedWhileTheGroupTakesNothing) {
    Programs programs = three_with_first_promoted();
    programs.set_writable(1, false);
    ASSERT_TRUE(programs.emit(1, "a", "one"));
    EXPECT_THAT(programs.queue(), IsEmpty());
    EXPECT_EQ(programs.at(1).member.next_deadline(), std::nullopt);
    programs.set_writable(1, true);
    programs.settle();
    EXPECT_THAT(programs.at(1).confirmed, ElementsAre("a"));
}

TEST(CheckpointMemberTest, BytesThatAreNoMessageAreDroppedAndTheRecordsAskedForAgain) {
    Programs programs = three_with_first_promoted();
    ASSERT_TRUE(programs.publish(1, "a", "one"));
    for (const Bytes& bytes : {Bytes{}, Bytes(3, 0xff), Bytes(60'000, 0x56)}) {
        programs.handle(2, 1, bytes);
        programs.handle(2, 3, bytes);
        programs.handle(1, 2, bytes);
    }
    EXPECT_EQ(programs.at(2).member.state().level, CheckpointState::Level::complete);
    EXPECT_EQ(programs.at(2).table, (Table{{"a", "one"}}));
}

TEST(CheckpointMemberTest, AMemberOfAnUnknownWireVersionTakesNoPart) {
    Programs programs(2);
    programs.leave(2);
    ByteWriter later;
    later.u32(0x56504e48).u8(99);
    later.u32(static_cast<std::uint32_t>(crc32_z(0, later.view().data(), later.view().size())));
    programs.come(2);
    EXPECT_FALSE(programs.claim(1));
    programs.handle_only(1, 2, later.view());
    EXPECT_TRUE(programs.claim(1));
}

TEST(CheckpointMemberTest, ARecordOfAnotherTypeIsNotThePrograms) {
    Programs programs = three_with_first_promoted();
    const wire::Update strange{
        GatewayId{1},
        {1, NodeId{1}},
        0,
        {{{wire::RecordType::l2tp_session, wire::RecordId(Bytes{1})}, false, Bytes{1}}}};
    programs.handle(2, 1, wire::Dialects().encode(strange, 1));
    EXPECT_EQ(programs.at(2).installs, 0U);
    EXPECT_THAT(programs.at(2).table, IsEmpty());
}

TEST(CheckpointMemberTest, WhatIsAwaitedWithoutAStandbyStaysBounded) {
    Programs programs(1);
    ASSERT_TRUE(programs.promote(1));
    for (int i = 0; i < 5000; ++i) {
        ASSERT_TRUE(programs.publish(1, "a", std::to_string(i)));
    }
    EXPECT_LE(programs.at(1).member.awaited(), 1100U);
    programs.join(2);
    EXPECT_EQ(programs.at(2).table, (Table{{"a", "4999"}}));
    EXPECT_THAT(programs.at(1).confirmed, ElementsAre("a"));
}

}  // namespace
}  // namespace vpnha::checkpoint::member_test

// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/node/node.hpp"

#include <gmock/gmock.h>

#include <array>

#include "fake_cluster.hpp"
#include "sample_session.hpp"

namespace vpnha::node {
namespace node_test {

using takeover::Step;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(NodeTest, ANewSessionIsHotOnStandbysAndItsPluginIsNotified) {
    FakeCluster cluster = with_one_session();
    EXPECT_EQ(cluster.at(1).plugins.at(7), "");
    EXPECT_THAT(cluster.at(2).kernel, ElementsAre(session(1).key));
    EXPECT_THAT(cluster.at(3).kernel, ElementsAre(session(1).key));
    EXPECT_THAT(cluster.at(1).kernel, IsEmpty());
    EXPECT_EQ(state_of_only_session(cluster.at(1)), keepers::SessionState::protected_);
    EXPECT_EQ(state_of_only_session(cluster.at(2)), keepers::SessionState::hot);
}

TEST(NodeTest, APluginWaitsForTheConfiguredTimeAndNoLonger) {
    FakeCluster cluster(2);
    ASSERT_TRUE(cluster.promote(1).has_value());
    cluster.hold(true);
    cluster.run(1, cluster.at(1).node->on_plugin_up(7, "l2tp", stock_session(session(1)), "",
                                                    cluster.now()));
    cluster.pass(std::chrono::milliseconds(49));
    EXPECT_THAT(cluster.at(1).plugins, IsEmpty());
    cluster.pass(std::chrono::milliseconds(2));
    EXPECT_THAT(cluster.at(1).plugins.at(7), HasSubstr("no standby"));
    EXPECT_EQ(state_of_only_session(cluster.at(1)), keepers::SessionState::unprotected);
    cluster.hold(false);
    EXPECT_EQ(state_of_only_session(cluster.at(1)), keepers::SessionState::protected_);
}

TEST(NodeTest, ADeadHoldersSessionIsResumedAndSpeaksToItsPeer) {
    FakeCluster cluster = with_one_session();
    cluster.kill(1);
    EXPECT_THAT(cluster.at(2).datagrams, IsEmpty());
    ASSERT_TRUE(cluster.promote(2).has_value());
    EXPECT_THAT(cluster.at(2).steps,
                ElementsAre(Step::add_addresses, Step::open_gate, Step::announce));
    EXPECT_THAT(cluster.at(2).datagrams, SizeIs(1));  // The probe that learns Ns and Nr.
    EXPECT_THAT(cluster.at(3).datagrams, IsEmpty());
    EXPECT_EQ(state_of_only_session(cluster.at(2)), keepers::SessionState::resumed);
    EXPECT_EQ(state_of_only_session(cluster.at(3)), keepers::SessionState::hot);
}

TEST(NodeTest, TheNthFailoverWorksLikeTheFirst) {
    FakeCluster cluster = with_one_session();
    std::uint32_t promoted = 1;
    for (int round = 0; round < 6; ++round) {
        cluster.kill(promoted);
        const std::uint32_t successor = promoted % 3 + 1;
        ASSERT_TRUE(cluster.promote(successor).has_value());
        cluster.start(promoted);
        EXPECT_EQ(cluster.at(promoted).kernel, std::set{session(1).key}) << round;
        EXPECT_EQ(state_of_only_session(cluster.at(successor)), keepers::SessionState::resumed)
            << round;
        promoted = successor;
    }
    EXPECT_EQ(cluster.at(promoted).node->find(kGateway)->cores().replica.epoch().number, 7U);
}

TEST(NodeTest, AnOrderlyEndLeavesNothingAnywhere) {
    FakeCluster cluster = with_one_session();
    cluster.run(1, cluster.at(1).node->on_plugin_down(7, cluster.now()));
    for (const std::uint32_t node : {1U, 2U, 3U}) {
        EXPECT_THAT(cluster.at(node).kernel, IsEmpty()) << node;
        EXPECT_THAT(cluster.at(node).node->find(kGateway)->cores().keepers.sessions(), IsEmpty())
            << node;
    }
}

TEST(NodeTest, ADemotionKeepsTheRecordAndTurnsTheStockSessionHot) {
    FakeCluster cluster = with_one_session();
    ASSERT_TRUE(cluster.demote(1).has_value());
    EXPECT_THAT(cluster.at(1).steps, Contains(Step::reset_services));
    // The killed pppd's connection ends now: that must not erase a session which lives on.
    cluster.run(1, cluster.at(1).node->on_plugin_down(7, cluster.now()));
    EXPECT_THAT(cluster.at(1).kernel, ElementsAre(session(1).key));
    ASSERT_TRUE(cluster.promote(2).has_value());
    EXPECT_EQ(state_of_only_session(cluster.at(2)), keepers::SessionState::resumed);
}

l2tp::SessionRecord negotiated_anew() {
    l2tp::SessionRecord record = session(1);
    ++record.facts.established_unix_ms;
    return record;
}

TEST(NodeTest, AStockSessionThatADemotionCouldNotEndTakesThePlaceOfItsHotHalf) {
    FakeCluster cluster = with_one_session();
    ASSERT_TRUE(cluster.demote(1).has_value());
    ASSERT_TRUE(cluster.promote(1).has_value());
    ASSERT_EQ(state_of_only_session(cluster.at(1)), keepers::SessionState::resumed);
    cluster.run(1, cluster.at(1).node->on_plugin_up(7, "l2tp", stock_session(negotiated_anew()), "",
                                                    cluster.now()));
    EXPECT_THAT(cluster.at(1).kernel, IsEmpty());
    EXPECT_EQ(state_of_only_session(cluster.at(1)), keepers::SessionState::protected_);
    const std::size_t emitted = cluster.at(1).datagrams.size();
    cluster.pass(std::chrono::minutes(3));
    EXPECT_THAT(cluster.at(1).datagrams, SizeIs(emitted)) << "two speak in one tunnel";
    EXPECT_EQ(state_of_only_session(cluster.at(2)), keepers::SessionState::hot);
    cluster.run(1, cluster.at(1).node->on_plugin_down(7, cluster.now()));
    EXPECT_THAT(cluster.at(1).node->find(kGateway)->cores().keepers.sessions(), IsEmpty());
}

TEST(NodeTest, AHotHalfThatIsAnsweredLateIsNotResumedBesideItsStockSession) {
    FakeCluster cluster = with_one_session();
    cluster.at(1).answers_installs = false;
    ASSERT_TRUE(cluster.demote(1).has_value());
    ASSERT_TRUE(cluster.promote(1).has_value());
    cluster.run(1, cluster.at(1).node->on_plugin_up(7, "l2tp", stock_session(negotiated_anew()), "",
                                                    cluster.now()));
    cluster.answer_install(1, {});
    EXPECT_EQ(state_of_only_session(cluster.at(1)), keepers::SessionState::protected_);
    EXPECT_THAT(cluster.at(1).datagrams, IsEmpty());
}

TEST(NodeTest, AFailedPromotionAnswersWithTheStepAndFallsSilent) {
    FakeCluster cluster = with_one_session();
    cluster.kill(1);
    cluster.at(2).failing = {Step::add_addresses};
    const Result<void> answer = cluster.promote(2);
    ASSERT_FALSE(answer.has_value());
    EXPECT_THAT(answer.error().detail, HasSubstr("add_addresses: device is gone"));
    EXPECT_THAT(cluster.at(2).steps, Contains(Step::shut_gate));
    EXPECT_THAT(cluster.at(2).datagrams, IsEmpty());
    ASSERT_TRUE(cluster.promote(3).has_value());
    EXPECT_EQ(state_of_only_session(cluster.at(3)), keepers::SessionState::resumed);
}

TEST(NodeTest, NobodyIsPromotedBesideAHolderThatLives) {
    FakeCluster cluster = with_one_session();
    const Result<void> answer = cluster.promote(2);
    ASSERT_FALSE(answer.has_value());
    EXPECT_THAT(answer.error().detail, HasSubstr("no majority of the voters"));
    EXPECT_TRUE(cluster.gate_open(1));
    EXPECT_EQ(cluster.state(1), takeover::State::promoted);
    EXPECT_EQ(cluster.state(2), takeover::State::standby);
}

TEST(NodeTest, ASessionThatNoKernelTakesIsShownAsUnprotected) {
    FakeCluster cluster(2);
    ASSERT_TRUE(cluster.promote(1).has_value());
    cluster.at(2).refuses_sessions = true;
    cluster.run(1, cluster.at(1).node->on_plugin_up(7, "l2tp", stock_session(session(1)), "",
                                                    cluster.now()));
    EXPECT_EQ(state_of_only_session(cluster.at(1)), keepers::SessionState::unprotected);
    EXPECT_EQ(state_of_only_session(cluster.at(2)), keepers::SessionState::quarantined);
}

TEST(NodeTest, ASessionThatCannotBeResumedIsEndedByTheSuccessor) {
    FakeCluster cluster(3);
    ASSERT_TRUE(cluster.promote(1).has_value());
    cluster.run(1, cluster.at(1).node->on_plugin_up(7, "l2tp", stock_session(session(1)),
                                                    "uses MPPE", cluster.now()));
    EXPECT_EQ(cluster.at(1).plugins.at(7), "uses MPPE");
    EXPECT_EQ(cluster.at(1).node->find(kGateway)->cores().keepers.sessions().front().reason,
              "uses MPPE");
    for (const std::uint32_t node : {1U, 2U, 3U}) {
        EXPECT_EQ(state_of_only_session(cluster.at(node)), keepers::SessionState::unprotected);
    }
    cluster.kill(1);
    ASSERT_TRUE(cluster.promote(2).has_value());
    EXPECT_THAT(cluster.at(2).node->find(kGateway)->cores().keepers.sessions(), IsEmpty());
    EXPECT_THAT(cluster.at(2).datagrams, Not(IsEmpty()));
    ASSERT_THAT(cluster.at(2).frames, SizeIs(2)) << "LCP's Discard-Request and Terminate-Request";
    EXPECT_EQ(to_hex(cluster.at(2).frames.back()).substr(0, 6), "c02105");
    EXPECT_EQ(cluster.replica(3).store().size_of(wire::Service::session), 0U);
}

// 100 a second: each client dials again at once.
TEST(NodeTest, SessionsThatCannotBeResumedAreEndedAtAPace) {
    FakeCluster cluster(3);
    ASSERT_TRUE(cluster.promote(1).has_value());
    constexpr std::uint16_t kSessions = 60;
    for (std::uint16_t i = 1; i <= kSessions; ++i) {
        cluster.run(1, cluster.at(1).node->on_plugin_up(i, "l2tp", stock_session(session(i)),
                                                        "uses MPPE", cluster.now()));
    }
    cluster.kill(1);
    ASSERT_TRUE(cluster.promote(2).has_value());
    const auto left = [&] {
        return cluster.at(2).node->find(kGateway)->cores().keepers.sessions().size();
    };
    for (int i = 0; i < 20; ++i) {
        cluster.pass(std::chrono::milliseconds(10));
    }
    EXPECT_GE(left(), kSessions - 21U);
    EXPECT_LE(left(), kSessions - 15U);
    for (int i = 0; i < 100; ++i) {
        cluster.pass(std::chrono::milliseconds(10));
    }
    EXPECT_EQ(left(), 0U);
    EXPECT_EQ(std::count_if(cluster.at(2).frames.begin(), cluster.at(2).frames.end(),
                            [](const Bytes& frame) {
                                return to_hex(frame).starts_with("c02105");  // Terminate-Request.
                            }),
              kSessions);
    EXPECT_EQ(cluster.replica(3).store().size_of(wire::Service::session), 0U);
}

TEST(NodeTest, ASessionShowsWhatElseIsItsClients) {
    FakeCluster cluster(2);
    ASSERT_TRUE(cluster.promote(1).has_value());
    l2tp::SessionRecord record = session(1);
    record.facts.ipv6 = {1, 0x2a};
    record.facts.routes = {*parse_ip_prefix("2001:db8:51::/64")};
    cluster.run(
        1, cluster.at(1).node->on_plugin_up(7, "l2tp", stock_session(record), "", cluster.now()));
    EXPECT_THAT(cluster.at(2).node->find(kGateway)->cores().keepers.sessions().front().networks,
                ElementsAre("fe80::2a", "2001:db8:51::/64"));
}

TEST(NodeTest, ASessionThatCannotBeResumedAnyMoreIsEndedToo) {
    FakeCluster cluster = with_one_session();
    cluster.run(1, cluster.at(1).node->on_plugin_up(7, "l2tp", stock_session(session(1)),
                                                    "CCP is open", cluster.now()));
    EXPECT_EQ(state_of_only_session(cluster.at(2)), keepers::SessionState::unprotected);
    ASSERT_TRUE(cluster.begin_demote(1).has_value());
    ASSERT_TRUE(cluster.promote(2).has_value());
    EXPECT_THAT(cluster.at(2).node->find(kGateway)->cores().keepers.sessions(), IsEmpty());
    EXPECT_EQ(cluster.replica(3).store().size_of(wire::Service::session), 0U);
}

TEST(NodeTest, APluginOfAnUnpromotedOrUnknownGatewayIsInformed) {
    FakeCluster cluster(2);
    cluster.run(2, cluster.at(2).node->on_plugin_up(7, "l2tp", stock_session(session(1)), "",
                                                    cluster.now()));
    EXPECT_THAT(cluster.at(2).plugins.at(7), HasSubstr("not promoted"));
    cluster.run(2, cluster.at(2).node->on_plugin_up(8, "lt2p", stock_session(session(1)), "",
                                                    cluster.now()));
    EXPECT_THAT(cluster.at(2).plugins.at(8), HasSubstr("no gateway 'lt2p'"));
}

TEST(NodeTest, AScoreIsWrittenOnceItHasSettledAndHeldBackWhileNobodyServes) {
    FakeCluster cluster(3);
    EXPECT_THAT(cluster.at(2).scores, ElementsAre(kScoreEmpty));
    ASSERT_TRUE(cluster.promote(1).has_value());
    EXPECT_THAT(cluster.at(2).scores, ElementsAre(kScoreEmpty));
    cluster.pass(kScoreSettle);
    EXPECT_THAT(cluster.at(2).scores, ElementsAre(kScoreEmpty, kScoreComplete));
    cluster.kill(1);
    cluster.start(4);  // Complete within no time; but nobody serves.
    cluster.pass(std::chrono::seconds(5));
    EXPECT_EQ(cluster.replica(4).level(), wire::Level::complete);
    EXPECT_THAT(cluster.at(4).scores, ElementsAre(kScoreEmpty));
    ASSERT_TRUE(cluster.promote(2).has_value());
    cluster.pass(kScoreSettle);
    EXPECT_THAT(cluster.at(4).scores, ElementsAre(kScoreEmpty, kScoreComplete));
}

TEST(NodeTest, AResyncThatIsOverAtOnceIsNoNewsForPacemaker) {
    FakeCluster cluster = with_one_session();
    cluster.pass(kScoreSettle);
    const std::uint64_t before = cluster.replica(2).counters().resyncs;
    cluster.run(2, cluster.at(2).node->resync(77, kGateway, cluster.now()));
    cluster.pass(std::chrono::seconds(5));
    EXPECT_EQ(cluster.replica(2).counters().resyncs, before + 1);
    EXPECT_THAT(cluster.at(2).scores, ElementsAre(kScoreEmpty, kScoreComplete));
}

TEST(NodeTest, ANodeThatAttachesAfterTheHellosKnowsWhoServes) {
    FakeCluster cluster = with_one_session();
    cluster.kill(3);
    cluster.start(3);
    EXPECT_EQ(cluster.replica(3).holder(), NodeId{1});
    EXPECT_EQ(cluster.replica(3).level(), wire::Level::complete);
}

TEST(NodeTest, GratuitousArpIsRepeated) {
    FakeCluster cluster(2);
    ASSERT_TRUE(cluster.promote(1).has_value());
    cluster.pass(std::chrono::seconds(11));
    EXPECT_EQ(cluster.at(1).announcements, 4);
}

TEST(NodeTest, ADetachedGatewayLeavesNothingInTheKernel) {
    FakeCluster cluster = with_one_session();
    ASSERT_TRUE(cluster.detach(2).has_value());
    cluster.pass(kOthersHaveThem);
    EXPECT_TRUE(cluster.at(2).detached);
    EXPECT_THAT(cluster.at(2).kernel, IsEmpty());
    EXPECT_FALSE(cluster.at(2).node->any_attached());
    EXPECT_EQ(state_of_only_session(cluster.at(1)), keepers::SessionState::protected_);
}

TEST(NodeTest, AStopOfWhatIsNotAttachedIsAnsweredAndLeavesNothingAttached) {
    FakeCluster cluster(2);
    for (int stop = 0; stop < 2; ++stop) {
        cluster.at(2).detached = false;
        EXPECT_TRUE(cluster.detach(2).has_value());
        EXPECT_TRUE(cluster.at(2).detached) << stop;
    }
}

int records_read = 0;

Result<wire::Message> parse_and_count(ByteReader& in) {
    Result<wire::Message> message = wire::version_1().parse(in);
    if (const auto* update = message ? std::get_if<wire::Update>(&*message) : nullptr) {
        records_read += static_cast<int>(update->changes.size());
    }
    return message;
}

TEST(NodeTest, WithoutAGatewayNoRecordIsRead) {
    const wire::Codec& real = wire::version_1();
    const std::array<wire::Codec, 1> codecs{
        wire::Codec{real.version, real.encode, parse_and_count, real.parse_own}};
    FakeCluster cluster(1);
    cluster.settings().codecs = codecs;
    cluster.start(2);
    ASSERT_TRUE(cluster.promote(1).has_value());
    records_read = 0;
    cluster.run(1, cluster.at(1).node->on_plugin_up(7, "l2tp", stock_session(session(1)), "",
                                                    cluster.now()));
    EXPECT_EQ(records_read, 1);
    ASSERT_TRUE(cluster.detach(2).has_value());
    cluster.pass(kOthersHaveThem);
    cluster.run(1, cluster.at(1).node->on_plugin_up(8, "l2tp", stock_session(session(2)), "",
                                                    cluster.now()));
    cluster.pass(std::chrono::seconds(2));
    EXPECT_EQ(records_read, 1);
    EXPECT_EQ(cluster.at(2).node->counters().messages_malformed, 0U);
}

TEST(NodeTest, AGatewayThatIsStoppedAndStartedStillWithholdsRecords) {
    const wire::Codec& real = wire::version_1();
    const std::array<wire::Codec, 1> codecs{
        wire::Codec{real.version, real.encode, parse_and_count, real.parse_own}};
    FakeCluster cluster(1);
    cluster.settings().codecs = codecs;
    cluster.start(2);
    cluster.run(1, cluster.at(1).node->withhold_records(true, cluster.now()));
    ASSERT_TRUE(cluster.detach(1).has_value());
    cluster.pass(kOthersHaveThem);
    ASSERT_TRUE(cluster.attach(1).has_value());
    ASSERT_TRUE(cluster.promote(1).has_value());
    records_read = 0;
    cluster.run(1, cluster.at(1).node->on_plugin_up(7, "l2tp", stock_session(session(1)), "",
                                                    cluster.now()));
    cluster.pass(std::chrono::seconds(2));
    EXPECT_EQ(records_read, 0);
    cluster.run(1, cluster.at(1).node->withhold_records(false, cluster.now()));
    cluster.pass(std::chrono::seconds(2));
    EXPECT_EQ(records_read, 1);
}

TEST(NodeTest, BytesThatAreNoMessageAreCountedAndDropped) {
    FakeCluster cluster(1);
    const Bytes noise{1, 2, 3, 4, 5, 6, 7, 8};
    cluster.run(1, cluster.at(1).node->on_group_message(NodeId{1}, noise, cluster.now()));
    EXPECT_EQ(cluster.at(1).node->counters().messages_malformed, 1U);
}

TEST(NodeTest, ABlockedGroupGetsOneUpdateForManyChanges) {
    FakeCluster cluster(2);
    ASSERT_TRUE(cluster.promote(1).has_value());
    cluster.run(1, cluster.at(1).node->set_group_writable(false, cluster.now()));
    for (std::uint16_t i = 1; i <= 20; ++i) {
        cluster.run(1, cluster.at(1).node->on_plugin_up(i, "l2tp", stock_session(session(i)), "",
                                                        cluster.now()));
    }
    EXPECT_THAT(cluster.at(2).kernel, IsEmpty());
    const Effects due = cluster.at(1).node->set_group_writable(true, cluster.now());
    EXPECT_EQ(std::count_if(
                  due.begin(), due.end(),
                  [](const Effect& effect) { return std::holds_alternative<SendToGroup>(effect); }),
              1);
    cluster.run(1, due);
    EXPECT_THAT(cluster.at(2).kernel, SizeIs(20));
}

}  // namespace node_test
}  // namespace vpnha::node

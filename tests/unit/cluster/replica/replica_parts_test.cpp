// SPDX-License-Identifier: GPL-2.0-or-later
// The parts of a replica, each on its own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cluster/replica/install_retry.hpp"
#include "cluster/replica/on_their_way.hpp"
#include "cluster/replica/peers.hpp"
#include "cluster/replica/unsent.hpp"

namespace vpnha::replica {
namespace replica_parts_test {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr TimePoint kStart{seconds(1000)};
constexpr TimePoint kNow{};
constexpr Epoch kEpoch{3, NodeId{1}};

wire::RecordKey key_of(wire::RecordType type, std::uint8_t number) {
    wire::RecordKey key;
    key.type = type;
    key.id = wire::RecordId(Bytes{number});
    return key;
}

const wire::RecordKey kSession = key_of(wire::RecordType::l2tp_session, 1);
const wire::RecordKey kFlow = key_of(wire::RecordType::flow, 2);

std::vector<wire::RecordKey> take_due(Unsent& unsent, TimePoint now) {
    std::vector<wire::RecordKey> taken;
    unsent.each_due(now, [&taken](Unsent::Keys& keys) {
        taken.insert(taken.end(), keys.begin(), keys.end());
        keys.clear();
    });
    return taken;
}

bool always(const wire::RecordKey& /*key*/) {
    return true;
}

TEST(UnsentTest, ASessionIsDueAtOnceAndAFlowWaitsForOthers) {
    Unsent unsent;
    unsent.push(kFlow, always);
    unsent.push(kSession, always);
    EXPECT_EQ(unsent.size(), 2U);
    EXPECT_THAT(take_due(unsent, kStart), ElementsAre(kSession));
    EXPECT_EQ(unsent.next_due(), kStart + limits::kGatherPause);
    EXPECT_THAT(take_due(unsent, kStart + limits::kGatherPause), ElementsAre(kFlow));
    EXPECT_EQ(unsent.next_due(), std::nullopt);
}

TEST(UnsentTest, WhatIsNotTakenStaysDue) {
    Unsent unsent;
    unsent.push(kFlow, always);
    unsent.each_due(kStart, [](Unsent::Keys& /*keys*/) {});
    const TimePoint later = kStart + limits::kGatherPause;
    unsent.each_due(later, [](Unsent::Keys& /*keys*/) {});
    EXPECT_EQ(unsent.next_due(), later);
    EXPECT_THAT(take_due(unsent, later), ElementsAre(kFlow));
}

TEST(UnsentTest, ASessionThatHasComeAndGoneIsDropped) {
    Unsent unsent;
    unsent.push(kSession, always);
    unsent.drop_session(kSession);
    EXPECT_THAT(take_due(unsent, kStart), IsEmpty());
}

wire::Update update(std::uint64_t base) {
    return {GatewayId{1}, kEpoch, base, {}};
}

TEST(OnTheirWayTest, WhatCameBackMakesRoomAndIsDelivered) {
    OnTheirWay way;
    std::uint64_t sent = 0;
    for (; way.takes_update(); ++sent) {
        way.update_sent(sent, sent + 1);
    }
    EXPECT_EQ(sent, limits::kUpdatesOnTheirWay);
    way.update_came(update(0), kEpoch);
    EXPECT_TRUE(way.takes_update());
    EXPECT_EQ(way.delivered(), 1U);
}

TEST(OnTheirWayTest, AnUpdateOfAnOlderEpochMakesRoomAndDeliversNothing) {
    OnTheirWay way;
    way.update_sent(0, 7);
    way.begin_epoch();
    way.update_sent(0, 2);
    way.update_came({GatewayId{1}, Epoch{2, NodeId{1}}, 0, {}}, kEpoch);
    EXPECT_EQ(way.delivered(), 0U);
    way.update_came(update(0), kEpoch);
    EXPECT_EQ(way.delivered(), 2U);
    way.update_came(update(0), kEpoch);
    EXPECT_TRUE(way.takes_update()) << "one more than was sent counts for nothing";
}

TEST(PeersTest, WhoIsNoMemberIsForgottenAndWhoJoinsIsNoticed) {
    Peers peers;
    EXPECT_TRUE(peers.set_members(NodeId{1}, {NodeId{1}, NodeId{2}}, true, kNow));
    EXPECT_FALSE(peers.set_members(NodeId{1}, {NodeId{1}, NodeId{2}}, true, kNow));
    wire::Confirm confirm;
    confirm.epoch = kEpoch;
    confirm.sequence = 5;
    peers.introduce(NodeId{2}, {});
    peers.confirm(NodeId{2}, confirm);
    EXPECT_FALSE(peers.set_members(NodeId{1}, {NodeId{1}}, false, kNow));
    EXPECT_FALSE(peers.quorate());
    EXPECT_THAT(peers.states(), IsEmpty());
    EXPECT_EQ(peers.confirmed_by(NodeId{2}), nullptr);
}

TEST(PeersTest, WhoComesIsAStrangerUntilItsHello) {
    Peers peers;
    peers.set_members(NodeId{1}, {NodeId{1}, NodeId{2}, NodeId{3}}, true, kNow);
    EXPECT_THAT(peers.strangers(), ElementsAre(NodeId{2}, NodeId{3}));
    peers.meet(NodeId{2});
    EXPECT_THAT(peers.strangers(), ElementsAre(NodeId{3}));
    peers.set_members(NodeId{1}, {NodeId{1}, NodeId{3}}, true, kNow);
    peers.set_members(NodeId{1}, {NodeId{1}, NodeId{2}, NodeId{3}}, true, kNow);
    EXPECT_THAT(peers.strangers(), ElementsAre(NodeId{2}, NodeId{3})) << "it may have missed much";
    peers.set_members(NodeId{1}, {NodeId{1}, NodeId{2}}, true, kNow);
    EXPECT_THAT(peers.strangers(), ElementsAre(NodeId{2}));
    peers.end_meeting(*peers.meeting_until() - Duration(1));
    EXPECT_FALSE(peers.has_met_all());
    peers.end_meeting(*peers.meeting_until());
    EXPECT_TRUE(peers.has_met_all()) << "a complete replica waits no longer";
    EXPECT_EQ(peers.meeting_until(), std::nullopt);
    EXPECT_THAT(peers.strangers(), ElementsAre(NodeId{2})) << "it may have more";
    peers.set_members(NodeId{1}, {NodeId{1}, NodeId{2}, NodeId{3}}, true, kNow);
    EXPECT_FALSE(peers.has_met_all());
}

TEST(PeersTest, AConfirmationCoversWhatItDoesNotNameAsRefused) {
    Peers peers;
    wire::Confirm confirm;
    confirm.epoch = kEpoch;
    confirm.sequence = 5;
    confirm.held = 7;
    confirm.refused = {{kEpoch, 4}};
    peers.confirm(NodeId{2}, confirm);
    constexpr auto kSessionType = wire::RecordType::l2tp_session;
    constexpr auto kAddressType = wire::RecordType::client_address;
    EXPECT_TRUE(peers.have(kEpoch, kSessionType, {kEpoch, 5}));
    EXPECT_FALSE(peers.have(kEpoch, kSessionType, {kEpoch, 4})) << "refused";
    EXPECT_FALSE(peers.have(kEpoch, kSessionType, {kEpoch, 6})) << "later";
    EXPECT_TRUE(peers.have(kEpoch, kSessionType, {Epoch{2, NodeId{1}}, 99}))
        << "of an epoch before";
    EXPECT_TRUE(peers.have(kEpoch, kAddressType, {kEpoch, 7}))
        << "read, and nothing to be installed";
    EXPECT_FALSE(peers.have(kEpoch, kAddressType, {kEpoch, 4})) << "refused";
    EXPECT_FALSE(peers.have(kEpoch, kAddressType, {kEpoch, 8})) << "later";
}

TEST(InstallRetryTest, ThePauseGrowsUntilNothingIsRefusedAnyMore) {
    const Store::Records none;
    const auto install = [](const wire::RecordKey& /*key*/) {};
    InstallRetry retry;
    retry.begin(kStart);
    EXPECT_EQ(retry.next_deadline(), kStart + limits::kInstallRetryFirst);
    const TimePoint due = kStart + limits::kInstallRetryFirst;
    retry.run(none, kStart, install);
    EXPECT_EQ(retry.next_deadline(), due) << "not yet";
    retry.run(none, due, install);
    EXPECT_FALSE(retry.waits()) << "nothing was refused";
}

}  // namespace replica_parts_test
}  // namespace vpnha::replica

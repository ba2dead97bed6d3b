// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/replica/store.hpp"

#include <gmock/gmock.h>

#include "base/limits.hpp"

namespace vpnha::replica {
namespace store_test {

using ::testing::ElementsAre;

constexpr TimePoint kNow{std::chrono::hours(1)};
constexpr Epoch kFirst{1, NodeId{1}};
constexpr Epoch kSecond{2, NodeId{2}};

wire::RecordKey key(std::uint32_t number) {
    ByteWriter id;
    id.u32(number);
    return {wire::RecordType::l2tp_session, wire::RecordId(id.view())};
}

Store::Applied put(Store& store, std::uint32_t number, const wire::Version& version,
                   const Bytes& payload, const Epoch& authority) {
    StoredRecord* record = store.find(key(number));
    const Store::Applied applied = store.put(key(number), record, version, authority, payload);
    EXPECT_EQ(record, store.find(key(number)));
    return applied;
}
// Said in the epoch of its version.
Store::Applied put(Store& store, std::uint32_t number, const wire::Version& version,
                   const Bytes& payload) {
    return put(store, number, version, payload, version.epoch);
}

TEST(StoreTest, WithinAnEpochTheNewerVersionWins) {
    Store store;
    EXPECT_EQ(put(store, 1, {kFirst, 5}, {1}), Store::Applied::changed);
    EXPECT_EQ(put(store, 1, {kFirst, 4}, {2}), Store::Applied::stale);
    EXPECT_EQ(put(store, 1, {kFirst, 6}, {1}), Store::Applied::unchanged);
    EXPECT_EQ(put(store, 1, {kSecond, 1}, {3}), Store::Applied::changed);
    EXPECT_EQ(store.find(key(1))->payload, Bytes{3});
    EXPECT_EQ(store.find(key(1))->version, (wire::Version{kSecond, 1}));
}

TEST(StoreTest, WhatOlderEpochsLeftGivesWayToTheHoldersWord) {
    // Node 1 continued writing in a lost partition; the holder of the next epoch knows an older
    // state.
    Store store;
    put(store, 1, {kFirst, 150}, {9});
    EXPECT_EQ(put(store, 1, {kFirst, 100}, {1}, kSecond), Store::Applied::changed);
    EXPECT_EQ(store.find(key(1))->payload, Bytes{1});
    EXPECT_EQ(store.find(key(1))->version, (wire::Version{kFirst, 100}));
}

TEST(StoreTest, EqualContentHasEqualDigestsWhateverTheOrder) {
    Store one;
    Store other;
    put(one, 1, {kFirst, 1}, {1});
    put(one, 2, {kFirst, 2}, {2});
    put(other, 2, {kFirst, 2}, {2});
    put(other, 3, {kFirst, 3}, {3});
    EXPECT_NE(one.digest(), other.digest());
    put(other, 1, {kFirst, 1}, {1});
    EXPECT_TRUE(other.drop(key(3), {kFirst, 4}, kNow));
    EXPECT_EQ(one.digest(), other.digest());
    EXPECT_EQ(one.count(), other.count());
}

TEST(StoreTest, AnotherVersionOfTheSameContentIsAnotherDigest) {
    Store one;
    Store other;
    put(one, 1, {kFirst, 1}, {1});
    put(other, 1, {kFirst, 2}, {1});
    EXPECT_NE(one.digest(), other.digest());
}

TEST(StoreTest, AnEmptiedStoreHasTheDigestOfAnEmptyOne) {
    Store store;
    put(store, 1, {kFirst, 1}, {1});
    EXPECT_NE(store.digest(), Store().digest());
    EXPECT_TRUE(store.drop(key(1), {kFirst, 2}, kNow));
    EXPECT_FALSE(store.drop(key(1), {kFirst, 3}, kNow));
    EXPECT_EQ(store.digest(), Store().digest());
    EXPECT_EQ(store.payload_bytes(), 0U);
}

TEST(StoreTest, CountAndDigestAreThoseOfWhatWasReported) {
    Store holder;
    Store follower;
    holder.write(key(1), Bytes{1});
    EXPECT_EQ(holder.count(), 0U);
    EXPECT_EQ(holder.digest(), follower.digest());
    holder.emitted(key(1), *holder.find(key(1)), {kFirst, 1});
    put(follower, 1, {kFirst, 1}, {1});
    EXPECT_EQ(holder.digest(), follower.digest());
    EXPECT_TRUE(holder.erase(key(1), kNow));
    EXPECT_EQ(holder.count(), 1U);
    EXPECT_EQ(holder.digest(), follower.digest());
    holder.emitted_erased(key(1), {kFirst, 2});
    follower.drop(key(1), {kFirst, 2}, kNow);
    EXPECT_EQ(holder.count(), 0U);
    EXPECT_EQ(holder.digest(), follower.digest());
}

TEST(StoreTest, ARecordErasedAndWrittenAgainBeforeAnybodyReceivedIsOneChange) {
    Store store;
    store.write(key(1), Bytes{1});
    store.emitted(key(1), *store.find(key(1)), {kFirst, 1});
    const std::uint64_t emitted = store.digest();
    store.erase(key(1), kNow);
    EXPECT_EQ(store.write(key(1), Bytes{2}).applied, Store::Applied::changed);
    EXPECT_EQ(store.digest(), emitted);
    EXPECT_EQ(store.count(), 1U);
    EXPECT_EQ(store.find_tombstone(key(1)), nullptr);
    store.emitted(key(1), *store.find(key(1)), {kFirst, 2});
    EXPECT_EQ(store.count(), 1U);
    EXPECT_NE(store.digest(), emitted);
}

TEST(StoreTest, WhatWasNeverReportedLeavesNoTombstone) {
    Store store;
    store.write(key(1), Bytes{1});
    EXPECT_TRUE(store.erase(key(1), kNow));
    EXPECT_EQ(store.find_tombstone(key(1)), nullptr);
}

TEST(StoreTest, UnsentChangesCountAsTheyStandOnceSettled) {
    Store store;
    store.write(key(1), Bytes{1});
    store.emitted(key(1), *store.find(key(1)), {kFirst, 1});
    wire::Version last{kFirst, 1};
    EXPECT_FALSE(store.settle_unsent(last));
    const std::uint64_t emitted = store.digest();
    store.write(key(1), Bytes{2});
    EXPECT_TRUE(store.settle_unsent(last));
    EXPECT_NE(store.digest(), emitted);
    store.erase(key(1), kNow);
    EXPECT_TRUE(store.settle_unsent(last));
    EXPECT_EQ(store.digest(), Store().digest());
}

TEST(StoreTest, NoTwoUnsentRecordsGetOneVersion) {
    Store store;
    store.write(key(1), Bytes{1});
    store.write(key(2), Bytes{2});
    wire::Version last{kFirst, 7};
    ASSERT_TRUE(store.settle_unsent(last));
    EXPECT_EQ(store.find(key(1))->version, (wire::Version{kFirst, 8}));
    EXPECT_EQ(store.find(key(2))->version, (wire::Version{kFirst, 9}));
    EXPECT_EQ(last, (wire::Version{kFirst, 9}));
}

TEST(StoreTest, ATombstoneOutlivesAnOlderWordAndYieldsToANewerOne) {
    Store store;
    put(store, 1, {kFirst, 1}, {1});
    store.drop(key(1), {kFirst, 5}, kNow);
    EXPECT_EQ(put(store, 1, {kFirst, 4}, {1}), Store::Applied::stale);
    EXPECT_EQ(put(store, 1, {kFirst, 6}, {1}), Store::Applied::changed);
    EXPECT_EQ(store.find_tombstone(key(1)), nullptr);
}

TEST(StoreTest, TombstonesLiveForAWhileAndTheHorizonReportsWhatTheyKnow) {
    Store store;
    put(store, 1, {kFirst, 1}, {1});
    put(store, 2, {kFirst, 2}, {2});
    store.drop(key(1), {kFirst, 3}, kNow);
    store.drop(key(2), {kFirst, 4}, kNow + std::chrono::seconds(1));
    store.expire(kNow + limits::kTombstoneLife - std::chrono::milliseconds(1));
    EXPECT_NE(store.find_tombstone(key(1)), nullptr);
    EXPECT_EQ(store.horizon(), wire::Version{});
    store.expire(kNow + limits::kTombstoneLife);
    EXPECT_EQ(store.find_tombstone(key(1)), nullptr);
    EXPECT_NE(store.find_tombstone(key(2)), nullptr);
    EXPECT_EQ(store.horizon(), (wire::Version{kFirst, 3}));
}

TEST(StoreTest, NoMoreTombstonesThanTheLimit) {
    Store store;
    for (std::uint32_t i = 1; i <= limits::kTombstonesMax + 10; ++i) {
        store.drop(key(i), {kFirst, i}, kNow);
    }
    EXPECT_EQ(store.tombstones().size(), limits::kTombstonesMax);
    EXPECT_EQ(store.horizon(), (wire::Version{kFirst, 10}));
}

TEST(StoreTest, ASweepTakesWhatThePassDidNotRepeat) {
    Store store;
    put(store, 1, {kFirst, 1}, {1});
    put(store, 2, {kFirst, 2}, {2});
    store.find(key(2))->pass = 7;
    EXPECT_THAT(store.sweep(7), ElementsAre(key(1)));
    EXPECT_EQ(store.count(), 1U);
}

TEST(StoreTest, RefusesRecordsBeyondItsLimitAndStillChangesHeldOnes) {
    Store store;
    for (std::uint32_t i = 0; i < limits::kRecordsPerGatewayMax; ++i) {
        ASSERT_EQ(put(store, i, {kFirst, i + 1}, {}), Store::Applied::changed);
    }
    EXPECT_EQ(put(store, limits::kRecordsPerGatewayMax, {kSecond, 1}, {}), Store::Applied::refused);
    EXPECT_EQ(store.write(key(limits::kRecordsPerGatewayMax), Bytes{}).applied,
              Store::Applied::refused);
    EXPECT_EQ(put(store, 0, {kSecond, 1}, {1}), Store::Applied::changed);
}

// A kind that a later release knows may have payloads of 8 KiB: fewer of them than of sessions.
TEST(StoreTest, RefusesOctetsBeyondTheBoundOfTheService) {
    const auto large = [](std::uint32_t number) {
        wire::RecordKey result = key(number);
        result.type = static_cast<wire::RecordType>(0x42);
        return result;
    };
    const Bytes payload(wire::kPayloadBytesMax);
    constexpr std::uint32_t kFit =
        wire::room_of(wire::Service::session).bytes_max / wire::kPayloadBytesMax;
    static_assert(kFit < limits::kRecordsPerGatewayMax);
    Store store;
    for (std::uint32_t i = 0; i < kFit; ++i) {
        ASSERT_EQ(put(store, i, {kFirst, i + 1}, {}), Store::Applied::changed);
        ASSERT_EQ(store.write(large(i), payload).applied, Store::Applied::changed);
    }
    EXPECT_EQ(store.write(large(kFit), payload).applied, Store::Applied::refused);
    EXPECT_EQ(store.write(key(0), Bytes(1024)).applied, Store::Applied::refused);
    EXPECT_EQ(put(store, 0, {kSecond, 1}, Bytes(1024)), Store::Applied::refused);
    EXPECT_EQ(store.find(key(0))->version, (wire::Version{kFirst, 1}));
    EXPECT_TRUE(store.erase(large(7), kNow));
    EXPECT_EQ(store.write(key(0), Bytes(1024)).applied, Store::Applied::changed);
    EXPECT_EQ(store.payload_bytes(), (kFit - 1) * payload.size() + 1024);
}

TEST(StoreTest, AFloodOfFlowsTakesNoSessionsPlace) {
    const auto flow = [](std::uint32_t number) {
        wire::RecordKey result = key(number);
        result.type = wire::RecordType::flow;
        return result;
    };
    Store store;
    for (std::uint32_t i = 0; i < limits::kFlowsPerGatewayMax; ++i) {
        ASSERT_EQ(store.write(flow(i), Bytes{}).applied, Store::Applied::changed);
    }
    EXPECT_EQ(store.write(flow(limits::kFlowsPerGatewayMax), Bytes{}).applied,
              Store::Applied::refused);
    EXPECT_EQ(store.write(key(1), Bytes{}).applied, Store::Applied::changed);
    EXPECT_TRUE(store.erase(flow(7), kNow));
    EXPECT_EQ(store.write(flow(limits::kFlowsPerGatewayMax), Bytes{}).applied,
              Store::Applied::changed);
}

}  // namespace store_test
}  // namespace vpnha::replica

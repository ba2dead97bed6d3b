// SPDX-License-Identifier: GPL-2.0-or-later
#include "replica/store.hpp"

#include <gtest/gtest.h>

#include "base/limits.hpp"

namespace vpnha::replica {
namespace {

wire::RecordKey key(std::uint32_t number) {
    ByteWriter id;
    id.u32(number);
    return {wire::RecordType::l2tp_session, std::move(id).take()};
}

wire::Version version(std::uint64_t epoch, std::uint64_t sequence) {
    return {Epoch{epoch, NodeId{1}}, sequence};
}

TEST(StoreTest, TheNewerVersionWins) {
    Store store;
    EXPECT_EQ(store.put(key(1), version(1, 5), {1}), Store::Applied::changed);
    EXPECT_EQ(store.put(key(1), version(1, 4), {2}), Store::Applied::stale);
    EXPECT_EQ(store.put(key(1), version(2, 1), {1}), Store::Applied::unchanged);
    EXPECT_EQ(store.put(key(1), version(2, 2), {3}), Store::Applied::changed);
    EXPECT_EQ(store.find(key(1))->payload, Bytes{3});
    EXPECT_EQ(store.find(key(1))->version, version(2, 2));
}

TEST(StoreTest, EqualContentHasEqualDigestsWhateverTheOrder) {
    Store one;
    Store other;
    one.put(key(1), version(1, 1), {1});
    one.put(key(2), version(1, 2), {2});
    other.put(key(2), version(3, 9), {7});
    other.put(key(3), version(3, 10), {3});
    EXPECT_NE(one.digest(), other.digest());
    other.put(key(2), version(3, 11), {2});
    other.put(key(1), version(3, 12), {1});
    EXPECT_TRUE(other.erase(key(3)));
    EXPECT_EQ(one.digest(), other.digest());
}

TEST(StoreTest, AnEmptiedStoreHasTheDigestOfAnEmptyOne) {
    Store store;
    store.put(key(1), version(1, 1), {1});
    EXPECT_NE(store.digest(), Store().digest());
    EXPECT_TRUE(store.erase(key(1)));
    EXPECT_FALSE(store.erase(key(1)));
    EXPECT_EQ(store.digest(), Store().digest());
}

TEST(StoreTest, RefusesRecordsBeyondItsLimitAndStillChangesHeldOnes) {
    Store store;
    for (std::uint32_t i = 0; i < limits::kRecordsPerGatewayMax; ++i) {
        ASSERT_EQ(store.put(key(i), version(1, i + 1), {}), Store::Applied::changed);
    }
    EXPECT_EQ(store.put(key(limits::kRecordsPerGatewayMax), version(2, 1), {}),
              Store::Applied::refused);
    EXPECT_EQ(store.put(key(0), version(2, 1), {1}), Store::Applied::changed);
}

}  // namespace
}  // namespace vpnha::replica

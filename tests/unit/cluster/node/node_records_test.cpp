// SPDX-License-Identifier: GPL-2.0-or-later
// Records of types that this release does not know: kept, passed on, never erased.
#include <gmock/gmock.h>

#include "fake_cluster.hpp"
#include "sample_session.hpp"

namespace vpnha::node {
namespace node_records_test {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Bytes encoded(const wire::Message& message) {
    return wire::Dialects().encode(message, 1);
}

TEST(NodeRecordsTest, AMandatoryRecordOfALaterReleaseIsRefusedInWords) {
    FakeCluster cluster = with_one_session();
    wire::RecordKey later{static_cast<wire::RecordType>(0x42), wire::RecordId(Bytes{1})};
    const replica::Replica& holder = cluster.replica(1);
    cluster.emit(1, encoded(wire::Update{
                        kGateway, holder.epoch(), holder.sequence(), {{later, false, {1, 2}}}}));
    EXPECT_THAT(cluster.at(2).log, Contains(HasSubstr("record type 66 is of a later release")));
    EXPECT_EQ(cluster.at(2).node->find(kGateway)->view().standing(), wire::Level::partial);
    EXPECT_EQ(cluster.replica(2).level(), wire::Level::complete);
}

TEST(NodeRecordsTest, ARecordThatNobodyKnowsOutlivesPromotions) {
    FakeCluster cluster = with_one_session();
    const wire::RecordKey later{static_cast<wire::RecordType>(0x42), wire::RecordId(Bytes{1})};
    const replica::Replica& first = cluster.replica(1);
    cluster.emit(
        1, encoded(wire::Update{kGateway, first.epoch(), first.sequence(), {{later, false, {7}}}}));
    cluster.kill(1);
    ASSERT_TRUE(cluster.promote(2).has_value());
    cluster.pass(std::chrono::seconds(5));
    EXPECT_EQ(cluster.at(2).node->find(kGateway)->cores().keepers.counts().at("sessions_lost"), 0U);
    EXPECT_EQ(cluster.replica(2).store().unknown(), 1U);
    cluster.start(1);  // It is told by who does not know it either.
    cluster.kill(2);
    ASSERT_TRUE(cluster.promote(1).has_value());
    cluster.pass(std::chrono::seconds(5));
    for (const std::uint32_t node : {1U, 3U}) {
        const replica::StoredRecord* const kept = cluster.replica(node).store().find(later);
        ASSERT_NE(kept, nullptr) << node;
        EXPECT_THAT(kept->payload.copy(), ElementsAre(7)) << node;
        EXPECT_EQ(cluster.at(node).node->find(kGateway)->cores().keepers.sessions().size(), 1U)
            << node;
    }
}

}  // namespace node_records_test
}  // namespace vpnha::node

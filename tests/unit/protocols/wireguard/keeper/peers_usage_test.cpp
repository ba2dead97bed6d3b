// SPDX-License-Identifier: GPL-2.0-or-later
// What a keeper of WireGuard peers tells of their sessions, for accounts.
#include "protocols/wireguard/model/key_text.hpp"
#include "unit/protocols/wireguard/keeper/wireguard_world.hpp"

namespace vpnha::keepers {
namespace peers_usage_test {

using namespace wireguard_world;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

class PeersUsageTest : public World {
  protected:
    [[nodiscard]] static Traffic used(const Site& site) {
        Traffic all;
        for (const Usage& each : site.used_) {
            all += each.passed;
        }
        return all;
    }
    [[nodiscard]] bool lives(const Site& site) const { return site.keeper_.lives(kRecord, now_); }

    const PublicKey kKey = sample_key(1);
    const wire::RecordKey kRecord = node::peer_record_of(kKey);
};

TEST_F(PeersUsageTest, ASessionIsReportedFromItsHandshakeOn) {
    serve(1);
    pass(seconds(3));
    EXPECT_FALSE(lives(a_));
    EXPECT_THAT(a_.used_, IsEmpty()) << "the gateway has tried the peer";
    a_.answer(kKey, 5000);
    pass(seconds(2));
    EXPECT_TRUE(lives(a_));
    ASSERT_THAT(a_.used_, SizeIs(1));
    const Usage& first = a_.used_.front();
    EXPECT_EQ(first.session, kRecord);
    EXPECT_EQ(first.user, wireguard::to_string(kKey));
    EXPECT_EQ(first.address, Ipv4Address{0x0ac80001});
    EXPECT_EQ(first.peer, endpoint("192.0.2.51", 40123).address);
    EXPECT_EQ(first.passed, (Traffic{5092, 5000, 0, 0}));
    a_.answer(kKey, 100);
    pass(seconds(2));
    EXPECT_EQ(used(a_), (Traffic{5284, 5100, 0, 0})) << "each octet once";
}

TEST_F(PeersUsageTest, APeerOfNetsHasNoAddress) {
    std::vector<Peer> peers{sample_peer(1)};
    peers[0].allowed = {wireguard::test::net("10.200.9.0/24"),
                        wireguard::test::net("2001:db8:9::7/128")};
    a_.file_ = peers;
    promote(a_);
    pass(milliseconds(100));
    a_.answer(kKey);
    pass(seconds(2));
    ASSERT_THAT(a_.used_, SizeIs(1));
    EXPECT_EQ(a_.used_[0].address, std::nullopt);
}

// REJECT_AFTER_TIME, and REKEY_ATTEMPT_TIME.
TEST_F(PeersUsageTest, ASessionIsOverWhenItsKeysAreTooOldAndNobodyTriesForOthers) {
    serve(1);
    a_.answer(kKey);
    pass(seconds(2));
    const std::size_t notified = a_.used_.size();
    pass(seconds(266));
    EXPECT_TRUE(lives(a_));
    pass(seconds(4));
    EXPECT_FALSE(lives(a_));
    a_.kernel_.at(kKey).traffic.octets_out += 148;  // The kernel tries it.
    pass(seconds(2));
    EXPECT_THAT(a_.used_, SizeIs(notified));
    a_.answer(kKey, 10);
    pass(seconds(2));
    EXPECT_TRUE(lives(a_));
    ASSERT_THAT(a_.used_, SizeIs(notified + 1));
    EXPECT_EQ(a_.used_.back().passed, (Traffic{102, 10, 0, 0})) << "of this session alone";
}

TEST_F(PeersUsageTest, ASuccessorReportsWhatPassedThere) {
    serve(1);
    a_.answer(kKey, 5000);
    pass(seconds(3));
    EXPECT_THAT(b_.used_, IsEmpty());
    kill_a();
    open(b_);
    pass(milliseconds(100));
    EXPECT_TRUE(lives(b_)) << "by the record";
    b_.answer(kKey, 300);
    pass(seconds(3));
    EXPECT_THAT(b_.used_, IsEmpty()) << "it stands in, and has no accounts";
    promote(b_);
    pass(seconds(3));
    EXPECT_EQ(used(b_), (Traffic{392, 300 + kInitiationBytes, 0, 0}));
}

TEST_F(PeersUsageTest, AClientThatRoamsIsReportedWhereItIs) {
    serve(1);
    a_.answer(kKey);
    pass(seconds(2));
    a_.kernel_.at(kKey).endpoint = endpoint("2001:db8::51", 1024);
    a_.answer(kKey);
    pass(seconds(2));
    ASSERT_THAT(a_.used_, SizeIs(2));
    EXPECT_EQ(to_string(a_.used_.back().peer), "2001:db8::51");
}

TEST_F(PeersUsageTest, APeerThatWasTakenOutOfTheFileHasEnded) {
    serve(2);
    a_.answer(kKey);
    pass(seconds(2));
    a_.file_ = std::vector<Peer>{sample_peer(2)};
    demote(a_);
    promote(a_);
    pass(seconds(1));
    EXPECT_THAT(a_.ended_, ElementsAre(Pair(kRecord, EndCause::admin_reset)));
    EXPECT_FALSE(lives(a_));
}

}  // namespace peers_usage_test
}  // namespace vpnha::keepers

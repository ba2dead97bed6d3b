// SPDX-License-Identifier: GPL-2.0-or-later
// What the keeper of IPsec SAs tells of its clients' sessions, for accounts.
#include "unit/protocols/ipsec/keeper/ipsec_pair.hpp"

namespace vpnha::keepers {
namespace ike_usage_test {

using namespace ipsec_pair;
using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::Not;
using ::testing::SizeIs;

constexpr const char* kAddress = "10.1.0.7";

class IkeUsageTest : public ipsec_pair::Pair {
  protected:
    [[nodiscard]] static Traffic used(const Site& site) {
        Traffic all;
        for (const Usage& each : site.used_) {
            all += each.passed;
        }
        return all;
    }
    // alice is dialled in, and has been told of.
    void dial() {
        alice_.eap = "alice";
        establish_whole(alice_, 7);
        emit(alice_.vip(kAddress));
        settle();
    }
    // What passes on the child of that SPI, in packets of 100 octets.
    static void move(Site& site, std::uint32_t spi, std::uint64_t in, std::uint64_t out) {
        site.in(spi).octets += 100 * in;
        site.in(spi).packets += in;
        site.out(spi + 1).octets += 100 * out;
        site.out(spi + 1).packets += out;
    }
    // A's node is dead, and B has its gateway.
    void take_over() {
        a_.keeper_.mute(a_.effects_);
        a_.run(now_);
        promote(b_, 2);
        settle();
    }
    void rekey_ike() {
        emit(next_.add({alice_.id.key}));
        emit(next_.update());
        emit(ipsec::build_ike_delete(alice_.id));
        settle();
    }

    IkeSample alice_{test::ike_id(2, 1)};
    IkeSample next_{test::ike_id(2, 2), "carol@example.org", "198.51.100.7", "road", "alice"};
};

TEST_F(IkeUsageTest, ASessionBeginsWithItsVirtualAddress) {
    alice_.eap = "alice";
    establish_whole(alice_, 7);
    EXPECT_THAT(a_.used_, IsEmpty()) << "its address is not known yet";
    emit(alice_.vip(kAddress));
    settle();
    ASSERT_THAT(a_.used_, SizeIs(1));
    const Usage& begun = a_.used_.front();
    EXPECT_EQ(begun.session, ike(alice_));
    EXPECT_EQ(begun.replaces, std::nullopt);
    EXPECT_EQ(begun.user, "alice");
    EXPECT_EQ(begun.address, parse_ip(kAddress)->v4());
    EXPECT_EQ(begun.peer, kClient);
    EXPECT_EQ(begun.passed, Traffic{});
    EXPECT_EQ(begun.began_unix_ms, a_.clock().at(now_));
    EXPECT_THAT(b_.used_, IsEmpty()) << "a standby has no accounts";
}

TEST_F(IkeUsageTest, AVirtualAddressOfEachFamilyIsReported) {
    alice_.eap = "alice";
    establish_whole(alice_, 7);
    emit(alice_.vips({"2001:db8:200::7", kAddress, "2001:db8:200::8"}));
    settle();
    ASSERT_THAT(a_.used_, SizeIs(1));
    EXPECT_EQ(a_.used_[0].address, parse_ip(kAddress)->v4());
    EXPECT_EQ(a_.used_[0].address6, parse_ip("2001:db8:200::7")->v6());
}

TEST_F(IkeUsageTest, WithoutAVirtualAddressItBeginsWithItsFirstPacket) {
    alice_.eap = "alice";
    establish_whole(alice_, 7);
    pass(seconds(3));
    EXPECT_THAT(a_.used_, IsEmpty());
    move(a_, 7, 1, 0);
    pass(seconds(2));
    ASSERT_THAT(a_.used_, SizeIs(1));
    EXPECT_EQ(a_.used_[0].address, std::nullopt);
    EXPECT_EQ(a_.used_[0].passed, (Traffic{100, 0, 1, 0}));
}

TEST_F(IkeUsageTest, AClientWithACertificateIsNamedByIt) {
    establish_whole(alice_, 7);
    emit(alice_.vip(kAddress));
    settle();
    ASSERT_THAT(a_.used_, SizeIs(1));
    EXPECT_EQ(a_.used_[0].user, "carol@example.org");
}

TEST_F(IkeUsageTest, NeitherASiteNorL2tpIsASession) {
    establish_whole(first_, 7);
    establish_childless(second_);
    emit(second_.vip(kAddress));
    a_.used_.clear();
    emit(second_.l2tp(9, 10));
    a_.add_child(9, 10);
    settle();
    IkeSample phone{test::ike_id(1, 3)};
    phone.eap = "alice";
    establish_whole(phone, 11);
    for (const std::uint32_t spi : {7, 9, 11}) {
        move(a_, spi, 1, 1);
    }
    pass(seconds(3));
    EXPECT_THAT(a_.used_, IsEmpty());
}

TEST_F(IkeUsageTest, EachOctetIsReportedOnceOverRekeys) {
    dial();
    move(a_, 7, 10, 20);
    pass(seconds(3));
    EXPECT_EQ(used(a_), (Traffic{1000, 2000, 10, 20}));
    emit(alice_.child(9, 10));
    a_.add_child(9, 10);
    move(a_, 7, 1, 1);
    move(a_, 9, 2, 2);
    pass(seconds(2));
    emit(ipsec::build_child_delete(alice_.id, 7));
    a_.kernel_.erase({kClient, kVip, 7});
    a_.kernel_.erase({kVip, kClient, 8});
    move(a_, 9, 4, 4);
    pass(seconds(2));
    EXPECT_EQ(used(a_), (Traffic{1700, 2700, 17, 27}));
    EXPECT_THAT(a_.over_, IsEmpty());
}

TEST_F(IkeUsageTest, ARekeyOfTheIkeSaContinuesWithTheSession) {
    dial();
    const std::uint64_t begun = a_.used_[0].began_unix_ms;
    pass(seconds(10));
    a_.used_.clear();
    rekey_ike();
    ASSERT_THAT(a_.used_, SizeIs(1));
    EXPECT_EQ(a_.used_[0].session, ike(next_));
    EXPECT_EQ(a_.used_[0].replaces, ike(alice_));
    EXPECT_EQ(a_.used_[0].began_unix_ms, begun);
    EXPECT_EQ(a_.used_[0].address, parse_ip(kAddress)->v4());
    move(a_, 7, 1, 0);
    pass(seconds(2));
    EXPECT_EQ(a_.used_.back().session, ike(next_));
    EXPECT_EQ(used(a_), (Traffic{100, 0, 1, 0}));
    EXPECT_THAT(a_.over_, Not(Contains(Key(ike(next_)))));
    emit(ipsec::build_ike_delete(next_.id));
    settle();
    EXPECT_THAT(a_.over_, Contains(::testing::Pair(ike(next_), EndCause::user_request)));
}

// A power cut, amid a rekey: the successor has the IKE SA that replaced it, and the account is
// still under the old one.
TEST_F(IkeUsageTest, ASuccessorEndsNoSessionThatHasAnHeir) {
    dial();
    emit(next_.add({alice_.id.key}));
    emit(next_.update());
    settle();
    take_over();
    pass(seconds(3));
    ASSERT_THAT(b_.used_, SizeIs(1));
    EXPECT_EQ(b_.used_[0].session, ike(next_));
    EXPECT_EQ(b_.used_[0].replaces, ike(alice_));
    b_.notify(node::CharonEmitted{next_.child(9, 10)}, now_);
    b_.notify(node::CharonEmitted{ipsec::build_child_delete(next_.id, 7)}, now_);
    settle();
    EXPECT_EQ(b_.replica_.store().find(ike(alice_)), nullptr) << "nothing lives that it made";
    EXPECT_THAT(b_.over_, IsEmpty());
}

TEST_F(IkeUsageTest, ASuccessorReportsWhatPassesThereAndNothingTwice) {
    dial();
    move(a_, 7, 10, 20);
    pass(seconds(3));
    EXPECT_THAT(b_.used_, IsEmpty());
    take_over();
    pass(milliseconds(900));
    EXPECT_THAT(b_.used_, IsEmpty()) << "a takeover has to be short";
    pass(seconds(1));
    ASSERT_THAT(b_.used_, SizeIs(1)) << "there may be no account yet";
    EXPECT_EQ(b_.used_[0].session, ike(alice_));
    EXPECT_EQ(b_.used_[0].passed, Traffic{});
    move(b_, 7, 1, 2);
    pass(seconds(2));
    EXPECT_EQ(used(b_), (Traffic{100, 200, 1, 2}));
    // A's kernel has what it has counted, and more.
    a_.used_.clear();
    b_.keeper_.mute(b_.effects_);
    b_.replica_.end_epoch(now_);
    b_.run(now_);
    promote(a_, 3);
    move(a_, 7, 3, 3);
    pass(seconds(3));
    EXPECT_EQ(used(a_), (Traffic{300, 300, 3, 3}));
}

TEST_F(IkeUsageTest, WhatAKernelHadBeforeIsNotReported) {
    dial();
    pass(seconds(2));
    // Of an SA that the kernel has from before nobody knows what was told.
    emit(alice_.child(9, 10));
    a_.add_child(9, 10);
    a_.in(9).octets = 5000;
    promote(a_, 2);
    pass(seconds(3));
    EXPECT_EQ(used(a_), Traffic{});
    move(a_, 9, 1, 1);
    pass(seconds(2));
    EXPECT_EQ(used(a_), (Traffic{100, 100, 1, 1}));
}

TEST_F(IkeUsageTest, AChildThatIsMadeAnewCountsFromZero) {
    dial();
    move(a_, 7, 10, 10);
    pass(seconds(2));
    a_.add_child(7, 8);
    move(a_, 7, 2, 2);
    pass(seconds(2));
    EXPECT_EQ(used(a_), (Traffic{1200, 1200, 12, 12}));
}

TEST_F(IkeUsageTest, AClientThatMovesIsReportedWhereItIs) {
    dial();
    alice_.address = "203.0.113.9";
    emit(alice_.update());
    settle();
    EXPECT_EQ(to_string(a_.used_.back().peer), "203.0.113.9");
}

TEST_F(IkeUsageTest, AGatewayWithoutAccountsReportsNothing) {
    FakeGateway gateway(GatewayId{1}, NodeId{1});
    IkeUsage off(gateway, false, std::nullopt);
    IkeUsage on(gateway, true, std::nullopt);
    gateway.replica().on_members({NodeId{1}}, true, now_);
    (void)gateway.replica().begin_epoch({1, NodeId{1}}, now_);
    off.begin(now_);
    on.begin(now_);
    EXPECT_EQ(off.next_deadline(), std::nullopt);
    EXPECT_NE(on.next_deadline(), std::nullopt);
}

}  // namespace ike_usage_test
}  // namespace vpnha::keepers

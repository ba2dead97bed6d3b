// SPDX-License-Identifier: GPL-2.0-or-later
// What a keeper of WireGuard peers does as a standby, at a promotion, and while it serves.
#include "unit/protocols/wireguard/keeper/wireguard_world.hpp"

namespace vpnha::keepers {
namespace wireguard_peers_test {

using namespace wireguard_world;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class WireguardPeersTest : public World {
  protected:
    // The handshakes that are open: tried, and neither answered nor given up.
    [[nodiscard]] static std::size_t awake(const Site& site) {
        return static_cast<std::size_t>(std::ranges::count_if(
            site.kernel_, [](const auto& each) { return each.second.keepalive_s != 0; }));
    }
};

TEST_F(WireguardPeersTest, AStandbysDeviceHasThePeersAndTriesNone) {
    EXPECT_EQ(b_.raised_, 1);
    EXPECT_TRUE(b_.is_up_);
    serve(3);
    ASSERT_THAT(b_.kernel_, SizeIs(3));
    const Site::KernelPeer& peer = b_.kernel_.at(sample_key(2));
    EXPECT_EQ(peer.peer, *a_.record(sample_key(2)));
    EXPECT_EQ(peer.endpoint, endpoint("192.0.2.51", 40123));
    EXPECT_TRUE(a_.replica_.is_protected(node::peer_record_of(sample_key(2))));
    pass(seconds(30));
    EXPECT_EQ(awake(b_), 0U) << "keepalive 0";
    EXPECT_THAT(b_.tried_, IsEmpty());
    EXPECT_FALSE(b_.uses_vip_);
}

TEST_F(WireguardPeersTest, AConfiguredKeepaliveIsOffAtAStandbyToo) {
    a_.file_ = {sample_peer(1)};
    ASSERT_EQ(sample_peer(1).keepalive_s, 25);
    promote(a_);
    pass(seconds(1));
    EXPECT_EQ(b_.kernel_.at(sample_key(1)).keepalive_s, 0);
    EXPECT_EQ(a_.kernel_.at(sample_key(1)).keepalive_s, 25);
}

TEST_F(WireguardPeersTest, APromotedNodeShakesHandsWithEachPeerAtOnce) {
    serve(3);
    kill_a();
    EXPECT_THAT(b_.tried_, IsEmpty());
    promote(b_);
    EXPECT_TRUE(b_.uses_vip_);
    EXPECT_THAT(b_.tried_, SizeIs(3)) << "in the same turn";
    EXPECT_EQ(b_.loads_, 1);
    pass(milliseconds(20));
    for (const std::uint32_t number : {1, 2, 3}) {
        b_.answer(sample_key(number));
    }
    pass(milliseconds(100));
    EXPECT_EQ(awake(b_), 0U) << "as configured again";
    EXPECT_EQ(b_.keeper_.counts().at("wireguard_answered"), 3U);
    EXPECT_THAT(b_.tried_, SizeIs(3)) << "each once";
}

TEST_F(WireguardPeersTest, HandshakesBeginWithTheOpeningItself) {
    serve(3);
    kill_a();
    b_.keeper_.on_open(now_, b_.effects_);
    EXPECT_TRUE(std::ranges::any_of(b_.effects_, [](const effects::Effect& effect) {
        const auto* const set = effects::find<node::SetKeepalives>(effect);
        return set != nullptr && set->keepalives.size() == 3;
    })) << "no time has to pass";
}

// Else the kernel tries a peer from the node's own address, in vain, and then not for 5 s.
TEST_F(WireguardPeersTest, NoPacketIsTakenBeforeTheGatewaysAddressIsTheSource) {
    serve(1);
    kill_a();
    b_.keeper_.on_addresses(b_.effects_);
    ASSERT_EQ(b_.effects_.size(), 1U);
    EXPECT_TRUE(effects::find<node::UseVip>(b_.effects_.front())->on);
    EXPECT_FALSE(b_.keeper_.takes_packets());
    settle();
    EXPECT_TRUE(b_.keeper_.takes_packets());
    b_.keeper_.on_open(now_, b_.effects_);
    EXPECT_TRUE(b_.keeper_.takes_packets());
}

TEST_F(WireguardPeersTest, ANodeThatStandsInShakesHandsBeforeTheGroupKnows) {
    serve(3);
    kill_a();
    open(b_);
    pass(milliseconds(100));
    EXPECT_TRUE(b_.uses_vip_);
    EXPECT_THAT(b_.tried_, SizeIs(3));
    EXPECT_EQ(b_.added_anew_, 3) << "what it has sent itself is no reason to";
    EXPECT_EQ(b_.loads_, 0) << "no record may change yet";
    b_.answer(sample_key(1), 300);
    b_.answer(sample_key(2));
    b_.answer(sample_key(3));
    pass(milliseconds(500));
    EXPECT_EQ(b_.traffic(sample_key(1)).octets_in, 0U);
    promote(b_);
    pass(seconds(3));
    EXPECT_THAT(b_.tried_, SizeIs(3)) << "each once";
    EXPECT_EQ(b_.traffic(sample_key(1)).octets_in, 392U);
}

TEST_F(WireguardPeersTest, ANodeThatStoodInForNothingAddsItsPeersAnew) {
    serve(1);
    open(b_);
    ASSERT_THAT(b_.tried_, SizeIs(1));
    demote(b_);
    EXPECT_FALSE(b_.uses_vip_);
    EXPECT_EQ(b_.kernel_.at(sample_key(1)).keepalive_s, 0);
    EXPECT_EQ(b_.added_anew_, 2);
}

TEST_F(WireguardPeersTest, APeerWithAKeepaliveKeepsIt) {
    a_.file_ = {sample_peer(1)};
    b_.file_ = a_.file_;
    promote(a_);
    pass(seconds(1));
    kill_a();
    promote(b_);
    EXPECT_EQ(b_.kernel_.at(sample_key(1)).keepalive_s, 25);
    b_.answer(sample_key(1));
    pass(seconds(3));
    EXPECT_EQ(b_.kernel_.at(sample_key(1)).keepalive_s, 25);
    EXPECT_THAT(b_.tried_, SizeIs(1));
}

TEST_F(WireguardPeersTest, APeerThatDoesNotAnswerIsNotWaitedFor) {
    serve(1);
    kill_a();
    promote(b_);
    pass(limits::kWireguardHandshakeWait - milliseconds(20));
    EXPECT_EQ(awake(b_), 1U);
    pass(milliseconds(40));
    EXPECT_EQ(awake(b_), 0U);
    EXPECT_EQ(b_.keeper_.counts().at("wireguard_unanswered"), 1U);
}

// The kernel may have tried it while the gate was shut, and tries it no more for 5 s.
TEST_F(WireguardPeersTest, APeerToWhichTheKernelSendsNothingIsTriedOnceMoreAsANewOne) {
    serve(1);
    kill_a();
    b_.sends_nothing_ = true;
    promote(b_);
    b_.sends_nothing_ = false;
    const int added = b_.added_anew_;
    pass(limits::kWireguardTryAgain + milliseconds(20));
    EXPECT_THAT(b_.tried_, SizeIs(2));
    EXPECT_EQ(b_.added_anew_, added + 1);
    pass(seconds(3));
    EXPECT_THAT(b_.tried_, SizeIs(2)) << "once";
}

// The answer of a slow client is for the peer that the kernel has, and not for a new one.
TEST_F(WireguardPeersTest, AClientHasTimeToAnswerBeforeItIsTriedAgain) {
    serve(1);
    kill_a();
    promote(b_);
    const int added = b_.added_anew_;
    pass(limits::kWireguardAnswerWait - milliseconds(100));
    b_.answer(sample_key(1));
    pass(seconds(3));
    EXPECT_EQ(b_.added_anew_, added);
    EXPECT_THAT(b_.tried_, SizeIs(1));
}

TEST_F(WireguardPeersTest, AReadingOlderThanAPeerThatWasAddedAnewCountsNothing) {
    serve(1);
    kill_a();
    promote(b_);
    b_.kernel_.at(sample_key(1)).traffic.octets_out = 1000;
    pass(limits::kWireguardAnswerWait - milliseconds(100));
    b_.answers_readings_ = false;
    pass(milliseconds(80));
    const std::uint64_t old = b_.unanswered_;
    const std::vector<PeerState> states{
        {sample_key(1), std::nullopt, b_.kernel_.at(sample_key(1)).traffic}};
    b_.answers_readings_ = true;
    pass(milliseconds(40));
    ASSERT_THAT(b_.tried_, SizeIs(2));
    b_.notify(node::PeersRead{old, states, true}, now_);
    pass(seconds(3));
    EXPECT_EQ(b_.traffic(sample_key(1)).octets_out,
              a_.traffic(sample_key(1)).octets_out + 1000 + kInitiationBytes);
}

TEST_F(WireguardPeersTest, APeerThatWasRefusedWhenItWasTriedAgainIsTriedWhenItIsSet) {
    serve(1);
    kill_a();
    promote(b_);
    b_.refuses_ = true;
    pass(limits::kWireguardHandshakeWait + milliseconds(20));
    b_.refuses_ = false;
    ASSERT_THAT(b_.tried_, SizeIs(1));
    b_.file_->front().allowed.push_back({IpAddress(Ipv4Address{0x0ac90000}), 24});
    promote(b_);
    EXPECT_THAT(b_.tried_, SizeIs(2));
}

// Its keys are those of before, and so are its counters.
TEST_F(WireguardPeersTest, APeerWithKeysIsNotAddedAnewWhereTheLeaseIsClaimedAnew) {
    serve(1);
    a_.answer(sample_key(1), 5000);
    pass(seconds(3));
    const int added = a_.added_anew_;
    const std::uint64_t before = a_.traffic(sample_key(1)).octets_in;
    a_.keeper_.pause(a_.effects_);
    settle();
    a_.keeper_.unpause(now_, a_.effects_);
    pass(seconds(3));
    EXPECT_EQ(a_.added_anew_, added);
    EXPECT_EQ(a_.traffic(sample_key(1)).octets_in, before);
}

TEST_F(WireguardPeersTest, APeerThatDoesNotAnswerIsTriedOnceMoreAsANewOne) {
    serve(2);
    kill_a();
    promote(b_);
    b_.answer(sample_key(1));
    const int added = b_.added_anew_;
    pass(limits::kWireguardAnswerWait + milliseconds(20));
    EXPECT_THAT(b_.tried_, SizeIs(3));
    EXPECT_EQ(b_.tried_.back(), sample_key(2));
    EXPECT_EQ(b_.added_anew_, added + 1);
    b_.answer(sample_key(2));
    pass(seconds(3));
    EXPECT_EQ(b_.keeper_.counts().at("wireguard_answered"), 2U);
    EXPECT_EQ(b_.keeper_.counts().at("wireguard_unanswered"), 0U);
    EXPECT_THAT(b_.tried_, SizeIs(3)) << "once";
}

TEST_F(WireguardPeersTest, APeerWithoutAnEndpointIsNotTried) {
    a_.file_ = {Peer{.key = sample_key(1)}, sample_peer(2)};
    b_.file_ = a_.file_;
    promote(a_);
    pass(seconds(1));
    kill_a();
    promote(b_);
    EXPECT_THAT(b_.tried_, ElementsAre(sample_key(2)));
}

TEST_F(WireguardPeersTest, NotMoreHandshakesAreOpenThanTheKernelTakes) {
    const auto count = static_cast<std::uint32_t>(2 * limits::kWireguardHandshakesMax + 10);
    serve(count);
    kill_a();
    promote(b_);
    EXPECT_THAT(b_.tried_, SizeIs(limits::kWireguardHandshakesMax));
    pass(milliseconds(20));
    EXPECT_THAT(b_.tried_, SizeIs(limits::kWireguardHandshakesMax)) << "nobody has answered";
    for (std::size_t i = 0; i < 10; ++i) {
        b_.answer(b_.tried_[i]);
    }
    pass(milliseconds(60));
    EXPECT_THAT(b_.tried_, SizeIs(limits::kWireguardHandshakesMax + 10)) << "as many as answered";
    EXPECT_EQ(awake(b_), limits::kWireguardHandshakesMax);
    pass(2 * limits::kWireguardHandshakeWait + milliseconds(100));
    EXPECT_THAT(b_.tried_, SizeIs(2 * count - 10)) << "in turns; twice each that does not answer";
    EXPECT_EQ(std::set<PublicKey>(b_.tried_.begin(), b_.tried_.end()).size(), count);
}

TEST_F(WireguardPeersTest, PeersWithRecentTrafficComeFirst) {
    const auto count = static_cast<std::uint32_t>(limits::kWireguardHandshakesMax + 10);
    serve(count);
    pass(seconds(2));
    a_.answer(sample_key(count), 1000);
    pass(seconds(2));
    a_.answer(sample_key(count - 1), 1000);
    pass(seconds(2));
    kill_a();
    promote(b_);
    ASSERT_THAT(b_.tried_, SizeIs(limits::kWireguardHandshakesMax));
    EXPECT_EQ(b_.tried_[0], sample_key(count - 1));
    EXPECT_EQ(b_.tried_[1], sample_key(count));
}

TEST_F(WireguardPeersTest, AStandbyAddsAPeerAnewThatWasTriedAllTheSame) {
    serve(2);
    pass(seconds(2));
    EXPECT_EQ(b_.added_anew_, 2);
    b_.kernel_.at(sample_key(1)).traffic.octets_out += kInitiationBytes;
    pass(seconds(1) + milliseconds(20));
    EXPECT_EQ(b_.added_anew_, 3);
    EXPECT_EQ(b_.kernel_.at(sample_key(1)).traffic.octets_out, 0U);
    EXPECT_EQ(b_.keeper_.counts().at("wireguard_tried_as_standby"), 1U);
    EXPECT_TRUE(a_.replica_.is_protected(node::peer_record_of(sample_key(1))));
    pass(seconds(5));
    EXPECT_EQ(b_.added_anew_, 3) << "once";
    EXPECT_THAT(b_.tried_, IsEmpty());
}

TEST_F(WireguardPeersTest, ARoamIsARecordWithinASecond) {
    serve(2);
    const Endpoint elsewhere = endpoint("198.51.100.7", 1024);
    a_.kernel_.at(sample_key(1)).endpoint = elsewhere;
    pass(seconds(1));
    EXPECT_EQ(b_.record(sample_key(1))->endpoint, elsewhere);
    EXPECT_EQ(b_.kernel_.at(sample_key(1)).endpoint, elsewhere);
    EXPECT_EQ(a_.keeper_.counts().at("wireguard_roamed"), 1U);
    EXPECT_EQ(b_.record(sample_key(2))->endpoint, endpoint("192.0.2.51", 40123));
    EXPECT_TRUE(a_.replica_.is_protected(node::peer_record_of(sample_key(1))));
}

TEST_F(WireguardPeersTest, AnEndpointThatNoOtherNodeReachesIsNoRecord) {
    serve(1);
    a_.kernel_.at(sample_key(1)).endpoint = endpoint("fe80::1", 1024);
    pass(seconds(1));
    EXPECT_EQ(b_.record(sample_key(1))->endpoint, endpoint("192.0.2.51", 40123));
}

TEST_F(WireguardPeersTest, WhatAPeerHasUsedGrowsOverFailovers) {
    serve(1);
    const PublicKey key = sample_key(1);
    a_.answer(key, 5000);
    pass(seconds(3));
    const auto at_a = b_.traffic(key);
    EXPECT_EQ(at_a.octets_in, 5092U);
    EXPECT_EQ(at_a.octets_out, 5000 + kInitiationBytes) << "A has shaken hands, too";
    EXPECT_NE(at_a.last_handshake_unix_ms, 0U);
    kill_a();
    promote(b_);
    b_.answer(key, 300);
    pass(seconds(3));
    const auto at_b = b_.traffic(key);
    EXPECT_EQ(at_b.octets_in, at_a.octets_in + 392);
    EXPECT_EQ(b_.keeper_.sessions({}).at(0).passed,
              (Passed{"octets", at_b.octets_in, at_b.octets_out}));
    EXPECT_EQ(at_b.octets_out, at_a.octets_out + 300 + kInitiationBytes);
    EXPECT_GT(at_b.last_handshake_unix_ms, at_a.last_handshake_unix_ms);
}

TEST_F(WireguardPeersTest, ANodeThatServesAgainCountsNothingTwice) {
    serve(1);
    const PublicKey key = sample_key(1);
    a_.answer(key, 5000);
    pass(seconds(3));
    demote(a_);
    promote(b_);
    b_.answer(key, 300);
    pass(seconds(3));
    const auto before = a_.traffic(key);
    EXPECT_EQ(before, b_.traffic(key));
    demote(b_);
    promote(a_);
    pass(seconds(3));
    EXPECT_EQ(b_.traffic(key).octets_in, before.octets_in);
    EXPECT_EQ(b_.traffic(key).octets_out, before.octets_out + 2 * kInitiationBytes)
        << "it was tried again";
}

TEST_F(WireguardPeersTest, ADemotedNodeFallsSilentAndAddsItsPeersAnew) {
    a_.file_ = {sample_peer(1)};
    b_.file_ = a_.file_;
    promote(a_);
    pass(seconds(1));
    a_.answer(sample_key(1), 100);
    const int before = a_.added_anew_;
    demote(a_);
    EXPECT_FALSE(a_.uses_vip_);
    EXPECT_EQ(a_.kernel_.at(sample_key(1)).keepalive_s, 0);
    EXPECT_EQ(a_.added_anew_, before + 1);
    EXPECT_EQ(a_.kernel_.at(sample_key(1)).traffic, wireguard::PeerTraffic{});
    const std::size_t tried = a_.tried_.size();
    promote(b_);
    pass(seconds(10));
    EXPECT_THAT(a_.tried_, SizeIs(tried));
    EXPECT_EQ(a_.keeper_.counts().at("wireguard_tried_as_standby"), 0U);
}

TEST_F(WireguardPeersTest, ANodeWithoutALeaseIsSilentUntilItHasOne) {
    a_.file_ = {sample_peer(1)};
    promote(a_);
    pass(seconds(1));
    a_.keeper_.pause(a_.effects_);
    settle();
    EXPECT_EQ(awake(a_), 0U);
    a_.tried_.clear();
    pass(seconds(3));
    EXPECT_THAT(a_.tried_, IsEmpty());
    a_.keeper_.unpause(now_, a_.effects_);
    settle();
    EXPECT_THAT(a_.tried_, ElementsAre(sample_key(1)));
}

TEST_F(WireguardPeersTest, TheFileReportsWhichPeersThereAre) {
    serve(2);
    Peer changed = sample_peer(2);
    changed.endpoint = endpoint("203.0.113.9", 9);  // The record has another one.
    b_.file_ = {changed, sample_peer(3)};
    b_.file_->back().allowed.clear();
    kill_a();
    promote(b_);
    pass(milliseconds(100));
    EXPECT_FALSE(b_.record(sample_key(1)));
    EXPECT_EQ(b_.record(sample_key(2))->endpoint, endpoint("192.0.2.51", 40123));
    EXPECT_EQ(b_.record(sample_key(2))->keepalive_s, 25);
    EXPECT_EQ(b_.record(sample_key(3))->endpoint, sample_peer(3).endpoint);
    EXPECT_THAT(b_.kernel_, SizeIs(2));
    EXPECT_THAT(b_.tried_, Contains(sample_key(3))) << "a new one is tried, too";
}

TEST_F(WireguardPeersTest, AFileThatCannotBeReadLosesNoPeer) {
    serve(2);
    b_.file_.reset();
    kill_a();
    promote(b_);
    pass(milliseconds(100));
    EXPECT_THAT(b_.tried_, SizeIs(2));
    EXPECT_THAT(b_.kernel_, SizeIs(2));
    EXPECT_THAT(b_.logged_, Contains(HasSubstr("event=wireguard-peers-unreadable")));
}

TEST_F(WireguardPeersTest, APeerThatIsErasedGoesEverywhere) {
    serve(2);
    a_.file_->pop_back();
    a_.keeper_.pause(a_.effects_);
    promote(a_);
    pass(milliseconds(100));
    EXPECT_THAT(a_.kernel_, SizeIs(1));
    EXPECT_THAT(b_.kernel_, SizeIs(1));
    EXPECT_THAT(b_.keeper_.sessions({}), SizeIs(1));
}

TEST_F(WireguardPeersTest, ADeviceThatCannotBeMadeIsTriedAgain) {
    b_.keeper_.detach(b_.effects_);
    b_.can_raise_ = false;
    serve(1);
    EXPECT_THAT(b_.logged_, Contains(HasSubstr("event=wireguard-device-failed")));
    EXPECT_FALSE(a_.replica_.is_protected(node::peer_record_of(sample_key(1))));
    b_.can_raise_ = true;
    pass(seconds(5));
    EXPECT_TRUE(b_.is_up_);
    EXPECT_THAT(b_.kernel_, SizeIs(1));
    EXPECT_TRUE(a_.replica_.is_protected(node::peer_record_of(sample_key(1))));
}

TEST_F(WireguardPeersTest, ADeviceThatSomebodyRemovedIsMadeAnew) {
    serve(2);
    for (Site* const site : {&a_, &b_}) {
        const int raised = site->raised_;
        site->kernel_.clear();
        site->is_up_ = false;
        site->tried_.clear();
        site->notify(node::DeviceGone{}, now_);
        settle();
        EXPECT_EQ(site->raised_, raised + 1);
        EXPECT_THAT(site->kernel_, SizeIs(2));
    }
    EXPECT_THAT(a_.tried_, SizeIs(2)) << "their clients have sessions that are lost";
    EXPECT_THAT(b_.tried_, IsEmpty());
}

TEST_F(WireguardPeersTest, AReadingThatDoesNotComeIsAskedForAgain) {
    serve(1);
    a_.answers_readings_ = false;
    pass(seconds(1));
    const int reads = a_.reads_;
    pass(seconds(9));
    EXPECT_EQ(a_.reads_, reads) << "one is on its way";
    const std::uint64_t late = a_.unanswered_;
    pass(seconds(2));
    EXPECT_EQ(a_.reads_, reads + 1);
    a_.notify(node::PeersRead{late, {}, true}, now_);
    pass(seconds(1));
    EXPECT_EQ(a_.reads_, reads + 1) << "the late one ends no other";
}

TEST_F(WireguardPeersTest, SessionsShowWhoAndWhere) {
    a_.file_ = {sample_peer(1)};
    promote(a_);
    pass(seconds(1));
    for (const Site* const site : {&a_, &b_}) {
        ASSERT_THAT(site->keeper_.sessions({}), SizeIs(1));
        const SessionView view = site->keeper_.sessions({})[0];
        EXPECT_EQ(view.protocol, "wireguard");
        EXPECT_EQ(view.user, "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHAAAAAE=");
        EXPECT_EQ(view.peer, "192.0.2.51:40123");
        EXPECT_EQ(view.address, "10.200.9.7");
        EXPECT_THAT(view.networks, ElementsAre("2001:db8:9::/64"));
        EXPECT_EQ(view.state, site == &a_ ? SessionState::protected_ : SessionState::hot);
    }
    EXPECT_EQ(a_.keeper_.session_totals().all, 1U);
}

TEST_F(WireguardPeersTest, StatusCountsThePeersThatHaveASession) {
    serve(3);
    a_.answer(sample_key(1));
    pass(seconds(3));
    using Numbers = std::vector<std::size_t>;
    const auto numbers = [this](const Site& site) {
        Numbers found;
        for (const auto& [place, value] : site.keeper_.status(now_)) {
            found.push_back(std::get<std::size_t>(value));
        }
        return found;
    };
    EXPECT_EQ(numbers(a_), (Numbers{1, 3, 0})) << "active, peers, waiting";
    EXPECT_EQ(numbers(b_), (Numbers{1, 3, 0}));
    pass(seconds(180));
    EXPECT_EQ(numbers(b_), (Numbers{0, 3, 0}));
}

TEST_F(WireguardPeersTest, ARecordThatCannotBeReadIsSetAside) {
    serve(1);
    const wire::RecordKey wrong = node::traffic_record_of(sample_key(1));
    a_.replica_.publish(wrong, Bytes{9});
    a_.replica_.publish(node::peer_record_of(sample_key(2)), Bytes{9});
    settle();
    EXPECT_THAT(b_.keeper_.sessions({}), SizeIs(2));
    EXPECT_EQ(b_.keeper_.session_totals().quarantined, 1U);
    EXPECT_THAT(b_.kernel_, SizeIs(1));
}

TEST_F(WireguardPeersTest, APeerThatTheKernelRefusesIsQuarantinedAndTriedAgain) {
    b_.refuses_ = true;
    serve(1);
    EXPECT_EQ(b_.keeper_.session_totals().quarantined, 1U);
    b_.refuses_ = false;
    pass(seconds(5));
    EXPECT_EQ(b_.keeper_.session_totals().quarantined, 0U);
    EXPECT_TRUE(a_.replica_.is_protected(node::peer_record_of(sample_key(1))));
}

}  // namespace wireguard_peers_test
}  // namespace vpnha::keepers

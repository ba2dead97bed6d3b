// SPDX-License-Identifier: GPL-2.0-or-later
// New calls in a tunnel that was taken over: who gets in, when its pppd starts, and what becomes of
// it. Node 1 has carried session 1; node 2 has taken its tunnel over.
#include "protocols/l2tp/keeper/new_calls.hpp"

#include <gmock/gmock.h>

#include "unit/cluster/node/sample_session.hpp"

namespace vpnha::node {
namespace new_calls_test {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const l2tp::TunnelKey kLac = session(1).key.tunnel;

class NewCallsTest : public ::testing::Test {
  protected:
    void SetUp() override { take_over(2, 1); }

    void take_over(std::uint32_t id, std::uint32_t from) {
        holder_ = id;
        cluster_.kill(from);
        ASSERT_TRUE(cluster_.promote(id).has_value());
        follow();
    }
    FakeNode& holder() { return cluster_.at(holder_); }
    // The LAC acknowledges what it is sent. What has the number that it expects is in `received_`:
    // a number that is used again, or left out, is not.
    void follow() {
        for (int turn = 0; turn < 20; ++turn) {
            const std::vector<Bytes> sent = std::exchange(holder().datagrams, {});
            if (sent.empty()) {
                return;
            }
            for (const Bytes& datagram : sent) {
                const test::L2tpSent message = test::open_datagram(datagram);
                if (message.header.tunnel != kLac.peer_id || !message.type) {
                    continue;
                }
                if (message.header.ns.value == nr_) {
                    ++nr_;
                    received_.push_back(message);
                }
                notify(test::L2tpPacket().to(kLac.id.value).numbers(ns_, nr_));
            }
        }
    }
    void notify(const test::L2tpPacket& packet) {
        cluster_.run(holder_, holder().node->on_event(
                                  kGateway, TunnelDatagram{kLac, packet.bytes()}, cluster_.now()));
    }
    void emit(test::L2tpPacket packet, std::uint16_t session = 0) {
        notify(packet.to(kLac.id.value, session).numbers(ns_++, nr_));
        follow();
    }
    void ask(std::uint16_t peer_id) {
        emit(test::L2tpPacket(l2tp::MessageType::icrq).u16(14, peer_id));
    }
    // What the last message to that call was.
    [[nodiscard]] test::L2tpSent answer_to(std::uint16_t peer_id) const {
        for (auto at = received_.rbegin(); at != received_.rend(); ++at) {
            if (at->header.session.value == peer_id) {
                return *at;
            }
        }
        return {};
    }
    l2tp::SessionKey call(std::uint16_t peer_id) {
        return {kLac, SessionId{answer_to(peer_id).assigned_session.value_or(0)},
                SessionId{peer_id}};
    }
    l2tp::SessionKey connect(std::uint16_t peer_id) {
        ask(peer_id);
        const l2tp::SessionKey key = call(peer_id);
        emit(test::L2tpPacket(l2tp::MessageType::iccn), key.id.value);
        cluster_.pass(milliseconds(60));
        return key;
    }
    // The plugin of its pppd reports it.
    void come_up(const l2tp::SessionKey& key, PluginToken plugin) {
        l2tp::SessionRecord record = session(1);
        record.key = key;
        record.facts.peer_address.value += key.peer_id.value;
        cluster_.run(holder_, holder().node->on_plugin_up(plugin, "l2tp", stock_session(record), "",
                                                          cluster_.now()));
    }
    void pppd_ends(const l2tp::SessionKey& key, bool was_started = true) {
        cluster_.run(holder_,
                     holder().node->on_event(kGateway, CallOver{key, was_started, "so it is"},
                                             cluster_.now()));
        follow();
    }
    void hang_up(const l2tp::SessionKey& key) {
        emit(test::L2tpPacket(l2tp::MessageType::cdn).u16(1, 3).u16(14, key.peer_id.value),
             key.id.value);
    }
    std::vector<l2tp::SessionKey> started() {
        std::vector<l2tp::SessionKey> keys;
        for (const StartCall& each : holder().started_calls) {
            keys.push_back(each.call);
        }
        return keys;
    }
    [[nodiscard]] std::uint64_t count(const char* name) {
        return holder().node->find(kGateway)->cores().keepers.counts().at(name);
    }

    FakeCluster cluster_ = with_one_session();
    std::uint32_t holder_ = 0;
    std::uint16_t ns_ = 2;
    std::uint16_t nr_ = 5;
    std::vector<test::L2tpSent> received_;
};

TEST_F(NewCallsTest, ACallGetsAPppdOfItsOwn) {
    ask(700);
    EXPECT_EQ(answer_to(700).type, l2tp::MessageType::icrp);
    const l2tp::SessionKey key = call(700);
    EXPECT_THAT(holder().accepted_calls, ElementsAre(key));
    EXPECT_THAT(started(), IsEmpty());
    emit(test::L2tpPacket(l2tp::MessageType::iccn), key.id.value);
    EXPECT_THAT(started(), ElementsAre(key));
    EXPECT_EQ(count("l2tp_calls_accepted"), 1U);
    // Its pppd is given none of the addresses that clients have.
    EXPECT_THAT(holder().started_calls[0].taken, ElementsAre(session(1).facts.peer_address));
}

TEST_F(NewCallsTest, ItIsReplicatedAndContinuesAtTheNextNode) {
    const l2tp::SessionKey key = connect(700);
    come_up(key, 21);
    EXPECT_EQ(holder().plugins.at(21), "");
    EXPECT_NE(cluster_.replica(3).store().find(record_key_of(key)), nullptr);
    cluster_.start(1);
    cluster_.pass(seconds(5));
    take_over(3, 2);
    EXPECT_TRUE(holder().kernel.contains(key));
    EXPECT_EQ(count("sessions_lost"), 0U);
    for (const keepers::SessionView& view :
         holder().node->find(kGateway)->cores().keepers.sessions()) {
        EXPECT_EQ(view.state, keepers::SessionState::resumed);
    }
    // And so does the next one.
    connect(701);
    EXPECT_THAT(started(), ElementsAre(call(701)));
}

TEST_F(NewCallsTest, OnlySoManyPppdsStartInASecond) {
    constexpr std::uint16_t kMany = 60;
    for (std::uint16_t n = 0; n < kMany; ++n) {
        ask(static_cast<std::uint16_t>(700 + n));
        emit(test::L2tpPacket(l2tp::MessageType::iccn),
             call(static_cast<std::uint16_t>(700 + n)).id.value);
    }
    EXPECT_THAT(started(), SizeIs(1));
    cluster_.pass(seconds(1));
    EXPECT_NEAR(static_cast<double>(started().size()), limits::kL2tpCallsPerSecond, 1);
    cluster_.pass(seconds(3));
    EXPECT_THAT(started(), SizeIs(kMany));
    EXPECT_EQ(started().front().peer_id, SessionId{700});
    EXPECT_EQ(started().back().peer_id, SessionId{700 + kMany - 1});
}

TEST_F(NewCallsTest, TooManyThatWaitAreRefused) {
    for (std::size_t n = 0; n < limits::kL2tpCallsWaitingMax; ++n) {
        ask(static_cast<std::uint16_t>(700 + n));
    }
    EXPECT_EQ(count("l2tp_calls_refused"), 0U);
    ask(1999);
    EXPECT_EQ(answer_to(1999).type, l2tp::MessageType::cdn);
    EXPECT_EQ(answer_to(1999).result, 4);
    EXPECT_EQ(count("l2tp_calls_refused"), 1U);
    EXPECT_THAT(holder().log, Contains(HasSubstr("event=call-refused")));
}

TEST_F(NewCallsTest, ADrainedGatewayTakesNone) {
    const RequestToken request = 900;
    cluster_.run(2, holder().node->drain(request, kGateway, cluster_.unix_ms(), cluster_.now()));
    ask(700);
    EXPECT_EQ(answer_to(700).type, l2tp::MessageType::cdn);
    EXPECT_EQ(answer_to(700).result, 3);
    EXPECT_THAT(holder().accepted_calls, IsEmpty());
    cluster_.run(2, holder().node->drain(request + 1, kGateway, std::nullopt, cluster_.now()));
    ask(701);
    EXPECT_EQ(answer_to(701).type, l2tp::MessageType::icrp);
}

TEST_F(NewCallsTest, ThePeerLearnsOfAPppdThatHasEnded) {
    const l2tp::SessionKey key = connect(700);
    pppd_ends(key);
    EXPECT_EQ(answer_to(700).type, l2tp::MessageType::cdn);
    EXPECT_EQ(answer_to(700).result, 1);
    EXPECT_EQ(answer_to(700).assigned_session, key.id.value);
    EXPECT_THAT(holder().log, Contains(HasSubstr("event=call-down")));
}

TEST_F(NewCallsTest, ThePeerLearnsOfAPppdThatCannotBeStarted) {
    const l2tp::SessionKey key = connect(700);
    pppd_ends(key, false);
    EXPECT_EQ(answer_to(700).type, l2tp::MessageType::cdn);
    EXPECT_EQ(answer_to(700).result, 4);
    EXPECT_THAT(holder().log, Contains(HasSubstr("event=call-failed")));
}

TEST_F(NewCallsTest, ACallThatThePeerEndsTakesItsPppdWithIt) {
    const l2tp::SessionKey key = connect(700);
    come_up(key, 21);
    hang_up(key);
    EXPECT_THAT(holder().dropped_calls, ElementsAre(key));
    // Its pppd says so at its end.
    cluster_.run(2, holder().node->on_plugin_down(21, cluster_.now()));
    EXPECT_EQ(cluster_.replica(3).store().find(record_key_of(key)), nullptr);
    pppd_ends(key);
    EXPECT_NE(answer_to(700).type, l2tp::MessageType::cdn);
}

TEST_F(NewCallsTest, ACallThatEndsWhileItWaitsGetsNoPppd) {
    connect(700);
    ask(701);
    const l2tp::SessionKey waits = call(701);
    emit(test::L2tpPacket(l2tp::MessageType::iccn), waits.id.value);
    ask(702);
    emit(test::L2tpPacket(l2tp::MessageType::iccn), call(702).id.value);
    hang_up(call(702));
    cluster_.pass(seconds(1));
    EXPECT_THAT(started(), SizeIs(2));
}

// The calls hold the tunnel when those that were taken over have ended, and the last one ends it.
TEST_F(NewCallsTest, TheTunnelEndsWithItsLastCall) {
    const l2tp::SessionKey key = connect(700);
    hang_up(session(1).key);
    EXPECT_FALSE(holder().kernel.contains(session(1).key));
    EXPECT_THAT(holder().dropped_calls, IsEmpty());
    pppd_ends(key);
    EXPECT_EQ(received_.back().type, l2tp::MessageType::stopccn);
    // With the tunnel, whatever the backend has opened to speak in it.
    EXPECT_THAT(holder().dropped_calls, ElementsAre(key, key));
}

TEST_F(NewCallsTest, ASilenceEndsWhatIsBeingSetUpAndKeepsTheRest) {
    const l2tp::SessionKey key = connect(700);
    come_up(key, 21);
    hang_up(session(1).key);
    ask(701);
    const l2tp::SessionKey half = call(701);
    cluster_.mute_leases({2});
    cluster_.pass(seconds(1));
    EXPECT_THAT(holder().dropped_calls, ElementsAre(half));
    cluster_.mute_leases({});
    cluster_.pass(seconds(2));
    follow();
    // The tunnel has a call alone, and speaks again.
    ask(702);
    EXPECT_EQ(answer_to(702).type, l2tp::MessageType::icrp);
    pppd_ends(key);
    EXPECT_EQ(answer_to(700).type, l2tp::MessageType::cdn);
}

// unpause() comes without pause() there.
TEST_F(NewCallsTest, AClaimAboveAMembersEpochLeavesThemAsTheyAre) {
    const l2tp::SessionKey key = connect(700);
    come_up(key, 21);
    cluster_.pass(seconds(11));
    wire::Hello hello;
    hello.version_min = hello.version_max = 1;
    hello.gateways.emplace_back().gateway = kGateway;
    hello.gateways.back().epoch = {2, NodeId{3}};
    cluster_.emit(3, wire::Dialects().encode(hello, 1));
    cluster_.pass(seconds(1));
    follow();
    ASSERT_EQ(cluster_.replica(2).epoch(), (Epoch{3, NodeId{2}}));
    EXPECT_THAT(holder().dropped_calls, IsEmpty());
    ask(702);
    EXPECT_EQ(answer_to(702).type, l2tp::MessageType::icrp);
}

TEST_F(NewCallsTest, ADemotionLeavesThemToTheStockDaemonsEnd) {
    const l2tp::SessionKey key = connect(700);
    come_up(key, 21);
    ask(701);
    const l2tp::SessionKey half = call(701);
    ASSERT_TRUE(cluster_.demote(2).has_value());
    EXPECT_THAT(holder().dropped_calls, ElementsAre(half));
    // It is hot here as elsewhere.
    cluster_.pass(seconds(1));
    EXPECT_TRUE(holder().kernel.contains(key));
    pppd_ends(key);
    EXPECT_TRUE(holder().kernel.contains(key));
}

TEST_F(NewCallsTest, ACallOfBeforeADemotionIsASessionAsAnyOther) {
    const l2tp::SessionKey key = connect(700);
    come_up(key, 21);
    ASSERT_TRUE(cluster_.demote(2).has_value());
    cluster_.pass(seconds(1));
    ASSERT_TRUE(cluster_.promote(2).has_value());
    follow();
    hang_up(session(1).key);
    hang_up(key);
    EXPECT_EQ(received_.back().type, l2tp::MessageType::stopccn);
}

TEST(NewCallsQueueTest, OneThatWasDroppedIsNotTaken) {
    keepers::NewCalls calls;
    const l2tp::SessionKey one{kLac, SessionId{1}, SessionId{11}};
    const l2tp::SessionKey two{kLac, SessionId{2}, SessionId{12}};
    calls.accept(one);
    calls.connect(one);
    calls.accept(two);
    calls.connect(two);
    EXPECT_TRUE(calls.erase(one));
    EXPECT_FALSE(calls.erase(one));
    const TimePoint now{seconds(1)};
    EXPECT_EQ(calls.take(now), two);
    EXPECT_EQ(calls.take(now + seconds(1)), std::nullopt);
    EXPECT_THAT(calls.started_in(kLac), ElementsAre(two));
    EXPECT_FALSE(calls.next_deadline().has_value());
}

}  // namespace new_calls_test
}  // namespace vpnha::node

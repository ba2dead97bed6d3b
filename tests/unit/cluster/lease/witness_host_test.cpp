// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/lease/witness_host.hpp"

#include <gmock/gmock.h>

#include "cluster/lease/witness_key.hpp"
#include "unit/cluster/lease/cluster.hpp"

namespace vpnha::lease {
namespace witness_host_test {

using ::testing::IsEmpty;
using ::testing::SizeIs;

const Timing kTiming;
const LeaseKey kKey = LeaseKey::of_witness("the cluster's key", "wit1");
const Sender kSelf{kWitness, boot_of(9), Instance{77}};
const GatewayId kGateway{4};

// A vpnhad as far as a witness sees it.
class FakeNode {
  public:
    FakeNode(unsigned node, std::uint64_t instance)
        : self_(sender_of(node, instance)), guard_(self_.instance) {
        guard_.set_senders({kWitness});
    }
    Bytes emits(const Message& message) {
        return encode({kGateway, self_, ++sequence_, message}, kKey);
    }
    // What the witness's packet has for this node; it answers a greeting that wants one.
    std::optional<Message> receives(const WitnessHost::Packet& packet) {
        const Result<Datagram> datagram = parse_datagram(packet.bytes, kKey);
        EXPECT_TRUE(datagram) << datagram.error().detail;
        EXPECT_EQ(datagram->sender, kSelf);
        const auto* const hello = std::get_if<Hello>(&datagram->message);
        const ReplayGuard::Seen seen =
            guard_.on_datagram(datagram->sender, datagram->sequence, datagram->message);
        if (hello != nullptr) {
            if (const auto answer = guard_.greeting(kWitness, datagram->sender, hello)) {
                to_emit.push_back(emits(*answer));
            }
        }
        const bool taken = seen == ReplayGuard::Seen::fresh || seen == ReplayGuard::Seen::new_life;
        return taken ? std::optional(datagram->message) : std::nullopt;
    }
    Bytes first_word() { return emits(guard_.greeting(kWitness)); }

    std::vector<Bytes> to_emit;

  private:
    Sender self_;
    ReplayGuard guard_;
    std::uint64_t sequence_ = 0;
};

class WitnessHostTest : public ::testing::Test {
  protected:
    WitnessHost::Orders deliver(const Bytes& bytes, const std::string& from) {
        return host_.on_datagram(bytes, from, now_);
    }
    // Until nothing more is to be said.
    void meet(FakeNode& node, const std::string& from) {
        node.to_emit.push_back(node.first_word());
        while (!node.to_emit.empty()) {
            const Bytes bytes = node.to_emit.back();
            node.to_emit.pop_back();
            for (const WitnessHost::Packet& packet : deliver(bytes, from).packets) {
                EXPECT_EQ(packet.to, from);
                static_cast<void>(node.receives(packet));
            }
        }
    }
    static Round round_of(unsigned node, std::uint64_t instance) {
        Round round;
        round.id = {{1, NodeId{node}}, {instance}, 1};
        round.lease = kTiming.lease;
        round.voters = durable_of({NodeId{1}, NodeId{2}, kWitness}).voters;
        return round;
    }

    TimePoint now_{std::chrono::hours(1)};
    // It has been up for long; a clean end left its file.
    WitnessHost host_{kSelf,
                      kTiming,
                      kKey,
                      {{kGateway, {durable_of({NodeId{1}, NodeId{2}, kWitness}), false}}},
                      now_ - kTiming.abstention()};
    FakeNode first_{1, 5};
};

TEST_F(WitnessHostTest, ANodeIsReceivedWhenItHasRepeatedAChallenge) {
    EXPECT_THAT(deliver(first_.emits(round_of(1, 5)), "a").saves, IsEmpty());
    EXPECT_EQ(host_.counters().unproven, 1U);
    meet(first_, "a");
    const WitnessHost::Orders voted = deliver(first_.emits(round_of(1, 5)), "b");
    EXPECT_THAT(voted.packets, IsEmpty()) << "the file waits";
    ASSERT_THAT(voted.saves, SizeIs(1));
    EXPECT_EQ(voted.saves.front().gateway, kGateway);
    const WitnessHost::Orders saved =
        host_.on_saved(kGateway, voted.saves.front().ticket, true, now_);
    ASSERT_THAT(saved.packets, SizeIs(1));
    EXPECT_EQ(saved.packets.front().to, "b") << "where its newest word came from";
    const std::optional<Message> answer = first_.receives(saved.packets.front());
    ASSERT_TRUE(answer);
    EXPECT_TRUE(std::holds_alternative<Answer>(*answer));
}

// A node that is heard would say nothing more: by the answer the other one knows that it is there.
TEST_F(WitnessHostTest, EachHelloIsAnswered) {
    meet(first_, "a");
    for (int i = 0; i < 3; ++i) {
        const WitnessHost::Orders orders = deliver(first_.emits(Hello{}), "a");
        ASSERT_THAT(orders.packets, SizeIs(1));
        const std::optional<Message> hello = first_.receives(orders.packets.front());
        ASSERT_TRUE(hello);
        EXPECT_EQ(std::get<Hello>(*hello).sent_at, now_);
    }
}

TEST_F(WitnessHostTest, WhatIsForgedReplayedOrSentBackIsNotAnswered) {
    meet(first_, "a");
    const Bytes word = first_.emits(Hello{});
    const WitnessHost::Orders answered = deliver(word, "a");
    ASSERT_THAT(answered.packets, SizeIs(1));
    EXPECT_THAT(deliver(word, "elsewhere").packets, IsEmpty());
    EXPECT_EQ(host_.counters().replayed, 1U);
    EXPECT_THAT(deliver(answered.packets.front().bytes, "a").packets, IsEmpty());
    EXPECT_EQ(host_.counters().malformed, 1U);
    const Datagram foreign{kGateway, sender_of(1, 5), 1'000, Hello{}};
    EXPECT_THAT(deliver(encode(foreign, LeaseKey("the cluster's key")), "a").packets, IsEmpty());
    EXPECT_EQ(host_.counters().forged, 1U);
}

TEST_F(WitnessHostTest, AnotherGatewayHasAVoteOfItsOwnWithoutAMemory) {
    meet(first_, "a");
    const Bytes word = encode({GatewayId{9}, sender_of(1, 5), 1'000, round_of(1, 5)}, kKey);
    for (const WitnessHost::Save& save : deliver(word, "a").saves) {
        static_cast<void>(host_.on_saved(save.gateway, save.ticket, true, now_));
    }
    ASSERT_TRUE(host_.votes().contains(GatewayId{9}));
    EXPECT_FALSE(host_.votes().at(GatewayId{9}).engine().remembers());
    EXPECT_TRUE(host_.votes().at(kGateway).engine().remembers());
    // It asks the node that has spoken, when its abstention is over.
    now_ += kTiming.abstention();
    ASSERT_TRUE(host_.next_deadline());
    EXPECT_LE(*host_.next_deadline(), now_);
    bool asked = false;
    for (const WitnessHost::Packet& packet : host_.on_time(now_).packets) {
        const std::optional<Message> message = first_.receives(packet);
        asked = asked || (message && std::holds_alternative<Recall>(*message));
        EXPECT_EQ(packet.to, "a");
    }
    EXPECT_TRUE(asked);
    EXPECT_THAT(host_.last_files(), SizeIs(2));
    EXPECT_FALSE(host_.last_files().at(GatewayId{9}).ahead);
}

TEST_F(WitnessHostTest, ItKnowsWhenAndFromWhereANodeWasReceivedLast) {
    EXPECT_THAT(host_.received(), IsEmpty());
    static_cast<void>(deliver(first_.first_word(), "a"));
    EXPECT_THAT(host_.received(), IsEmpty()) << "it may be a record of an earlier life";
    meet(first_, "a");
    now_ += std::chrono::seconds(1);
    const Bytes word = first_.emits(Hello{});
    static_cast<void>(deliver(word, "b"));
    ASSERT_TRUE(host_.received().contains(NodeId{1}));
    EXPECT_EQ(host_.received().at(NodeId{1}).from, "b");
    EXPECT_EQ(host_.received().at(NodeId{1}).at, now_);
    static_cast<void>(deliver(word, "c"));
    EXPECT_EQ(host_.received().at(NodeId{1}).from, "b") << "it was replayed";
}

// An octet names a gateway, so there are 255 at most, and 0 is none.
TEST_F(WitnessHostTest, AllGatewaysThatThereCanBeHaveAVote) {
    meet(first_, "a");
    std::uint64_t sequence = 1'000;
    for (unsigned gateway = 0; gateway <= 255; ++gateway) {
        const GatewayId id{static_cast<std::uint8_t>(gateway)};
        static_cast<void>(
            deliver(encode({id, sender_of(1, 5), ++sequence, round_of(1, 5)}, kKey), "a"));
    }
    EXPECT_THAT(host_.votes(), SizeIs(255));
    EXPECT_FALSE(host_.votes().contains(GatewayId{0}));
}

TEST_F(WitnessHostTest, WhoSpokeLastIsKept) {
    meet(first_, "a");
    for (unsigned node = 2; node <= kVotersMax; ++node) {
        FakeNode other(node, node);
        meet(other, "b");
    }
    static_cast<void>(deliver(first_.emits(Hello{}), "a"));
    FakeNode another(20, 20);
    meet(another, "b");
    EXPECT_TRUE(host_.received().contains(NodeId{1}));
    EXPECT_FALSE(host_.received().contains(NodeId{2}));
}

TEST_F(WitnessHostTest, AHelloIsOfAllGateways) {
    meet(first_, "a");
    static_cast<void>(
        deliver(encode({GatewayId{9}, sender_of(1, 5), 1'000, round_of(1, 5)}, kKey), "a"));
    FakeNode second(2, 6);
    meet(second, "b");
    EXPECT_TRUE(
        is_in(host_.votes().at(GatewayId{9}).engine().state().voters.current.nodes, NodeId{2}));
}

TEST_F(WitnessHostTest, OfNodesThatHaveGoneOnlySevenAreKept) {
    meet(first_, "a");
    for (unsigned node = 2; node <= 1 + kVotersMax; ++node) {
        FakeNode other(node, node);
        meet(other, "b");
    }
    EXPECT_THAT(host_.received(), SizeIs(kVotersMax));
    const std::uint64_t before = host_.counters().unproven;
    static_cast<void>(deliver(first_.emits(Hello{}), "a"));
    EXPECT_EQ(host_.counters().unproven, before + 1);
}

TEST(LeaseKeyTest, EachWitnessHasAKeyOfItsOwn) {
    const LeaseKey lease("key");
    const LeaseKey first = LeaseKey::of_witness("key", "a");
    const LeaseKey second = LeaseKey::of_witness("key", "ak");
    const LeaseKey other = LeaseKey::of_witness("ey", "ak");
    const auto differ = [](const LeaseKey& one, const LeaseKey& two) {
        return !std::equal(one.octets().begin(), one.octets().end(), two.octets().begin());
    };
    EXPECT_TRUE(differ(lease, first));
    EXPECT_TRUE(differ(first, second));
    EXPECT_TRUE(differ(second, other));
    // "a" + "key" and "ak" + "ey" are the same octets.
    EXPECT_TRUE(differ(first, other));
    EXPECT_TRUE(differ(first, LeaseKey::of_witness("key", "b")));
    EXPECT_FALSE(differ(first, LeaseKey(first.octets())));
}

// Nodes and witnesses of all releases have the same: BLAKE2b-256 of purpose, length, name and key.
TEST(LeaseKeyTest, AWitnessesKeyIsAsDocumented) {
    const LeaseKey key = LeaseKey::of_witness("the key of the cluster", "wit1");
    const WitnessKeyLine line({"c", "wit1", key.octets()});
    EXPECT_EQ(line.view(),
              "vpnha-witness-key 1 c wit1 "
              "78fddd8c8c13442afcea1b6f872d49da439695b1a86c67c002b13d42a9fcd826\n");
}

}  // namespace witness_host_test
}  // namespace vpnha::lease

// SPDX-License-Identifier: GPL-2.0-or-later
// Requests of a gateway that its client has not answered, here and at the next node.
#include <gmock/gmock.h>

#include "base/limits.hpp"
#include "protocols/ipsec/keeper/open_requests.hpp"
#include "protocols/ipsec/model/sa_store.hpp"
#include "protocols/ipsec/work.hpp"
#include "support/ha_builder.hpp"
#include "unit/cluster/node/fake_gateway.hpp"

namespace vpnha::keepers {
namespace ipsec_open_requests_test {

using std::chrono::seconds;
using test::IkeSample;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const ipsec::HaHost kVip{parse_ip("192.0.2.100").value_or(IpAddress{}), 4500};
const ipsec::HaHost kClient{parse_ip("198.51.100.7").value_or(IpAddress{}), 4500};

// As charon sends it behind a NAT.
Bytes datagram(const ipsec::IkeKey& key, std::uint32_t mid, std::size_t more = 56) {
    ByteWriter out;
    out.u32(0).u64(key.spi_i).u64(key.spi_r).u8(46).u8(0x20).u8(37).u8(0).u32(mid);
    return std::move(out.u32(0).bytes(Bytes(more))).take();
}

class Node final : public FakeGateway {
  public:
    explicit Node(std::uint32_t node) : FakeGateway(GatewayId{1}, NodeId{node}), keeper_(*this) {}
    using FakeGateway::replica_;

    void serve(std::uint64_t epoch, std::uint32_t node, TimePoint now) {
        replica_.on_members({NodeId{node}}, true, now);
        static_cast<void>(replica_.begin_epoch({epoch, NodeId{node}}, now));
        keeper_.promote(now, effects_);
    }
    void notify(const ipsec::IkePacket& packet, TimePoint now) {
        const node::IpsecEvent seen = node::IkeSeen{packet};
        keeper_.on_event(effects::KeeperEvent(seen), now, effects_);
    }
    // Numbers of the requests that have gone out again since the last call.
    std::vector<std::uint32_t> again() {
        std::vector<std::uint32_t> mids;
        for (const effects::Effect& effect : std::exchange(effects_, {})) {
            const auto* const work = effects::find<node::IpsecWork>(effect);
            const auto* const send = work == nullptr ? nullptr : std::get_if<node::SendIke>(work);
            if (send != nullptr) {
                EXPECT_EQ(send->from, kVip);
                EXPECT_EQ(send->to, kClient);
                ByteReader in(send->datagram);
                in.take(24);
                mids.push_back(in.u32());
            }
        }
        return mids;
    }
    // Whether the socket was turned on or off last.
    std::vector<bool> watched() {
        std::vector<bool> watched;
        for (const effects::Effect& effect : std::exchange(effects_, {})) {
            const auto* const work = effects::find<node::IpsecWork>(effect);
            const auto* const watch = work == nullptr ? nullptr : std::get_if<node::WatchIke>(work);
            if (watch != nullptr) {
                watched.push_back(watch->on);
            }
        }
        return watched;
    }
    [[nodiscard]] std::size_t records() const {
        std::size_t count = 0;
        replica_.store().each_of(wire::Service::checkpoint, [&](const auto& key, const auto&) {
            count += key.type == wire::RecordType::open_request ? 1 : 0;
        });
        return count;
    }

    OpenRequests keeper_;
    Effects effects_;
};

class IpsecOpenRequestsTest : public ::testing::Test {
  protected:
    IpsecOpenRequestsTest() {
        EXPECT_TRUE(sas_.apply(sample_.add()));
        EXPECT_TRUE(sas_.apply(sample_.update()));
        a_.serve(1, 1, now_);
        publish_sa(a_);
        EXPECT_THAT(a_.watched(), ElementsAre(true));
    }
    void publish_sa(Node& node) {
        node.replica_.publish(sa_record(), ipsec::encode_record(*sas_.sas().find(sample_.id.key)));
    }
    [[nodiscard]] wire::RecordKey sa_record() const {
        return {wire::RecordType::ike_sa, wire::RecordId(ipsec::encode_key(sample_.id.key))};
    }
    void ask(Node& node, std::uint32_t mid, bool makes_child = false, std::size_t more = 56) {
        const Bytes octets = datagram(sample_.id.key, mid, more);
        node.notify({.key = sample_.id.key,
                     .mid = mid,
                     .makes_child = makes_child,
                     .is_sent = true,
                     .from = kVip,
                     .to = kClient,
                     .datagram = octets},
                    now_);
    }
    void answer(Node& node, std::uint32_t mid) {
        node.notify(
            {.key = sample_.id.key, .mid = mid, .is_answer = true, .from = kClient, .to = kVip},
            now_);
    }
    // B has what A has, and serves.
    void take_over(Node& from, Node& to, std::uint64_t epoch, std::uint32_t node) {
        Effects none;
        const auto pass = [&](const wire::RecordKey& key, const replica::StoredRecord& record) {
            if (key.type == wire::RecordType::open_request) {
                to.keeper_.install({key, 1, record.payload}, now_, none);
            }
        };
        from.replica_.store().each_of(wire::Service::checkpoint, pass);
        EXPECT_THAT(none, IsEmpty());
        to.serve(epoch, node, now_);
        publish_sa(to);
        EXPECT_THAT(to.watched(), ElementsAre(true));
    }

    TimePoint now_{seconds(1000)};
    const IkeSample sample_{test::ike_id(2, 1)};
    ipsec::SaStore sas_{1701};
    Node a_{1};
    Node b_{2};
    Node c_{3};
};

TEST_F(IpsecOpenRequestsTest, WhatIsNotAnsweredGoesOutAgainBehindTheNextNodesOwn) {
    ask(a_, 2);
    EXPECT_EQ(a_.records(), 1U);
    take_over(a_, b_, 2, 2);
    EXPECT_THAT(b_.again(), IsEmpty()) << "its client is not asked yet";
    ask(b_, 3);
    EXPECT_THAT(b_.again(), ElementsAre(2));
    ask(b_, 2);
    EXPECT_THAT(b_.again(), IsEmpty()) << "that is what it has sent";
    ask(b_, 3);
    EXPECT_THAT(b_.again(), ElementsAre(2)) << "as often as charon asks";
    answer(b_, 2);
    ask(b_, 3);
    EXPECT_THAT(b_.again(), IsEmpty());
    EXPECT_EQ(b_.keeper_.counts().at("ike_requests_sent_again"), 2U);
}

TEST_F(IpsecOpenRequestsTest, WhatIsAnsweredIsNoRecord) {
    ask(a_, 2);
    ask(a_, 2);
    EXPECT_EQ(a_.records(), 1U) << "charon asks again";
    answer(a_, 1);
    EXPECT_EQ(a_.records(), 1U);
    answer(a_, 2);
    EXPECT_EQ(a_.records(), 0U);
}

TEST_F(IpsecOpenRequestsTest, AnAnswerToALaterOneAnswersAll) {
    ask(a_, 2);
    take_over(a_, b_, 2, 2);
    ask(b_, 3);
    answer(b_, 3);
    EXPECT_EQ(b_.records(), 0U);
    EXPECT_THAT(b_.again(), ElementsAre(2));
}

TEST_F(IpsecOpenRequestsTest, AClientThatSleepsThroughTwoTakeoversIsAskedBoth) {
    ask(a_, 2);
    take_over(a_, b_, 2, 2);
    publish_sa(b_);
    b_.replica_.publish(
        {wire::RecordType::open_request, wire::RecordId(ipsec::encode_id({sample_.id.key, 2, {}}))},
        ipsec::encode_record({sample_.id.key, 2, datagram(sample_.id.key, 2)}));
    ask(b_, 3);
    take_over(b_, c_, 3, 3);
    ask(c_, 4);
    EXPECT_THAT(c_.again(), ElementsAre(2, 3));
    ask(c_, 2);
    ask(c_, 3);
    EXPECT_THAT(c_.again(), IsEmpty());
}

TEST_F(IpsecOpenRequestsTest, TheNumberOfThoseOfOneSaIsBounded) {
    for (std::uint32_t mid = 2; mid < 20; ++mid) {
        ask(a_, mid);
    }
    EXPECT_EQ(a_.records(), limits::kIkeRequestsMax);
}

TEST_F(IpsecOpenRequestsTest, WhatWouldMakeAChildIsNotKept) {
    ask(a_, 2, true);
    EXPECT_EQ(a_.records(), 0U);
    ask(a_, 2);
    take_over(a_, b_, 2, 2);
    ask(b_, 3, true);
    EXPECT_THAT(b_.again(), ElementsAre(2)) << "but waits for what is before it";
}

TEST_F(IpsecOpenRequestsTest, WhatIsTooLongOrCutIsNotKept) {
    ask(a_, 2, false, limits::kIkeRequestBytesMax);
    a_.notify({.key = sample_.id.key, .mid = 2, .is_sent = true, .from = kVip, .to = kClient},
              now_);
    EXPECT_EQ(a_.records(), 0U);
}

TEST_F(IpsecOpenRequestsTest, WhatOthersSendIsNoneOfTheGateways) {
    const Bytes octets = datagram(sample_.id.key, 2);
    const ipsec::IkePacket sent{.key = sample_.id.key,
                                .mid = 2,
                                .is_sent = true,
                                .from = kVip,
                                .to = kClient,
                                .datagram = octets};
    ipsec::IkePacket other = sent;
    other.from = {parse_ip("198.51.100.9").value_or(IpAddress{}), 4500};
    a_.notify(other, now_);
    other = sent;
    other.key.spi_r += 1;
    a_.notify(other, now_);
    other = sent;
    other.is_answer = true;
    a_.notify(other, now_);
    other = sent;
    other.is_sent = false;
    a_.notify(other, now_);
    EXPECT_EQ(a_.records(), 0U);
    a_.notify(sent, now_);
    EXPECT_EQ(a_.records(), 1U);
}

TEST_F(IpsecOpenRequestsTest, WhatIsOfAnSaThatHasEndedIsForgotten) {
    ask(a_, 2);
    ASSERT_EQ(a_.keeper_.next_deadline(), now_ + limits::kIkeRequestsPause);
    a_.keeper_.on_time(now_ + limits::kIkeRequestsPause, a_.effects_);
    EXPECT_EQ(a_.records(), 1U);
    a_.replica_.erase(sa_record(), now_);
    a_.keeper_.on_time(now_ + 2 * limits::kIkeRequestsPause, a_.effects_);
    EXPECT_EQ(a_.records(), 0U);
    EXPECT_FALSE(a_.keeper_.next_deadline()) << "there is nothing to look at";
}

TEST_F(IpsecOpenRequestsTest, OnlyTheNodeThatServesWatches) {
    a_.keeper_.pause(a_.effects_);
    ask(a_, 2);
    EXPECT_EQ(a_.records(), 0U);
    a_.keeper_.unpause(now_, a_.effects_);
    ask(a_, 2);
    EXPECT_EQ(a_.records(), 1U);
    a_.keeper_.mute(a_.effects_);
    EXPECT_THAT(a_.watched(), ElementsAre(false, true, false));
    EXPECT_FALSE(a_.keeper_.next_deadline());
}

TEST_F(IpsecOpenRequestsTest, ARecordThatIsGoneIsNotSentAgain) {
    ask(a_, 2);
    take_over(a_, b_, 2, 2);
    Effects none;
    b_.keeper_.remove(
        {wire::RecordType::open_request, wire::RecordId(ipsec::encode_id({sample_.id.key, 2, {}}))},
        none);
    ask(b_, 3);
    EXPECT_THAT(b_.again(), IsEmpty());
}

TEST_F(IpsecOpenRequestsTest, ARecordThatCannotBeReadIsSetAside) {
    Effects effects;
    b_.keeper_.install(
        {{wire::RecordType::open_request, wire::RecordId(Bytes{2})}, 1, SmallBytes(Bytes{1, 0, 0})},
        now_, effects);
    EXPECT_THAT(effects, SizeIs(1));
}

}  // namespace ipsec_open_requests_test
}  // namespace vpnha::keepers

// SPDX-License-Identifier: GPL-2.0-or-later
#include "keepers/ipsec/ipsec_sas.hpp"

#include <gmock/gmock.h>

#include <deque>

#include "base/limits.hpp"
#include "support/ha_builder.hpp"

namespace vpnha::keepers {
namespace ipsec_sas_test {

using ipsec::SaCounters;
using ipsec::SaId;
using std::chrono::milliseconds;
using std::chrono::seconds;
using test::IkeSample;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const IpAddress kVip = parse_ip("192.0.2.100").value_or(IpAddress{});
const IpAddress kClient = parse_ip("198.51.100.7").value_or(IpAddress{});

// A node with its charon and its kernel.
class Site final : public Gateway {
  public:
    explicit Site(std::uint32_t node) : replica_(GatewayId{1}, NodeId{node}), keeper_(*this) {}

    [[nodiscard]] GatewayId id() const override { return GatewayId{1}; }
    [[nodiscard]] replica::Replica& replica() override { return replica_; }
    [[nodiscard]] const replica::Replica& replica() const override { return replica_; }
    [[nodiscard]] bool is_attached() const override { return true; }
    [[nodiscard]] bool is_served() const override { return replica_.promoted(); }
    [[nodiscard]] bool is_heard() const override { return replica_.promoted(); }
    void install_missing(TimePoint now, Effects&) override {
        take(replica_.install_missing(), now);
    }
    [[nodiscard]] std::string tag() const override { return "gateway=fake"; }

    void take(replica::Effects&& from, TimePoint now) {
        for (replica::Effect& effect : from) {
            if (auto* send = std::get_if<replica::Send>(&effect)) {
                sent_.push_back(std::move(send->message));
            } else if (auto* wanted = std::get_if<replica::Install>(&effect)) {
                keeper_.install(*wanted, now, effects_);
            } else if (auto* remove = std::get_if<replica::Remove>(&effect)) {
                keeper_.remove(remove->key, effects_);
            } else if (std::holds_alternative<replica::Completed>(effect)) {
                keeper_.on_in_sync(now);
            }
        }
    }

    void tell(const node::IpsecEvent& event, TimePoint now) {
        keeper_.on_event(node::KeeperEvent(event), now, effects_);
    }

    // What charon and the kernel do, and what follows from it.
    void run(TimePoint now) {
        keeper_.follow(now, effects_);
        while (!effects_.empty()) {
            for (node::Effect& effect : std::exchange(effects_, {})) {
                if (auto* work = std::get_if<node::IpsecWork>(&effect)) {
                    std::visit([&](auto& each) { execute(each, now); }, *work);
                }
            }
            keeper_.follow(now, effects_);
        }
    }

    void execute(node::FeedCharon& feed, TimePoint now) {
        for (Bytes& message : feed.messages) {
            const auto parsed = ipsec::parse_ha_message(message);
            const auto spi = parsed ? parsed->spi(ipsec::HaTag::inbound_spi) : std::nullopt;
            if (spi && parsed->type == ipsec::HaType::child_add && installs_) {
                add_child(*spi, *parsed->spi(ipsec::HaTag::outbound_spi));
            } else if (spi && parsed->type == ipsec::HaType::child_delete) {
                kernel_.erase({kClient, kVip, *spi});
            }
            fed_.push_back(std::move(message));
        }
        if (answers_) {
            tell(node::CharonFed{feed.ticket, {}}, now);
        } else {
            unanswered_ = feed.ticket;
        }
    }
    void execute(node::TurnCharon& turn, TimePoint now) {
        turns_.push_back(turn.active);
        tell(node::CharonTurned{turn.active}, now);
    }
    void execute(node::ListSas&, TimePoint now) {
        ++listings_;
        std::vector<SaCounters> all;
        for (const auto& [id, each] : kernel_) {
            all.push_back(each);
        }
        tell(node::SasListed{all}, now);
    }
    void execute(node::SetCounters& set, TimePoint now) {
        for (const SaCounters& each : set.counters) {
            kernel_.at(each.id) = each;
        }
        ++sets_;
        tell(node::CountersSet{set.ticket, {}}, now);
    }
    void execute(node::FlushSas&, TimePoint) {
        ++flushes_;
        kernel_.clear();
    }

    void add_child(std::uint32_t in, std::uint32_t out) {
        kernel_[{kClient, kVip, in}] = {{kClient, kVip, in}, 0, 32, false, 0, 0, {0}};
        kernel_[{kVip, kClient, out}] = {{kVip, kClient, out}, 0, 0, false, 0, 0, {}};
    }
    SaCounters& in(std::uint32_t spi) { return kernel_.at({kClient, kVip, spi}); }
    SaCounters& out(std::uint32_t spi) { return kernel_.at({kVip, kClient, spi}); }

    replica::Replica replica_;
    IpsecSas keeper_;
    Effects effects_;
    std::deque<wire::Message> sent_;
    std::map<SaId, SaCounters> kernel_;
    std::vector<Bytes> fed_;
    std::vector<bool> turns_;
    int listings_ = 0;
    int sets_ = 0;
    int flushes_ = 0;
    bool installs_ = true;
    bool answers_ = true;
    std::uint64_t unanswered_ = 0;
};

class IpsecSasTest : public ::testing::Test {
  protected:
    IpsecSasTest() {
        for (Site* const site : {&a_, &b_}) {
            site->replica_.on_members({NodeId{1}, NodeId{2}}, true, now_);
            site->tell(node::CharonFresh{}, now_);
        }
        promote(a_, 1);
        settle();
    }

    void promote(Site& site, std::uint64_t number) {
        site.take(site.replica_.begin_epoch(Epoch{number, NodeId{&site == &a_ ? 1U : 2U}}, now_),
                  now_);
        site.keeper_.promote(now_, site.effects_);
        site.run(now_);
    }
    void demote(Site& site) {
        site.keeper_.mute(site.effects_);
        site.replica_.end_epoch(now_);
        site.run(now_);
        site.take(site.replica_.install_missing(), now_);
        settle();
    }
    void settle() {
        for (int i = 0; i < 20; ++i) {
            for (Site* const site : {&a_, &b_}) {
                site->run(now_);
                site->take(site->replica_.flush(now_), now_);
                site->run(now_);
            }
            for (Site* const from : {&a_, &b_}) {
                for (const wire::Message& message : std::exchange(from->sent_, {})) {
                    for (Site* const to : {&a_, &b_}) {
                        to->take(
                            to->replica_.on_message(NodeId{from == &a_ ? 1U : 2U}, message, now_),
                            now_);
                    }
                }
            }
        }
    }
    void pass(Duration time) {
        const TimePoint end = now_ + time;
        while (now_ < end) {
            now_ = std::min(end, now_ + milliseconds(50));
            for (Site* const site : {&a_, &b_}) {
                const auto deadline = site->keeper_.next_deadline();
                if (deadline && *deadline <= now_) {
                    site->keeper_.on_time(now_, site->effects_);
                    site->run(now_);
                    const auto next = site->keeper_.next_deadline();
                    EXPECT_TRUE(!next || *next > now_) << "it would keep the loop busy";
                }
            }
            settle();
        }
    }
    void say(const Bytes& message) { a_.tell(node::CharonSaid{message}, now_); }
    void establish() {
        say(first_.add());
        say(build_mid(ipsec::HaType::ike_mid_responder, first_.id, 2));
        say(first_.update());
        say(first_.child(7, 8));
        a_.add_child(7, 8);
        settle();
    }
    static wire::RecordKey ike(const IkeSample& sample) {
        return {wire::RecordType::ike_sa, wire::RecordId(ipsec::encode_key(sample.id.key))};
    }
    static wire::RecordKey child(std::uint32_t spi) {
        return {wire::RecordType::child_sa, wire::RecordId(ipsec::encode_spi(spi))};
    }

    TimePoint now_{seconds(1000)};
    Site a_{1};
    Site b_{2};
    const IkeSample first_{test::ike_id(2, 1)};
    const IkeSample second_{test::ike_id(2, 2)};
};

TEST_F(IpsecSasTest, TheStandbysCharonIsFedAndItsKernelIsAhead) {
    EXPECT_THAT(a_.turns_, ElementsAre(true));
    establish();
    EXPECT_THAT(b_.fed_, ElementsAre(first_.add(), first_.update(),
                                     build_mid(ipsec::HaType::ike_mid_responder, first_.id, 2),
                                     first_.child(7, 8)));
    EXPECT_EQ(b_.out(8).oseq, limits::kEspLead);
    EXPECT_EQ(b_.in(7).seq, 0U) << "a lead would drop what the client sends";
    EXPECT_TRUE(a_.replica_.is_protected(ike(first_)));
    EXPECT_TRUE(a_.replica_.is_protected(child(7)));
    EXPECT_THAT(a_.fed_, IsEmpty());
    EXPECT_THAT(b_.turns_, IsEmpty());
}

TEST_F(IpsecSasTest, AChildIsConfirmedWhenItIsInTheKernel) {
    b_.installs_ = false;
    establish();
    EXPECT_TRUE(a_.replica_.is_protected(ike(first_)));
    EXPECT_FALSE(a_.replica_.is_protected(child(7))) << "charon's word is not enough";
    b_.add_child(7, 8);
    pass(seconds(1));
    EXPECT_TRUE(a_.replica_.is_protected(child(7)));
}

TEST_F(IpsecSasTest, AChildThatDoesNotComeIsRebuilt) {
    b_.installs_ = false;
    establish();
    b_.fed_.clear();
    pass(limits::kChildSaWait);
    EXPECT_EQ(b_.replica_.counters().refused, 1U);
    b_.installs_ = true;
    pass(seconds(2));
    EXPECT_THAT(b_.fed_, testing::Contains(ipsec::build_ike_delete(first_.id)));
    EXPECT_TRUE(a_.replica_.is_protected(child(7)));
}

TEST_F(IpsecSasTest, NumbersFollowAndTheOutboundOnesSeldom) {
    establish();
    a_.out(8).oseq = 1000;
    a_.in(7).seq = 500;
    a_.in(7).bitmap = {0xff};
    pass(seconds(1));
    EXPECT_EQ(b_.out(8).oseq, limits::kEspLead) << "half of the lead is not used up";
    EXPECT_EQ(b_.in(7).seq, 500U);
    EXPECT_THAT(b_.in(7).bitmap, ElementsAre(0xff));
    a_.out(8).oseq = limits::kEspLead / 2 + 1;
    pass(seconds(1));
    EXPECT_EQ(b_.out(8).oseq, limits::kEspLead / 2 + 1 + limits::kEspLead);
    a_.out(8).oseq = 5;
    a_.in(7).seq = 1;
    pass(seconds(1));
    EXPECT_EQ(b_.in(7).seq, 500U) << "numbers never go back";
    a_.out(8).oseq = 0xffff'fff0;
    pass(seconds(1));
    EXPECT_EQ(b_.out(8).oseq, 0xffff'ffffU) << "what is used up is not used again";
}

TEST_F(IpsecSasTest, ATakeoverNeedsNothingMore) {
    establish();
    b_.fed_.clear();
    promote(b_, 2);
    EXPECT_THAT(b_.turns_, ElementsAre(true)) << "in the same turn";
    EXPECT_THAT(b_.fed_, IsEmpty());
    a_.keeper_.mute(a_.effects_);
    a_.run(now_);
    EXPECT_THAT(a_.turns_, ElementsAre(true, false));
    settle();
    pass(seconds(1));
    b_.tell(node::CharonSaid{first_.child(9, 10)}, now_);
    b_.tell(node::CharonSaid{ipsec::build_child_delete(first_.id, 7)}, now_);
    b_.add_child(9, 10);
    settle();
    EXPECT_THAT(a_.fed_, ElementsAre(ipsec::build_child_delete(first_.id, 7), first_.child(9, 10)))
        << "it has the rest from when it served";
    EXPECT_TRUE(b_.replica_.is_protected(child(9)));
    EXPECT_EQ(b_.replica_.store().find(child(7)), nullptr);
}

TEST_F(IpsecSasTest, WhatIsOnItsWayToCharonComesBeforeItsActivation) {
    b_.answers_ = false;
    establish();
    promote(b_, 2);
    EXPECT_THAT(b_.turns_, IsEmpty());
    b_.tell(node::CharonFed{b_.unanswered_, {}}, now_);
    b_.run(now_);
    EXPECT_THAT(b_.turns_, ElementsAre(true));
    EXPECT_EQ(b_.out(8).oseq, limits::kEspLead);
}

TEST_F(IpsecSasTest, ItWaitsForALostChildForAMomentOnly) {
    b_.installs_ = false;
    establish();
    promote(b_, 2);
    EXPECT_THAT(b_.turns_, IsEmpty());
    pass(limits::kCharonTurnPause);
    EXPECT_THAT(b_.turns_, ElementsAre(true));
}

TEST_F(IpsecSasTest, WhatCharonMayHaveLostIsFedAgain) {
    b_.answers_ = false;
    establish();
    b_.answers_ = true;
    b_.fed_.clear();
    b_.tell(node::CharonFed{b_.unanswered_, fail(Errc::system, "2 drops")}, now_);
    settle();
    EXPECT_THAT(b_.fed_, IsEmpty());
    pass(limits::kCharonFeedPause);
    ASSERT_THAT(b_.fed_, SizeIs(5));
    EXPECT_EQ(b_.fed_.front(), ipsec::build_ike_delete(first_.id));
    EXPECT_TRUE(a_.replica_.is_protected(child(7)));
}

TEST_F(IpsecSasTest, AStandbysNewCharonIsFedFromTheStart) {
    establish();
    const int flushes = b_.flushes_;
    b_.fed_.clear();
    b_.tell(node::CharonGone{}, now_);
    b_.run(now_);
    EXPECT_EQ(b_.flushes_, flushes + 1);
    EXPECT_EQ(b_.replica_.hold(child(7)), replica::Hold::none);
    say(first_.vip("10.1.0.7"));
    settle();
    EXPECT_THAT(b_.fed_, IsEmpty());
    b_.tell(node::CharonFresh{}, now_);
    settle();
    EXPECT_THAT(b_.fed_, ElementsAre(first_.add(), first_.update(), first_.vip("10.1.0.7"),
                                     build_mid(ipsec::HaType::ike_mid_responder, first_.id, 2),
                                     first_.child(7, 8)));
    EXPECT_EQ(b_.replica_.hold(child(7)), replica::Hold::installed);
}

TEST_F(IpsecSasTest, ACharonThatStartsWhereItServedIsFedBeforeItSpeaks) {
    establish();
    a_.out(8).oseq = 1000;
    pass(seconds(1));
    a_.tell(node::CharonGone{}, now_);
    a_.run(now_);
    EXPECT_THAT(a_.kernel_, SizeIs(2)) << "what needs no charon goes on";
    a_.turns_.clear();
    a_.tell(node::CharonFresh{}, now_);
    a_.run(now_);
    EXPECT_THAT(a_.fed_, SizeIs(4));
    EXPECT_EQ(a_.out(8).oseq, limits::kEspLead + 1000);
    EXPECT_THAT(a_.turns_, ElementsAre(true));
}

TEST_F(IpsecSasTest, WithoutALeaseCharonIsPassive) {
    establish();
    a_.keeper_.pause(a_.effects_);
    a_.run(now_);
    EXPECT_THAT(a_.turns_, ElementsAre(true, false));
    say(first_.child(9, 10));
    settle();
    EXPECT_EQ(a_.replica_.store().find(child(9)), nullptr);
    a_.keeper_.unpause(now_, a_.effects_);
    a_.run(now_);
    EXPECT_THAT(a_.turns_, ElementsAre(true, false, true));
    EXPECT_THAT(a_.fed_, IsEmpty());
}

TEST_F(IpsecSasTest, WhatSomebodyRemovesFromAStandbysKernelIsMadeAnew) {
    establish();
    b_.kernel_.clear();
    pass(limits::kSaAuditPause + seconds(2));
    EXPECT_THAT(b_.kernel_, SizeIs(2));
    EXPECT_EQ(b_.out(8).oseq, limits::kEspLead);
    EXPECT_EQ(b_.keeper_.counts().at("child_sas_lost"), 1U);
    EXPECT_EQ(b_.replica_.hold(child(7)), replica::Hold::installed);
}

TEST_F(IpsecSasTest, SessionsAreTheIkeSas) {
    establish();
    say(first_.vip("10.1.0.7"));
    settle();
    const auto views = b_.keeper_.sessions();
    ASSERT_THAT(views, SizeIs(1));
    EXPECT_EQ(views[0].protocol, "ikev2");
    EXPECT_EQ(views[0].user, "carol@example.org");
    EXPECT_EQ(to_string(views[0].peer), "198.51.100.7:4500");
    EXPECT_EQ(to_string(views[0].address), "10.1.0.7");
    EXPECT_EQ(views[0].state, SessionState::hot);
    EXPECT_EQ(views[0].ids[0].second, 1U);
    EXPECT_EQ(a_.keeper_.sessions()[0].state, SessionState::protected_);
    EXPECT_EQ(a_.keeper_.counts().at("ike_sas"), 1U);
}

TEST_F(IpsecSasTest, NothingRemainsOfADetachedGateway) {
    establish();
    b_.fed_.clear();
    b_.keeper_.detach(b_.effects_);
    b_.run(now_);
    EXPECT_THAT(b_.fed_, ElementsAre(ipsec::build_ike_delete(first_.id)));
    EXPECT_THAT(b_.kernel_, IsEmpty());
    EXPECT_EQ(b_.keeper_.counts().at("ike_sas"), 0U);
}

TEST_F(IpsecSasTest, ARecordThatCannotBeReadIsSetAside) {
    ASSERT_TRUE(a_.replica_.publish(ike(second_), Bytes{9}));
    settle();
    EXPECT_EQ(b_.replica_.hold(ike(second_)), replica::Hold::unreadable);
}

}  // namespace ipsec_sas_test
}  // namespace vpnha::keepers

// SPDX-License-Identifier: GPL-2.0-or-later
// Accounts of sessions that their own keeper counts.
#include <gmock/gmock.h>

#include <memory>

#include "services/accounting/keeper/accounts.hpp"
#include "unit/cluster/node/fake_gateway.hpp"

namespace vpnha::keepers {
namespace accounts_usage_test {

using node::AccountingRequest;
using node::AccountingResult;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Kind = AccountingRequest::Kind;

constexpr seconds kInterim{20};
const wire::RecordKey kSession{wire::RecordType::wireguard_peer, wire::RecordId(Bytes(32, 7))};

// One node, which serves; the next keeper goes by what is in the replica, as a successor does.
class Site final : public FakeGateway {
  public:
    Site() : FakeGateway(GatewayId{1}, NodeId{1}) { begin_again(); }

    [[nodiscard]] bool lives(const wire::RecordKey& session, TimePoint) const override {
        return session == lives_of_ && lives_;
    }
    void begin_again() {
        keeper_ =
            std::make_unique<Accounts>(*this, AccountSettings{.on = true, .interim = kInterim});
    }
    void serve(TimePoint now) {
        replica_.on_members({NodeId{1}}, true, now);
        (void)replica_.begin_epoch({1, NodeId{1}}, now);
        (void)replica_.publish(kSession, Bytes{1});
    }
    void forget_session(TimePoint now) { replica_.erase(kSession, now); }
    void use(const Usage& usage, TimePoint now) { keeper_->on_usage(usage, now, effects_); }
    void run(TimePoint now) {
        keeper_->on_time(now, effects_);
        while (!effects_.empty()) {
            for (effects::Effect& effect : std::exchange(effects_, {})) {
                if (const auto* send = effects::find<node::SendAccounting>(effect)) {
                    requests_.push_back(send->request);
                    handle(
                        node::AccountingAnswered{send->ticket, AccountingResult::answered, "", {}},
                        now);
                } else if (const auto* read = effects::find<node::ReadTraffic>(effect)) {
                    handle(node::TrafficRead{read->ticket, {}}, now);
                }
            }
            keeper_->follow(now, effects_);
        }
        (void)replica_.flush(now);
    }
    void handle(const node::AccountingEvent& event, TimePoint now) {
        keeper_->on_event(effects::KeeperEvent(event), now, effects_);
    }
    [[nodiscard]] std::size_t records() const {
        return replica_.store().size_of(wire::RecordType::account);
    }

    std::unique_ptr<Accounts> keeper_;
    Effects effects_;
    std::vector<AccountingRequest> requests_;
    wire::RecordKey lives_of_ = kSession;
    bool lives_ = true;
};

class AccountsUsageTest : public ::testing::Test {
  protected:
    AccountsUsageTest() { site_.serve(now_); }

    [[nodiscard]] static Usage usage(std::uint64_t in, std::uint64_t out) {
        return {.session = kSession,
                .user = "bXVzdCBiZSBhIGtleSBvZiAzMiBvY3RldHMgaGVyZSE=",
                .address = Ipv4Address{0x0ac80001},
                .peer = *parse_ip("192.0.2.51"),
                .passed = {.octets_in = in, .octets_out = out}};
    }
    void use(const Usage& usage) {
        site_.use(usage, now_);
        pass(milliseconds(50));
    }
    void pass(Duration duration) {
        for (const TimePoint end = now_ + duration; now_ < end; now_ += milliseconds(50)) {
            site_.run(now_);
        }
    }
    [[nodiscard]] std::vector<Kind> kinds() const {
        std::vector<Kind> kinds;
        for (const AccountingRequest& each : site_.requests_) {
            kinds.push_back(each.kind);
        }
        return kinds;
    }

    TimePoint now_{TimePoint{} + seconds(1000)};
    Site site_;
};

TEST_F(AccountsUsageTest, ItsAddressOfIpv6IsInEachRequest) {
    Usage dual = usage(100, 200);
    dual.address6 = parse_ip("2001:db8:200::7")->v6();
    use(dual);
    pass(kInterim);
    ASSERT_THAT(kinds(), ElementsAre(Kind::start, Kind::interim));
    for (const AccountingRequest& each : site_.requests_) {
        EXPECT_EQ(each.address6, dual.address6);
    }
}

TEST_F(AccountsUsageTest, ASessionBeginsWithItsFirstUseAndIsCounted) {
    use(usage(100, 200));
    ASSERT_THAT(kinds(), ElementsAre(Kind::start));
    const AccountingRequest start = site_.requests_[0];
    EXPECT_FALSE(start.is_ppp);
    EXPECT_EQ(start.tunnel_type, 0U);
    EXPECT_EQ(start.user, usage(0, 0).user);
    EXPECT_EQ(start.address, Ipv4Address{0x0ac80001});
    EXPECT_EQ(start.address6, std::nullopt);
    EXPECT_EQ(to_string(start.peer), "192.0.2.51");
    Usage moved = usage(1000, 2000);
    moved.peer = *parse_ip("2001:db8::51");
    use(moved);
    pass(kInterim);
    ASSERT_THAT(kinds(), ElementsAre(Kind::start, Kind::interim));
    const AccountingRequest interim = site_.requests_[1];
    EXPECT_EQ(interim.session, start.session);
    EXPECT_EQ(interim.traffic, (Traffic{1100, 2200, 0, 0}));
    EXPECT_EQ(to_string(interim.peer), "2001:db8::51");
}

TEST_F(AccountsUsageTest, ASessionThatIsSilentHasItsStop) {
    use(usage(100, 200));
    site_.lives_ = false;
    pass(seconds(2));
    ASSERT_THAT(kinds(), ElementsAre(Kind::start, Kind::stop));
    EXPECT_EQ(site_.requests_[1].cause, EndCause::idle_timeout);
    EXPECT_EQ(site_.requests_[1].traffic, (Traffic{100, 200, 0, 0}));
    EXPECT_EQ(site_.records(), 0U);
    site_.lives_ = true;
    use(usage(5, 6));
    ASSERT_THAT(kinds(), ElementsAre(Kind::start, Kind::stop, Kind::start));
    EXPECT_NE(site_.requests_[2].session, site_.requests_[0].session) << "it is another session";
    EXPECT_EQ(site_.records(), 1U);
}

TEST_F(AccountsUsageTest, ASuccessorContinuesCounting) {
    use(usage(100, 200));
    pass(seconds(5));
    site_.begin_again();
    pass(limits::kAccountLookPause + milliseconds(100));
    use(usage(1, 2));
    pass(kInterim);
    ASSERT_THAT(kinds(), ElementsAre(Kind::start, Kind::interim)) << "no second Start";
    EXPECT_EQ(site_.requests_[1].session, site_.requests_[0].session);
    EXPECT_EQ(site_.requests_[1].traffic, (Traffic{101, 202, 0, 0}));
    EXPECT_GE(site_.requests_[1].seconds, 19U);
    site_.begin_again();
    site_.lives_ = false;
    pass(seconds(4));
    ASSERT_THAT(kinds(), ElementsAre(Kind::start, Kind::interim, Kind::stop));
    EXPECT_EQ(site_.requests_[2].traffic, (Traffic{101, 202, 0, 0}));
}

TEST_F(AccountsUsageTest, ASessionWhoseRecordIsGoneHasItsStop) {
    use(usage(1, 2));
    site_.forget_session(now_);
    pass(seconds(2));
    ASSERT_THAT(kinds(), ElementsAre(Kind::start, Kind::stop));
    EXPECT_EQ(site_.requests_[1].cause, EndCause::lost_service);
}

TEST_F(AccountsUsageTest, AnEndThatItsKeeperReportsHasItsCause) {
    use(usage(1, 2));
    site_.keeper_->on_end(kSession, EndCause::admin_reset, now_);
    pass(seconds(1));
    ASSERT_THAT(kinds(), ElementsAre(Kind::start, Kind::stop));
    EXPECT_EQ(site_.requests_[1].cause, EndCause::admin_reset);
}

TEST_F(AccountsUsageTest, AnEndThatWasOrderedHasTheCauseOfTheOrder) {
    use(usage(1, 2));
    site_.keeper_->on_end_ordered(kSession, EndCause::admin_reset);
    site_.keeper_->on_end(kSession, EndCause::user_request, now_);
    pass(seconds(1));
    ASSERT_THAT(kinds(), ElementsAre(Kind::start, Kind::stop));
    EXPECT_EQ(site_.requests_[1].cause, EndCause::admin_reset);
}

TEST_F(AccountsUsageTest, ASessionThatContinuesUnderAnotherRecordKeepsItsAccount) {
    use(usage(1, 2));
    const wire::RecordKey heir{wire::RecordType::wireguard_peer, wire::RecordId(Bytes(32, 8))};
    (void)site_.replica().publish(heir, Bytes{1});
    Usage next = usage(10, 20);
    next.session = heir;
    next.replaces = kSession;
    next.began_unix_ms = 1;
    use(next);
    site_.forget_session(now_);
    site_.keeper_->on_end(kSession, EndCause::user_request, now_);
    site_.lives_of_ = heir;
    pass(seconds(5));
    EXPECT_THAT(kinds(), ElementsAre(Kind::start)) << "neither an end nor a second begin";
    EXPECT_THAT(site_.keeper_->find({.user = next.user}), ElementsAre(heir));
    site_.begin_again();
    pass(limits::kAccountLookPause + seconds(2));
    EXPECT_THAT(kinds(), ElementsAre(Kind::start)) << "its record has the new one";
    site_.keeper_->on_end(heir, EndCause::user_request, now_);
    pass(seconds(1));
    ASSERT_THAT(kinds(), ElementsAre(Kind::start, Kind::stop));
    EXPECT_EQ(site_.requests_[1].traffic, (Traffic{11, 22, 0, 0}));
}

TEST_F(AccountsUsageTest, ASessionMayHaveBegunEarlier) {
    Usage begun = usage(0, 0);
    begun.began_unix_ms = site_.clock().at(now_) - 7000;
    use(begun);
    ASSERT_THAT(kinds(), ElementsAre(Kind::start));
    EXPECT_EQ(site_.requests_[0].delay_s, 7U);
}

TEST_F(AccountsUsageTest, WithoutAnAddressItIsFoundByItsUserAlone) {
    Usage nets = usage(1, 2);
    nets.address.reset();
    use(nets);
    EXPECT_THAT(site_.keeper_->find({.address = Ipv4Address{}}), IsEmpty());
    EXPECT_THAT(site_.keeper_->find({.user = nets.user}), ElementsAre(kSession));
    EXPECT_EQ(site_.requests_[0].address, Ipv4Address{});
}

TEST_F(AccountsUsageTest, ANodeThatDoesNotAccountNotifiesNobody) {
    Accounts off(site_, AccountSettings{});
    Effects effects;
    off.on_usage(usage(1, 2), now_, effects);
    EXPECT_THAT(effects, IsEmpty());
    EXPECT_EQ(site_.records(), 0U);
}

}  // namespace accounts_usage_test
}  // namespace vpnha::keepers

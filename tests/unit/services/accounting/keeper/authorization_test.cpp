// SPDX-License-Identifier: GPL-2.0-or-later
// Whole nodes, sessions of which a RADIUS server ends or changes.
#include <gmock/gmock.h>

#include "protocols/l2tp/work.hpp"
#include "services/accounting/work.hpp"
#include "unit/cluster/node/sample_session.hpp"

namespace vpnha::node {
namespace authorization_test {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Kind = AccountingRequest::Kind;

// Of the sessions, when their plugins announce them.
constexpr std::uint64_t kAgeMs = 100'000;
const Bytes kGold{'g', 'o', 'l', 'd'};
const Bytes kBlue{'b', 'l', 'u', 'e'};
const std::string kServer = "198.51.100.5:40000";

// Three nodes; the first one is promoted, and has two stock sessions that are accounted for.
class AuthorizationTest : public ::testing::Test {
  protected:
    void SetUp() override {
        cluster_.account_settings() = {true, seconds(60)};
        for (std::uint32_t node = 1; node <= 3; ++node) {
            cluster_.kill(node);
        }
        for (std::uint32_t node = 1; node <= 3; ++node) {
            cluster_.start(node);
        }
        ASSERT_TRUE(cluster_.promote(1).has_value());
        up(1);
        up(2);
        pass(seconds(2));
    }
    void up(std::uint16_t number) {
        l2tp::SessionRecord record = session(number);
        record.facts.established_unix_ms = cluster_.unix_ms() - kAgeMs;
        cluster_.run(
            1, cluster_.at(1).node->on_plugin_up(
                   number, "l2tp", stock_session(record), "", cluster_.now(),
                   {number == 1 ? std::vector<Bytes>{kGold, kBlue} : std::vector<Bytes>{kBlue}}));
    }
    // Servers answer each request.
    void pass(Duration time) {
        const TimePoint end = cluster_.now() + time;
        while (cluster_.now() < end) {
            cluster_.pass(milliseconds(250));
            for (const std::uint32_t node : {1U, 2U, 3U}) {
                if (!cluster_.lives(node)) {
                    continue;
                }
                for (AccountingWork& work : std::exchange(cluster_.at(node).accounting, {})) {
                    answer(node, work);
                }
            }
        }
    }
    void answer(std::uint32_t node, const AccountingWork& work) {
        const auto handle = [&](const AccountingEvent& event) {
            cluster_.run(node, cluster_.at(node).node->on_event(kGateway, event, cluster_.now()));
        };
        if (const auto* read = std::get_if<ReadTraffic>(&work)) {
            return handle(TrafficRead{read->ticket, {}});
        }
        const auto& send = std::get<SendAccounting>(work);
        notified_.push_back(send.request);
        handle(AccountingAnswered{send.ticket, AccountingResult::answered, "server"});
    }
    [[nodiscard]] std::string id_of(std::uint16_t number) const {
        for (const AccountingRequest& each : notified_) {
            if (each.address == session(number).facts.peer_address) {
                return each.session;
            }
        }
        return "";
    }
    Result<void> disconnect(std::uint32_t node, const SessionIdentity& identity) {
        Result<Effects> ended =
            cluster_.at(node).node->disconnect(identity, kServer, cluster_.now());
        if (!ended) {
            return tl::unexpected(ended.error());
        }
        cluster_.run(node, std::move(*ended));
        return {};
    }
    Result<void> change(std::uint32_t node, const SessionIdentity& identity,
                        const ppp::TermsChange& wanted) {
        Result<Effects> done =
            cluster_.at(node).node->change_session(identity, wanted, kServer, cluster_.now());
        if (!done) {
            return tl::unexpected(done.error());
        }
        cluster_.run(node, std::move(*done));
        return {};
    }
    [[nodiscard]] std::size_t sessions_at(std::uint32_t node) {
        return cluster_.at(node).node->find(kGateway)->cores().keepers.sessions().size();
    }
    Errc refusal(std::uint32_t node, const SessionIdentity& identity) {
        const Result<void> done = disconnect(node, identity);
        EXPECT_FALSE(done.has_value());
        return done ? Errc::system : done.error().code;
    }
    [[nodiscard]] std::vector<EndCause> causes() const {
        std::vector<EndCause> causes;
        for (const AccountingRequest& each : notified_) {
            if (each.kind == Kind::stop) {
                causes.push_back(each.cause);
            }
        }
        return causes;
    }
    void fail_over() {
        cluster_.kill(1);
        cluster_.pass(seconds(2));
        ASSERT_TRUE(cluster_.promote(2).has_value());
    }

    FakeCluster cluster_{3};
    std::vector<AccountingRequest> notified_;
};

TEST_F(AuthorizationTest, AStockSessionIsEndedByItsPppdAndItsStopReportsWhy) {
    ASSERT_NE(id_of(2), "");
    ASSERT_TRUE(disconnect(1, {.session = id_of(2)}));
    EXPECT_THAT(cluster_.at(1).ended_plugins, ElementsAre(2));
    // What pppd says of its signal.
    cluster_.run(
        1, cluster_.at(1).node->on_plugin_down(2, cluster_.now(), {EndCause::user_request, {}}));
    pass(seconds(1));
    EXPECT_THAT(causes(), ElementsAre(EndCause::admin_reset));
    EXPECT_EQ(refusal(1, {.session = id_of(2)}), Errc::not_found);
    // Of the other session nobody wanted the end.
    cluster_.run(
        1, cluster_.at(1).node->on_plugin_down(1, cluster_.now(), {EndCause::user_request, {}}));
    pass(seconds(1));
    EXPECT_THAT(causes(), ElementsAre(EndCause::admin_reset, EndCause::user_request));
}

TEST_F(AuthorizationTest, AResumedOneIsReportedToItsClient) {
    fail_over();
    pass(seconds(3));
    cluster_.at(2).frames.clear();
    ASSERT_TRUE(disconnect(2, {.session = id_of(1)}));
    EXPECT_THAT(cluster_.at(2).frames, Not(IsEmpty())) << "LCP Terminate-Request";
    pass(seconds(1));
    EXPECT_THAT(causes(), ElementsAre(EndCause::admin_reset));
    EXPECT_EQ(cluster_.at(3).node->find(kGateway)->cores().keepers.sessions().size(), 1U);
}

TEST_F(AuthorizationTest, AStockSessionsTimeIsChangedByItsPppdAndForWhoeverTakesItOver) {
    ASSERT_TRUE(change(1, {.session = id_of(2)}, {.session_s = 110, .idle_s = {}}));
    EXPECT_EQ(cluster_.at(1).changed_plugins.at(2), (ppp::Timeouts{110, 0}));
    ASSERT_TRUE(change(1, {.session = id_of(2)}, {.session_s = {}, .idle_s = 600}));
    EXPECT_EQ(cluster_.at(1).changed_plugins.at(2), (ppp::Timeouts{110, 600}));
    // Before its pppd has read it, or told of it.
    fail_over();
    pass(seconds(3));
    EXPECT_EQ(sessions_at(2), 2U);
    pass(seconds(12));
    EXPECT_EQ(sessions_at(2), 1U);
    EXPECT_THAT(causes(), ElementsAre(EndCause::session_timeout));
}

TEST_F(AuthorizationTest, ATakenOverSessionsTimeIsChanged) {
    fail_over();
    pass(seconds(3));
    cluster_.at(2).frames.clear();
    ASSERT_TRUE(change(2, {.session = id_of(1)}, {.session_s = 3600, .idle_s = {}}));
    pass(seconds(12));
    EXPECT_THAT(cluster_.at(2).frames, IsEmpty());
    // Less than it has lasted: it ends at once. The other one has none.
    ASSERT_TRUE(change(2, {.session = id_of(1)}, {.session_s = 60, .idle_s = {}}));
    pass(seconds(1));
    EXPECT_THAT(cluster_.at(2).frames, Not(IsEmpty())) << "LCP Terminate-Request";
    EXPECT_THAT(causes(), ElementsAre(EndCause::session_timeout));
    EXPECT_EQ(sessions_at(3), 1U);
}

TEST_F(AuthorizationTest, ATakenOverSessionThatIsChangedIsStillWatched) {
    fail_over();
    pass(seconds(3));
    ASSERT_TRUE(change(2, {.session = id_of(1)}, {.session_s = 115, .idle_s = {}}));
    ASSERT_TRUE(change(2, {.session = id_of(1)}, {.session_s = 0, .idle_s = {}}));
    pass(seconds(12));
    EXPECT_EQ(sessions_at(2), 2U) << "0: for ever";
    // Its kernel state is still known: somebody removes it.
    cluster_.run(2, cluster_.at(2).node->on_event(kGateway, L2tpEvent(SessionGone{session(1).key}),
                                                  cluster_.now()));
    pass(seconds(1));
    EXPECT_THAT(causes(), ElementsAre(EndCause::lost_service));
}

TEST_F(AuthorizationTest, AChangeIsForOneSessionOfWhoServes) {
    const ppp::TermsChange wanted{.session_s = 60, .idle_s = {}};
    const auto refused = [&](std::uint32_t node, const SessionIdentity& identity) {
        const Result<void> done = change(node, identity, wanted);
        return done ? Errc::system : done.error().code;
    };
    EXPECT_EQ(refused(1, {.user = "alice"}), Errc::invalid_argument);
    EXPECT_EQ(refused(1, {.user = "bob"}), Errc::not_found);
    EXPECT_EQ(refused(3, {.session = id_of(1)}), Errc::busy);
    EXPECT_THAT(cluster_.at(1).changed_plugins, IsEmpty());
}

TEST_F(AuthorizationTest, OneSessionHasToFit) {
    const Ipv4Address address = session(1).facts.peer_address;
    EXPECT_EQ(refusal(1, {.user = "alice"}), Errc::invalid_argument) << "both are hers";
    EXPECT_EQ(refusal(1, {.user = "bob", .address = address}), Errc::not_found);
    EXPECT_EQ(refusal(1, {.session = id_of(2), .address = address}), Errc::not_found);
    EXPECT_EQ(refusal(1, {.user = "alice", .peer = "192.0.2.7"}), Errc::not_found);
    EXPECT_EQ(refusal(1, {.session = "no id of ours"}), Errc::not_found);
    EXPECT_EQ(refusal(1, {.user = "alice", .classes = {kBlue}}), Errc::invalid_argument);
    EXPECT_EQ(refusal(1, {.session = id_of(2), .classes = {kBlue, kGold}}), Errc::not_found);
    ASSERT_TRUE(disconnect(1, {.user = "alice", .classes = {kGold}}));
    EXPECT_THAT(cluster_.at(1).ended_plugins, ElementsAre(1));
    ASSERT_TRUE(disconnect(1, {.peer = "192.0.2.2"}));
    EXPECT_THAT(cluster_.at(1).ended_plugins, ElementsAre(1, 2));
}

TEST_F(AuthorizationTest, WhoDoesNotServeCannotKnow) {
    const Result<void> refused = disconnect(3, {.session = id_of(1)});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::busy);
    EXPECT_THAT(refused.error().detail, HasSubstr("is promoted for gateway"));
    EXPECT_EQ(refusal(3, {.user = "alice"}), Errc::busy);
    // Of a gateway that no node of this cluster has: nobody here need be asked.
    EXPECT_EQ(refusal(3, {.session = "6955b900-77-1.1-1"}), Errc::not_found);
    // Promoted just now: the accounts are not looked at within the takeover.
    fail_over();
    EXPECT_EQ(refusal(2, {.session = id_of(1)}), Errc::busy);
    pass(seconds(3));
    EXPECT_TRUE(disconnect(2, {.session = id_of(1)}));
}

TEST_F(AuthorizationTest, WithoutAccountsNothingIsHere) {
    cluster_.account_settings() = {};
    for (std::uint32_t node = 1; node <= 3; ++node) {
        cluster_.kill(node);
        cluster_.start(node);
    }
    EXPECT_EQ(refusal(1, {.user = "alice"}), Errc::not_found);
}

}  // namespace authorization_test
}  // namespace vpnha::node

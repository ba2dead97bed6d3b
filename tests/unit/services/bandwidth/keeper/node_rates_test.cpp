// SPDX-License-Identifier: GPL-2.0-or-later
// The rates of L2TP sessions, in whole nodes.
#include <gmock/gmock.h>

#include "services/bandwidth/work.hpp"
#include "unit/cluster/node/sample_session.hpp"

namespace vpnha::node {
namespace node_rates_test {

using bandwidth::BandwidthWork;
using bandwidth::SetRate;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr Rate kRate{20'000'000, 5'000'000};
constexpr std::uint16_t kMtu = 1410;

class NodeRatesTest : public ::testing::Test {
  protected:
    void up(std::uint32_t node, std::uint16_t number, const Rate& rate) {
        l2tp::SessionRecord record = session(number);
        record.facts.rate = rate;
        record.facts.mtu = kMtu;
        cluster_.run(node, cluster_.at(node).node->on_plugin_up(
                               number, "l2tp", stock_session(record), "", cluster_.now()));
        // The standbys have the session, and its account.
        cluster_.pass(milliseconds(500));
    }
    void fail_over(std::uint32_t from, std::uint32_t to) {
        cluster_.kill(from);
        cluster_.pass(seconds(2));
        ASSERT_TRUE(cluster_.promote(to));
        // By then its accounts have been looked at.
        cluster_.pass(seconds(3));
    }
    Result<void> change(std::uint32_t node, const ppp::TermsChange& wanted) {
        Result<Effects> done = cluster_.at(node).node->change_session({.user = "alice"}, wanted,
                                                                      "server", cluster_.now());
        if (!done) {
            return tl::unexpected(done.error());
        }
        cluster_.run(node, std::move(*done));
        cluster_.pass(milliseconds(200));
        return {};
    }
    Rate shown(std::uint32_t node) {
        return cluster_.at(node).node->find(kGateway)->cores().keepers.sessions().at(0).rate;
    }
    // "20M/5M ppp0", "20M/5M" of the device that the backend knows, "none", since the last call.
    std::vector<std::string> notified(std::uint32_t node) {
        std::vector<std::string> lines;
        for (const BandwidthWork& work : std::exchange(cluster_.at(node).rates, {})) {
            if (const auto* const set = std::get_if<SetRate>(&work)) {
                EXPECT_EQ(set->mtu, kMtu);
                EXPECT_EQ(set->device, 0U);
                lines.push_back(to_string(set->rate) +
                                (set->interface.empty() ? "" : " " + set->interface));
            } else {
                lines.emplace_back("none");
            }
        }
        return lines;
    }
    void start(bool takes_rates) {
        cluster_.account_settings() = {true, seconds(60)};
        if (takes_rates) {
            cluster_.take_rates_of_radius();
        }
        for (std::uint32_t node = 1; node <= 3; ++node) {
            cluster_.kill(node);
        }
        for (std::uint32_t node = 1; node <= 3; ++node) {
            cluster_.start(node);
        }
        ASSERT_TRUE(cluster_.promote(1).has_value());
    }

    FakeCluster cluster_{3};
};

TEST_F(NodeRatesTest, EachNodeSetsItOnItsOwnDeviceAndNoneAtTheTakeover) {
    start(true);
    up(1, 1, kRate);
    EXPECT_THAT(notified(1), ElementsAre("20M/5M ppp0"));
    EXPECT_THAT(notified(2), ElementsAre("20M/5M")) << "it is hot";
    EXPECT_THAT(notified(3), ElementsAre("20M/5M"));
    fail_over(1, 2);
    EXPECT_THAT(notified(2), IsEmpty()) << "its device has it";
    EXPECT_EQ(shown(2), kRate);
}

TEST_F(NodeRatesTest, OfASessionWithoutALimitNothingIsDone) {
    start(true);
    up(1, 1, {});
    fail_over(1, 2);
    ASSERT_TRUE(change(2, {.idle_s = 600}));
    EXPECT_EQ(shown(2), Rate{});
    EXPECT_THAT(notified(2), IsEmpty());
    EXPECT_THAT(notified(3), IsEmpty());
}

TEST_F(NodeRatesTest, AServerChangesThatOfAStockSessionOnAllNodesAndInItsPppd) {
    start(true);
    up(1, 1, kRate);
    for (const std::uint32_t node : {1U, 2U, 3U}) {
        static_cast<void>(notified(node));
    }
    ASSERT_TRUE(change(1, {.rate = Rate{1'000'000, 0}}));
    EXPECT_THAT(notified(1), ElementsAre("1M/0 ppp0"));
    EXPECT_THAT(notified(2), ElementsAre("1M/0"));
    EXPECT_THAT(notified(3), ElementsAre("1M/0"));
    EXPECT_EQ(cluster_.at(1).changed_rates.at(1), (Rate{1'000'000, 0}));
    // Another change leaves it alone, also in pppd's plugin.
    ASSERT_TRUE(change(1, {.session_s = 3600}));
    EXPECT_THAT(notified(1), IsEmpty());
    EXPECT_FALSE(cluster_.at(1).changed_rates.at(1).has_value());
    ASSERT_TRUE(change(1, {.rate = Rate{}}));
    EXPECT_THAT(notified(1), ElementsAre("none"));
}

TEST_F(NodeRatesTest, AServerChangesThatOfATakenOverSession) {
    start(true);
    up(1, 1, kRate);
    fail_over(1, 2);
    static_cast<void>(notified(2));
    static_cast<void>(notified(3));
    ASSERT_TRUE(change(2, {.rate = Rate{1'000'000, 2'000'000}}));
    EXPECT_EQ(shown(2), (Rate{1'000'000, 2'000'000}));
    EXPECT_THAT(notified(2), ElementsAre("1M/2M"));
    EXPECT_THAT(notified(3), ElementsAre("1M/2M"));
}

TEST_F(NodeRatesTest, ItGoesWithTheSession) {
    start(true);
    up(1, 1, kRate);
    fail_over(1, 2);
    static_cast<void>(notified(2));
    static_cast<void>(notified(3));
    cluster_.run(2,
                 cluster_.at(2).node->end_session(
                     4711, kGateway,
                     cluster_.at(2).node->find(kGateway)->cores().keepers.sessions().at(0).record,
                     cluster_.now()));
    cluster_.pass(seconds(5));
    EXPECT_THAT(notified(2), ElementsAre("none"));
    EXPECT_THAT(notified(3), ElementsAre("none"));
    // The same of a stock session.
    up(2, 2, kRate);
    static_cast<void>(notified(2));
    cluster_.run(2, cluster_.at(2).node->on_plugin_down(2, cluster_.now()));
    EXPECT_THAT(notified(2), ElementsAre("none"));
}

TEST_F(NodeRatesTest, AGatewayThatTakesNoneOfServersRefusesTheChange) {
    start(false);
    up(1, 1, kRate);
    static_cast<void>(notified(1));
    EXPECT_EQ(change(1, {.rate = Rate{1'000'000, 0}}).error().code, Errc::unsupported);
    EXPECT_THAT(notified(1), IsEmpty());
    EXPECT_EQ(shown(1), kRate);
}

}  // namespace node_rates_test
}  // namespace vpnha::node

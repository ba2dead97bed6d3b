// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/views/session_walks.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/limits.hpp"
#include "unit/cluster/node/fake_cluster.hpp"
#include "unit/cluster/node/sample_session.hpp"

namespace vpnha::runtime {
namespace session_walks_test {

constexpr std::uint16_t kSessions = 200;

// A node with 200 sessions, each fifth of which cannot be resumed, and a loop of which each look at
// the clock takes 1 ms.
class SessionWalksTest : public ::testing::Test {
  protected:
    void SetUp() override {
        ASSERT_TRUE(cluster_.promote(1));
        for (std::uint16_t number = 1; number <= kSessions; ++number) {
            up(number);
        }
    }
    void up(std::uint16_t number) {
        const std::string obstacle = number % 5 == 0 ? "for a test" : "";
        cluster_.run(1,
                     node().on_plugin_up(number, "l2tp", node::stock_session(node::session(number)),
                                         obstacle, cluster_.now()));
    }
    void down(std::uint16_t number) {
        cluster_.run(1, node().on_plugin_down(number, cluster_.now()));
    }
    node::Node& node() { return *cluster_.at(1).node; }

    struct Reader {
        bool is_there = true;
        std::vector<wire::RecordKey> seen;
        bool has_ended = false;
    };
    SessionWalk walk_of(Reader& reader, bool is_roots = false) {
        return {.is_roots = is_roots,
                .only = std::nullopt,
                .is_wanted = [&reader] { return reader.is_there; },
                .on_session =
                    [&reader](const node::GatewayNode&, const keepers::SessionView& session) {
                        reader.seen.push_back(session.record);
                        return true;
                    },
                .on_end = [&reader] { reader.has_ended = true; }};
    }
    // Whether there was one to run.
    bool run_next_slice() {
        const std::function<void()> slice = std::move(later_);
        later_ = nullptr;
        if (slice) {
            now_ = run_at_;
            slice();
        }
        return static_cast<bool>(slice);
    }
    void run_all() {
        while (run_next_slice()) {
        }
    }
    std::vector<wire::RecordKey> all() {
        std::vector<wire::RecordKey> keys;
        for (const keepers::SessionView& session :
             node().find(node::kGateway)->cores().keepers.sessions()) {
            keys.push_back(session.record);
        }
        return keys;
    }

    node::FakeCluster cluster_{3};
    TimePoint now_ = TimePoint() + std::chrono::seconds(1);
    TimePoint run_at_;
    std::function<void()> later_;
    SessionWalks walks_{node(),
                        {.now = [this] { return now_ += std::chrono::milliseconds(1); },
                         .run_at =
                             [this](TimePoint at, std::function<void()> then) {
                                 run_at_ = at;
                                 later_ = std::move(then);
                             }}};
};

TEST_F(SessionWalksTest, EachSessionIsSeenOnceInSlicesWithPausesBetween) {
    Reader reader;
    walks_.add(walk_of(reader));
    EXPECT_FALSE(reader.has_ended);
    EXPECT_LT(reader.seen.size(), kSessions);
    EXPECT_GE(run_at_ - now_, limits::kLoopSlice - std::chrono::milliseconds(1));
    run_all();
    EXPECT_TRUE(reader.has_ended);
    EXPECT_EQ(reader.seen.size(), kSessions);
    EXPECT_EQ(reader.seen, all());
    EXPECT_TRUE(std::ranges::is_sorted(reader.seen));
}

TEST_F(SessionWalksTest, RootIsNotKeptWaitingByOthers) {
    Reader first;
    Reader second;
    Reader root;
    walks_.add(walk_of(first));
    walks_.add(walk_of(second));
    walks_.add(walk_of(root, true));
    while (!root.has_ended) {
        ASSERT_TRUE(run_next_slice());
    }
    EXPECT_FALSE(first.has_ended);
    EXPECT_THAT(second.seen, ::testing::IsEmpty());
    run_all();
    EXPECT_EQ(first.seen, all());
    EXPECT_EQ(second.seen, all());
}

TEST_F(SessionWalksTest, NothingIsReadForAClientThatHasGone) {
    Reader gone;
    Reader other;
    walks_.add(walk_of(gone));
    walks_.add(walk_of(other));
    const std::size_t seen = gone.seen.size();
    gone.is_there = false;
    run_all();
    EXPECT_EQ(gone.seen.size(), seen);
    EXPECT_FALSE(gone.has_ended);
    EXPECT_TRUE(other.has_ended);
}

TEST_F(SessionWalksTest, SessionsMayComeAndGoBetweenTwoSlices) {
    Reader reader;
    walks_.add(walk_of(reader));
    std::uint16_t next = kSessions;
    std::uint16_t oldest = 1;
    do {
        up(++next);
        down(oldest++);
        down(static_cast<std::uint16_t>(next - 20));
    } while (run_next_slice());
    EXPECT_TRUE(reader.has_ended);
    std::set<wire::RecordKey> seen(reader.seen.begin(), reader.seen.end());
    EXPECT_EQ(seen.size(), reader.seen.size());
    for (const wire::RecordKey& key : all()) {
        EXPECT_TRUE(seen.contains(key) || key > reader.seen.back());
    }
}

TEST_F(SessionWalksTest, OnlyTheGatewayThatIsNamed) {
    Reader reader;
    SessionWalk walk = walk_of(reader);
    walk.only = GatewayId{static_cast<std::uint8_t>(node::kGateway.value + 1)};
    walks_.add(std::move(walk));
    run_all();
    EXPECT_TRUE(reader.has_ended);
    EXPECT_THAT(reader.seen, ::testing::IsEmpty());
}

TEST_F(SessionWalksTest, ATotalIsThatOfTheList) {
    EXPECT_EQ(node().find(node::kGateway)->cores().keepers.session_totals().all, kSessions);
    down(5);
    down(6);
    EXPECT_EQ(node().find(node::kGateway)->cores().keepers.session_totals().all, all().size());
    EXPECT_EQ(all().size(), kSessions - 2U);
}

}  // namespace session_walks_test
}  // namespace vpnha::runtime

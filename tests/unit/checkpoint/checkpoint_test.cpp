// SPDX-License-Identifier: GPL-2.0-or-later
// The library against a real corosync, of which this process is the only node that is there.
#include "vpnha/checkpoint.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>

#include <chrono>
#include <map>
#include <optional>
#include <thread>

#include "unit/host/corosync/own_corosync.hpp"

namespace vpnha::checkpoint_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using vpnha::testing::OwnCorosync;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr const char* kEncrypted = "    crypto_cipher: aes256\n    crypto_hash: sha256\n";
constexpr const char* kPlain = "    crypto_cipher: none\n    crypto_hash: none\n";
constexpr const char* kQuorum = "    provider: corosync_votequorum\n";
constexpr auto kSoon = 20s;

Result<Checkpoint> join(const CheckpointOptions& options, const CheckpointListener& listener) {
    const auto until = Clock::now() + kSoon;
    while (true) {
        Result<Checkpoint> joined = Checkpoint::join(options, listener);
        if (joined || joined.error().code != Errc::unreachable || Clock::now() > until) {
            return joined;
        }
        std::this_thread::yield();
    }
}

bool is_readable(const Checkpoint& group, int timeout_ms = 0) {
    pollfd readable{group.fd(), POLLIN, 0};
    return poll(&readable, 1, timeout_ms) == 1;
}

// Of a loop that dispatches when it is told to, and at no other time.
template <class Holds>
Result<void> run_until(Checkpoint& group, const Holds& holds) {
    const auto until = Clock::now() + kSoon;
    while (!holds() && Clock::now() < until) {
        if (is_readable(group, 100)) {
            VPNHA_CHECK(group.dispatch());
        }
    }
    EXPECT_TRUE(holds());
    return {};
}

class CheckpointTest : public ::testing::Test {
  protected:
    CheckpointTest() {
        listener_.install = [this](std::string_view id, std::string_view payload) {
            table_[std::string(id)] = payload;
            return true;
        };
        listener_.remove = [this](std::string_view id) { table_.erase(std::string(id)); };
        listener_.changed = [this](const CheckpointState& state) { notified_.push_back(state); };
    }

    CheckpointListener listener_;
    std::map<std::string, std::string> table_;
    std::vector<CheckpointState> notified_;
};

TEST_F(CheckpointTest, IsPromotedWithTheQuorumAndPublishes) {
    const OwnCorosync corosync(kEncrypted, kQuorum);
    Result<Checkpoint> group = join({.group = "table"}, listener_);
    ASSERT_TRUE(group) << group.error().detail;
    EXPECT_EQ(group->promote().error().code, Errc::busy);  // It knows of no member yet.
    // The first state of all has no member yet.
    ASSERT_TRUE(
        run_until(*group, [&] { return !notified_.empty() && !notified_.back().members.empty(); }));
    EXPECT_THAT(notified_.back().members, ElementsAre(1));
    EXPECT_TRUE(notified_.back().encrypted);
    EXPECT_THAT(group->promote().error().detail, HasSubstr("quorum"));
    EXPECT_EQ(group->publish("a", "one").error().code, Errc::stale_epoch);

    ASSERT_TRUE(OwnCorosync::run({"corosync-quorumtool", "-e", "1"}));
    ASSERT_TRUE(run_until(*group, [&] { return notified_.back().quorate; }));
    ASSERT_TRUE(group->promote());
    ASSERT_TRUE(run_until(*group, [&] { return notified_.back().promoted; }));
    EXPECT_EQ(notified_.back().holder, 1U);
    EXPECT_EQ(notified_.back().epoch, 1U);
    ASSERT_TRUE(group->publish("a", "one"));
    ASSERT_TRUE(group->publish("b", "two"));
    ASSERT_TRUE(group->withdraw("b"));
    EXPECT_FALSE(group->is_confirmed("a"));  // Nobody else has it.
    EXPECT_THAT(table_, IsEmpty());

    // A standby is told of all records, before it may be promoted again.
    group->stand_by();
    EXPECT_THAT(group->promote().error().detail, HasSubstr("dispatch()"));
    ASSERT_TRUE(run_until(*group, [&] { return !table_.empty(); }));
    EXPECT_EQ(table_, (std::map<std::string, std::string>{{"a", "one"}}));
    ASSERT_TRUE(group->promote());
    ASSERT_TRUE(run_until(*group, [&] { return notified_.back().epoch == 2; }));
}

TEST_F(CheckpointTest, HasNothingToDoWhenNothingHappens) {
    const OwnCorosync corosync(kEncrypted, kQuorum);
    Result<Checkpoint> group = join({.group = "table"}, listener_);
    ASSERT_TRUE(group) << group.error().detail;
    ASSERT_TRUE(run_until(*group, [&] { return !notified_.empty(); }));
    // What it says of itself comes round, and is asked for again after 1, 2, 4 s.
    int turns = 0;
    for (const auto until = Clock::now() + 2s; Clock::now() < until;) {
        if (is_readable(*group, 50)) {
            ASSERT_TRUE(group->dispatch());
            ++turns;
        }
    }
    EXPECT_LT(turns, 20);
}

TEST_F(CheckpointTest, RefusesAnUnencryptedClusterUnlessOrderedOtherwise) {
    const OwnCorosync corosync(kPlain, kQuorum);
    const Result<Checkpoint> refused = join({.group = "table"}, listener_);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::invalid_config);
    EXPECT_THAT(refused.error().detail, HasSubstr("crypto_cipher"));
    EXPECT_THAT(refused.error().detail, HasSubstr("allow_unencrypted"));
    const Result<Checkpoint> group = join({.group = "table", .allow_unencrypted = true}, listener_);
    ASSERT_TRUE(group) << group.error().detail;
    EXPECT_FALSE(group->state().encrypted);
}

TEST_F(CheckpointTest, ASecondProcessOfANodeIsInformed) {
    const OwnCorosync corosync(kEncrypted, kQuorum);
    Result<Checkpoint> group = join({.group = "table"}, listener_);
    ASSERT_TRUE(group) << group.error().detail;
    ASSERT_TRUE(run_until(*group, [&] { return !notified_.empty(); }));
    const pid_t second = fork();
    if (second == 0) {
        bool is_notified = false;
        if (Result<Checkpoint> other = join({.group = "table"}, {})) {
            const Result<void> ended = run_until(*other, [] { return false; });
            is_notified = !ended && ended.error().code == Errc::already_exists;
        }
        _exit(is_notified ? 0 : 1);
    }
    int status = -1;
    bool has_ended = false;
    ASSERT_TRUE(run_until(*group, [&] {
        has_ended = has_ended || waitpid(second, &status, WNOHANG) == second;
        return has_ended;
    }));
    EXPECT_EQ(status, 0);
    EXPECT_THAT(group->state().members, ElementsAre(1));
}

TEST_F(CheckpointTest, ReportsThatCorosyncIsGone) {
    std::optional<OwnCorosync> corosync(std::in_place, kEncrypted, kQuorum);
    Result<Checkpoint> group = join({.group = "table"}, listener_);
    ASSERT_TRUE(group) << group.error().detail;
    ASSERT_TRUE(run_until(*group, [&] { return !notified_.empty(); }));
    corosync.reset();
    ASSERT_TRUE(is_readable(*group, 5000));
    const Result<void> ended = run_until(*group, [] { return false; });
    ASSERT_FALSE(ended);
    EXPECT_EQ(ended.error().code, Errc::unreachable);
    EXPECT_TRUE(is_readable(*group));  // Whoever waits for it hears of it.
}

TEST_F(CheckpointTest, AGroupHasANameThatCorosyncTakes) {
    for (const std::string& name :
         {std::string(), std::string("two words"), std::string(65, 'a'), std::string("a\0b", 3)}) {
        const Result<Checkpoint> group = Checkpoint::join({.group = name}, listener_);
        ASSERT_FALSE(group);
        EXPECT_EQ(group.error().code, Errc::invalid_argument);
    }
}

}  // namespace
}  // namespace vpnha::checkpoint_test

// SPDX-License-Identifier: GPL-2.0-or-later
// The group, the quorum and the map against a real corosync.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "host/corosync/cluster_map.hpp"
#include "host/corosync/corosync_group.hpp"
#include "host/os/qb_loop.hpp"
#include "unit/host/corosync/own_corosync.hpp"

namespace vpnha::adapters {
namespace corosync_test {

using testing::OwnCorosync;
using namespace std::chrono_literals;

constexpr const char* kEncrypted = "    crypto_cipher: aes256\n    crypto_hash: sha256\n";
constexpr const char* kQuorum = "    provider: corosync_votequorum\n";
constexpr auto kSoon = 20s;

// What `open` gives as soon as corosync answers.
template <class Open>
auto when_it_answers(const Open& open) {
    const auto until = std::chrono::steady_clock::now() + kSoon;
    for (;;) {
        auto opened = open();
        if (opened || opened.error().code != Errc::unreachable ||
            std::chrono::steady_clock::now() > until) {
            return opened;
        }
        std::this_thread::yield();
    }
}

// Turns of the loop until `holds`, which events make true.
void run_until(QbLoop& loop, const std::function<bool()>& holds) {
    const auto until = QbLoop::now() + kSoon;
    const std::function<void()> look = [&] {
        if (holds() || QbLoop::now() > until) {
            loop.stop();
        } else {
            loop.set_timer(1, QbLoop::now() + 5ms, look);
        }
    };
    look();
    loop.run();
    EXPECT_TRUE(holds());
}

TEST(CorosyncTest, ReportsTheQuorumWithTheMembersAndWhenItChangesAlone) {
    const OwnCorosync corosync(kEncrypted, kQuorum);
    QbLoop loop;
    using Notified = std::pair<std::set<NodeId>, bool>;
    std::vector<Notified> notified;
    const auto group = when_it_answers([&] {
        return CorosyncGroup::join(
            loop, "vpnha",
            {.on_members = [&notified](const std::set<NodeId>& members,
                                       bool quorate) { notified.emplace_back(members, quorate); },
             .on_message = [](NodeId, ByteView) {},
             .on_process_died = [](NodeId) {},
             .on_lost = [] { FAIL() << "corosync ended"; }});
    });
    ASSERT_TRUE(group) << group.error().detail;
    const std::set<NodeId> alone{NodeId{1}};
    run_until(loop, [&] { return !notified.empty(); });
    EXPECT_THAT(notified, ::testing::ElementsAre(Notified{alone, false}));
    ASSERT_TRUE(OwnCorosync::run({"corosync-quorumtool", "-e", "1"}));
    run_until(loop, [&] { return notified.size() == 2; });
    EXPECT_EQ(notified.back(), (Notified{alone, true}));
}

TEST(CorosyncTest, AMemberThatIsNoFasterThanItsMessagesHasOtherTurns) {
    const OwnCorosync corosync(kEncrypted, kQuorum);
    QbLoop loop;
    constexpr int kAll = 60;
    int taken = 0;
    int taken_before_timer = 0;
    std::unique_ptr<CorosyncGroup> group;
    auto joined = when_it_answers([&] {
        return CorosyncGroup::join(
            loop, "vpnha",
            {.on_members = [](const std::set<NodeId>&, bool) {},
             .on_message =
                 [&](NodeId, ByteView bytes) {
                     if (++taken == 1) {
                         loop.set_timer(2, QbLoop::now(), [&] { taken_before_timer = taken; });
                     }
                     if (taken < kAll) {
                         EXPECT_TRUE(group->send(bytes));  // It is there when this one is done.
                     }
                     // What it has to do with it.
                     for (const auto until = QbLoop::now() + 30ms; QbLoop::now() < until;) {
                         std::this_thread::yield();
                     }
                 },
             .on_process_died = [](NodeId) {},
             .on_lost = [] { FAIL() << "corosync ended"; }});
    });
    ASSERT_TRUE(joined) << joined.error().detail;
    group = std::move(*joined);
    EXPECT_TRUE(group->send(Bytes{1}));
    run_until(loop, [&] { return taken == kAll; });
    EXPECT_LT(taken_before_timer, 10);
}

TEST(CorosyncTest, RefusesAClusterWithoutAQuorumProvider) {
    const OwnCorosync corosync(kEncrypted, "");
    QbLoop loop;
    const auto group = when_it_answers([&] { return CorosyncGroup::join(loop, "vpnha", {}); });
    ASSERT_FALSE(group);
    EXPECT_EQ(group.error().code, Errc::invalid_config);
    EXPECT_THAT(group.error().detail, ::testing::HasSubstr("provider: corosync_votequorum"));
}

TEST(CorosyncTest, SeesEncryptionSwitchedOff) {
    const OwnCorosync corosync(kEncrypted, kQuorum);
    QbLoop loop;
    int changes = 0;
    const auto map = when_it_answers([&] {
        return ClusterMap::open(
            loop, {.on_change = [&changes] { ++changes; }, .on_nodes = [] {}, .on_lost = [] {}});
    });
    ASSERT_TRUE(map) << map.error().detail;
    EXPECT_EQ(unencrypted_because((*map)->totem()), "");
    EXPECT_EQ((*map)->key_file(), "/etc/corosync/authkey");
    OwnCorosync::configure("    crypto_cipher: none\n    crypto_hash: none\n", kQuorum);
    ASSERT_TRUE(OwnCorosync::run({"corosync-cfgtool", "-R"}));
    run_until(loop, [&] { return changes > 0; });
    EXPECT_EQ(unencrypted_because((*map)->totem()), "totem.crypto_cipher is none");
}

TEST(CorosyncTest, ReportsHowSeveralLinksAreUsed) {
    const auto link_mode_with = [](const std::string& line) {
        const OwnCorosync corosync(kEncrypted + line, kQuorum);
        QbLoop loop;
        const auto map = when_it_answers([&] {
            return ClusterMap::open(loop,
                                    {.on_change = [] {}, .on_nodes = [] {}, .on_lost = [] {}});
        });
        return map ? (*map)->link_mode() : map.error().detail;
    };
    EXPECT_EQ(link_mode_with(""), "passive");
    EXPECT_EQ(link_mode_with("    link_mode: active\n"), "active");
}

TEST(CorosyncTest, ReportsWhichOfANamesAddressesItTakes) {
    const auto taken_with = [](const std::string& line) {
        const OwnCorosync corosync(kEncrypted + line, kQuorum);
        QbLoop loop;
        const auto map = when_it_answers([&] {
            return ClusterMap::open(loop,
                                    {.on_change = [] {}, .on_nodes = [] {}, .on_lost = [] {}});
        });
        EXPECT_TRUE(map.has_value());
        return map ? (*map)->name_address() : NameAddress::ipv6;
    };
    EXPECT_EQ(taken_with(""), NameAddress::ipv6_first);
    EXPECT_EQ(taken_with("    ip_version: ipv4-6\n"), NameAddress::ipv4_first);
}

TEST(CorosyncTest, KnowsItsNodeAndReportsWhenCorosyncIsGone) {
    std::optional<OwnCorosync> corosync(std::in_place, kEncrypted, kQuorum);
    QbLoop loop;
    int lost = 0;
    const auto map = when_it_answers([&] {
        return ClusterMap::open(
            loop, {.on_change = [] {}, .on_nodes = [] {}, .on_lost = [&lost] { ++lost; }});
    });
    ASSERT_TRUE(map) << map.error().detail;
    EXPECT_EQ((*map)->self().value_or(NodeId{}), NodeId{1});
    corosync.reset();
    run_until(loop, [&] { return lost > 0; });
    EXPECT_EQ(lost, 1);
    EXPECT_FALSE((*map)->self());
}

TEST(CorosyncTest, ListsTheNodesWithTheirLinksAndReportsWhenOneIsGone) {
    const OwnCorosync corosync(kEncrypted, kQuorum);
    QbLoop loop;
    int changes = 0;
    const auto map = when_it_answers([&] {
        return ClusterMap::open(
            loop, {.on_change = [] {}, .on_nodes = [&changes] { ++changes; }, .on_lost = [] {}});
    });
    ASSERT_TRUE(map) << map.error().detail;
    EXPECT_THAT((*map)->nodes(),
                ::testing::ElementsAre(ClusterNode{NodeId{1}, {"127.0.0.1"}, "gw1"},
                                       ClusterNode{NodeId{2}, {"127.0.0.2"}, ""}));
    OwnCorosync::configure(kEncrypted, kQuorum, 1);
    ASSERT_TRUE(OwnCorosync::run({"corosync-cfgtool", "-R"}));
    run_until(loop, [&] { return changes > 0; });
    EXPECT_THAT((*map)->nodes(),
                ::testing::ElementsAre(ClusterNode{NodeId{1}, {"127.0.0.1"}, "gw1"}));
}

}  // namespace corosync_test
}  // namespace vpnha::adapters

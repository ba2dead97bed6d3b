// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/wireguard/keeper/peer_ledger.hpp"

#include <gmock/gmock.h>

#include "support/sample_peer.hpp"

namespace vpnha::keepers {
namespace peer_ledger_test {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using wireguard::PeerTraffic;
using wireguard::PublicKey;
using wireguard::test::sample_key;

constexpr TimePoint kNow{std::chrono::seconds(1000)};
// The gateway's.
constexpr std::uint64_t kUnixMs = 1'767'225'600'000;

TEST(PeerLedgerTest, TheTotalIsTheBaseAndWhatTheKernelHasCounted) {
    PeerLedger ledger;
    ledger.follow(sample_key(), {1, 100, 1000}, kNow);
    ledger.read(sample_key(), {5, 7, 70}, kUnixMs, kNow);
    EXPECT_EQ(ledger.total(sample_key()), (PeerTraffic{kUnixMs, 107, 1070}));
    ledger.read(sample_key(), {5, 8, 70}, kUnixMs, kNow);
    EXPECT_EQ(ledger.total(sample_key()), (PeerTraffic{kUnixMs, 108, 1070}));
}

TEST(PeerLedgerTest, WhatAStandbysKernelCountsIsNotTheClients) {
    PeerLedger ledger;
    const PeerLedger::News news = ledger.read(sample_key(), {0, 0, 148}, std::nullopt, kNow);
    EXPECT_TRUE(news.sent);
    EXPECT_FALSE(news.received);
    EXPECT_EQ(ledger.total(sample_key()), PeerTraffic{});
    ledger.read(sample_key(), {0, 10, 148}, kUnixMs, kNow);
    EXPECT_EQ(ledger.total(sample_key()), (PeerTraffic{0, 10, 0}));
}

TEST(PeerLedgerTest, ACounterThatWentBackBeganAnew) {
    PeerLedger ledger;
    ledger.read(sample_key(), {1, 100, 1000}, kUnixMs, kNow);
    ledger.read(sample_key(), {2, 30, 40}, kUnixMs, kNow);
    EXPECT_EQ(ledger.total(sample_key()), (PeerTraffic{kUnixMs, 130, 1040}));
    ledger.restart(sample_key());
    ledger.read(sample_key(), {3, 50, 60}, kUnixMs, kNow);
    EXPECT_EQ(ledger.total(sample_key()), (PeerTraffic{kUnixMs, 180, 1100}));
}

TEST(PeerLedgerTest, AHandshakeIsProofOfThePeer) {
    PeerLedger ledger;
    EXPECT_TRUE(ledger.read(sample_key(), {1, 0, 0}, kUnixMs, kNow).received);
    EXPECT_FALSE(ledger.read(sample_key(), {1, 0, 0}, kUnixMs, kNow).received);
    EXPECT_TRUE(ledger.read(sample_key(), {1, 1, 0}, kUnixMs, kNow).received);
}

// The kernel's clock may be set, or be another one than that of the node before.
TEST(PeerLedgerTest, AHandshakeHasTheGatewaysTimeAndTrafficHasNone) {
    PeerLedger ledger;
    ledger.read(sample_key(), {1, 0, 0}, kUnixMs, kNow);
    EXPECT_EQ(ledger.total(sample_key()).last_handshake_unix_ms, kUnixMs);
    ledger.read(sample_key(), {1, 10, 0}, kUnixMs + 500, kNow);
    EXPECT_EQ(ledger.total(sample_key()).last_handshake_unix_ms, kUnixMs);
    ledger.read(sample_key(), {2, 10, 0}, kUnixMs + 1000, kNow);
    EXPECT_EQ(ledger.total(sample_key()).last_handshake_unix_ms, kUnixMs + 1000);
}

TEST(PeerLedgerTest, WhatPassedIsTakenOnceAndIsThisNodesAlone) {
    PeerLedger ledger;
    EXPECT_EQ(ledger.take_passed(sample_key()), Traffic{});
    ledger.follow(sample_key(), {1, 100, 1000}, kNow);
    ledger.read(sample_key(), {2, 7, 70}, kUnixMs, kNow);
    EXPECT_EQ(ledger.take_passed(sample_key()), (Traffic{7, 70, 0, 0}));
    EXPECT_EQ(ledger.take_passed(sample_key()), Traffic{});
    ledger.read(sample_key(), {2, 9, 70}, kUnixMs, kNow);
    ledger.follow(sample_key(), {3, 500, 5000}, kNow);
    EXPECT_EQ(ledger.take_passed(sample_key()), Traffic{}) << "another node has told it";
}

TEST(PeerLedgerTest, ChangesAreReportedOnceAndInParts) {
    PeerLedger ledger;
    for (const std::uint32_t number : {1, 2, 3}) {
        ledger.read(sample_key(number), {0, 1, 1}, kUnixMs, kNow);
        ledger.read(sample_key(number), {0, 1, 1}, kUnixMs, kNow);
    }
    EXPECT_THAT(ledger.take_changed(2), ElementsAre(sample_key(1), sample_key(2)));
    EXPECT_TRUE(ledger.has_changed());
    EXPECT_THAT(ledger.take_changed(2), ElementsAre(sample_key(3)));
    EXPECT_THAT(ledger.take_changed(2), IsEmpty());
}

TEST(PeerLedgerTest, RecentTrafficComesFirstAndThenRecentHandshakes) {
    PeerLedger ledger;
    ledger.follow(sample_key(1), {9, 1, 1}, kNow);
    ledger.follow(sample_key(2), {8, 1, 1}, kNow + std::chrono::seconds(1));
    ledger.follow(sample_key(3), {7, 1, 1}, kNow);
    ledger.follow(sample_key(3), {7, 1, 1}, kNow + std::chrono::seconds(9));  // Nothing new.
    std::vector<PublicKey> keys{sample_key(4), sample_key(3), sample_key(1), sample_key(2)};
    ledger.sort(keys);
    EXPECT_THAT(keys, ElementsAre(sample_key(2), sample_key(1), sample_key(3), sample_key(4)));
}

}  // namespace peer_ledger_test
}  // namespace vpnha::keepers

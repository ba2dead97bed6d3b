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

TEST(PeerLedgerTest, TheTotalIsTheBaseAndWhatTheKernelHasCounted) {
    PeerLedger ledger;
    ledger.follow(sample_key(), {1, 100, 1000}, kNow);
    ledger.read(sample_key(), {5, 7, 70}, true, kNow);
    EXPECT_EQ(ledger.total(sample_key()), (PeerTraffic{5, 107, 1070}));
    ledger.read(sample_key(), {5, 8, 70}, true, kNow);
    EXPECT_EQ(ledger.total(sample_key()), (PeerTraffic{5, 108, 1070}));
}

TEST(PeerLedgerTest, WhatAStandbysKernelCountsIsNotTheClients) {
    PeerLedger ledger;
    const PeerLedger::News news = ledger.read(sample_key(), {0, 0, 148}, false, kNow);
    EXPECT_TRUE(news.sent);
    EXPECT_FALSE(news.received);
    EXPECT_EQ(ledger.total(sample_key()), PeerTraffic{});
    ledger.read(sample_key(), {0, 10, 148}, true, kNow);
    EXPECT_EQ(ledger.total(sample_key()), (PeerTraffic{0, 10, 0}));
}

TEST(PeerLedgerTest, ACounterThatWentBackBeganAnew) {
    PeerLedger ledger;
    ledger.read(sample_key(), {1, 100, 1000}, true, kNow);
    ledger.read(sample_key(), {2, 30, 40}, true, kNow);
    EXPECT_EQ(ledger.total(sample_key()), (PeerTraffic{2, 130, 1040}));
    ledger.restart(sample_key());
    ledger.read(sample_key(), {3, 50, 60}, true, kNow);
    EXPECT_EQ(ledger.total(sample_key()), (PeerTraffic{3, 180, 1100}));
}

TEST(PeerLedgerTest, AHandshakeIsProofOfThePeer) {
    PeerLedger ledger;
    EXPECT_TRUE(ledger.read(sample_key(), {1, 0, 0}, true, kNow).received);
    EXPECT_FALSE(ledger.read(sample_key(), {1, 0, 0}, true, kNow).received);
    EXPECT_TRUE(ledger.read(sample_key(), {1, 1, 0}, true, kNow).received);
}

TEST(PeerLedgerTest, ChangesAreToldOnceAndInParts) {
    PeerLedger ledger;
    for (const std::uint32_t number : {1, 2, 3}) {
        ledger.read(sample_key(number), {0, 1, 1}, true, kNow);
        ledger.read(sample_key(number), {0, 1, 1}, true, kNow);
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

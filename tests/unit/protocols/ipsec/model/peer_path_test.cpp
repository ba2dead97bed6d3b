// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ipsec/model/peer_path.hpp"

#include <gmock/gmock.h>

#include "support/ha_builder.hpp"

namespace vpnha::ipsec {
namespace peer_path_test {

using test::HaBuilder;
using test::IkeSample;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Bits of charon's conditions: EAP, a NAT at one of both ends, at the gateway's, at the peer's.
constexpr std::uint32_t kEap = 0x10;
constexpr std::uint32_t kNatHere = 0x3;
constexpr std::uint32_t kNatThere = 0x5;

IpAddress ip(std::string_view text) {
    return parse_ip(text).value_or(IpAddress{});
}

PeerPath path(std::string_view peer, std::uint16_t nat_port = 0) {
    return {{ip(peer), ip("192.0.2.100"), 7}, nat_port};
}

Bytes update(std::string_view peer, std::uint16_t port, std::uint32_t conditions,
             std::string_view known = "10.9.9.9") {
    return HaBuilder(HaType::ike_update)
        .id(test::ike_id(2, 1))
        .host(HaTag::local_address, "192.0.2.100", 4500)
        .host(HaTag::remote_address, peer, port)
        .u32(HaTag::conditions, conditions)
        .text(HaTag::config_name, "road")
        .host(HaTag::peer_address, known, known == peer ? port : 4500)
        .bytes();
}

IkeSa sa(const Bytes& update) {
    IkeSa sa;
    sa.updates = {update, IkeSample{test::ike_id(2, 1)}.vip("10.1.0.7")};
    return sa;
}

TEST(PeerPathTest, HostsAndConditionsAreThoseOfThePath) {
    struct Case {
        Bytes before;
        PeerPath path;
        Bytes after;
    };
    const std::string_view a = "198.51.100.7";
    const std::string_view b = "203.0.113.9";
    for (const auto& [before, where, after] : std::vector<Case>{
             {update(a, 4500, kEap), path(b), update(b, 4500, kEap)},
             {update(a, 500, kEap), path(b), update(b, 500, kEap)},
             {update(a, 4500, kEap), path(b, 40001), update(b, 40001, kEap | kNatThere)},
             {update(a, 40001, kEap | kNatThere), path(a, 42001),
              update(a, 42001, kEap | kNatThere)},
             {update(a, 40001, kEap | kNatThere), path(b), update(b, 4500, kEap)},
             {update(a, 4500, kNatHere), path(b, 4500), update(b, 4500, kNatHere)},
             {update(a, 4500, kNatHere), path(b, 999), update(b, 999, kNatHere | kNatThere)},
             {update(a, 4500, 0, a), path(b), update(b, 4500, 0, b)}}) {
        IkeSa moved = sa(before);
        EXPECT_TRUE(redirect(moved, where));
        EXPECT_EQ(to_hex(moved.updates[0]), to_hex(after));
        EXPECT_EQ(moved.updates[1], sa(before).updates[1]);
        EXPECT_FALSE(redirect(moved, where)) << "it is there";
    }
}

TEST(PeerPathTest, WhoHasNotMovedIsTheSame) {
    for (const auto& [before, where] : std::vector<std::pair<Bytes, PeerPath>>{
             {update("198.51.100.7", 4500, kEap), path("198.51.100.7")},
             {update("198.51.100.7", 1234, kEap), path("198.51.100.7")},
             {update("198.51.100.7", 1234, kNatThere), path("198.51.100.7", 1234)}}) {
        IkeSa stays = sa(before);
        EXPECT_FALSE(redirect(stays, where));
    }
}

TEST(PeerPathTest, TheGatewaysOwnAddressIsNotFollowed) {
    IkeSa stays = sa(update("198.51.100.7", 4500, 0));
    EXPECT_FALSE(redirect(stays, {{ip("203.0.113.9"), ip("192.0.2.11"), 7}, 0}));
}

TEST(PeerPathTest, ASelectorOfThePeerAloneMovesWithIt) {
    IkeSample sample{test::ike_id(2, 1)};
    ChildSa transport{7, 8, sample.id.key, sample.id.key, 1, sample.l2tp(7, 8)};
    EXPECT_TRUE(redirect(transport, ip(sample.address), path("203.0.113.9")));
    IkeSample there = sample;
    there.address = "203.0.113.9";
    EXPECT_EQ(transport.add, there.l2tp(7, 8));
    ChildSa tunnel{7, 8, sample.id.key, sample.id.key, 1, sample.child(7, 8)};
    EXPECT_FALSE(redirect(tunnel, ip(sample.address), path("203.0.113.9")));
    EXPECT_FALSE(redirect(transport, ip("203.0.113.9"), path("2001:db8::9")));
}

TEST(PeerPathTest, OnlyWhatLeadsElsewhereThanBeforeIsNews) {
    const IkeSample sample{test::ike_id(2, 1)};
    SaSet sas;
    sas.put(ChildSa{7, 8, sample.id.key, sample.id.key, 1, sample.child(7, 8)});
    SaCounters in;
    in.id = path("198.51.100.7").inbound;
    SaCounters out;
    out.id = {in.id.destination, in.id.source, 8};
    PeerPaths paths;
    EXPECT_THAT(paths.news(std::vector{in, out}, sas), ElementsAre(path("198.51.100.7")));
    EXPECT_THAT(paths.news(std::vector{in, out}, sas), IsEmpty());
    in.udp_source = 4500;
    EXPECT_THAT(paths.news(std::vector{in, out}, sas), ElementsAre(path("198.51.100.7", 4500)));
    in.id.source = ip("203.0.113.9");
    EXPECT_THAT(paths.news(std::vector{in, out}, sas), ElementsAre(path("203.0.113.9", 4500)));
}

TEST(PeerPathTest, WhoNegotiatedMobikeMayMove) {
    const auto with = [](std::uint32_t extensions) {
        return sa(HaBuilder(HaType::ike_update)
                      .id(test::ike_id(2, 1))
                      .u32(HaTag::extensions, extensions)
                      .bytes());
    };
    EXPECT_TRUE(may_move(with(0x803)));
    EXPECT_FALSE(may_move(with(0x801)));
    EXPECT_FALSE(may_move(IkeSa()));
}

}  // namespace peer_path_test
}  // namespace vpnha::ipsec

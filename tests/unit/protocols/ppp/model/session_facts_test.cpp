// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ppp/model/session_facts.hpp"

#include <gmock/gmock.h>

#include <functional>

#include "base/limits.hpp"
#include "support/random.hpp"

namespace vpnha::ppp {
namespace session_facts_test {

SessionFacts sample_facts() {
    SessionFacts facts;
    facts.ours = {.mru = 1400, .magic = 0x0a0a0a0a, .protocol_compression = true};
    facts.theirs = {.mru = 1410, .magic = 0x0b0b0b0b, .address_compression = true};
    facts.our_address = Ipv4Address{0x0ac80001};
    facts.peer_address = Ipv4Address{0x0ac80101};
    facts.ipv6 = {1, 0xfedc'ba98'7654'3210};
    facts.mtu = 1280;
    facts.echo_interval_s = 5;
    facts.echo_failures = 3;
    facts.echo_is_adaptive = true;
    facts.established_unix_ms = 1'700'000'000'000;
    facts.timeouts = {0, 900};
    facts.routes = {*parse_ip_prefix("198.51.100.0/24"), *parse_ip_prefix("2001:db8:1::/48")};
    facts.proxied = {{LinkSide::inside, facts.routes[0].address}};
    facts.obstacle = "multilink";
    facts.user = "alice";
    facts.interface = "ppp0";
    return facts;
}

Bytes written(const SessionFacts& facts) {
    ByteWriter writer;
    write_facts(writer, facts);
    return std::move(writer).take();
}

// nullopt: they cannot be read, or there is something behind them.
std::optional<SessionFacts> read(ByteView bytes) {
    ByteReader reader(bytes);
    const SessionFacts facts = read_facts(reader);
    return reader.finished() ? std::optional(facts) : std::nullopt;
}

TEST(SessionFactsTest, HaveTheDocumentedBytes) {
    EXPECT_EQ(to_hex(written(sample_facts())),
              "0578"
              "0a0a0a0a"
              "00000000"  // What we may be sent.
              "0582"
              "0b0b0b0b"
              "00000000"  // What the peer may be sent.
              "0ac80001"
              "0ac80101"  // IPCP addresses.
              "0500"      // MTU.
              "0005"
              "0003"              // Echo interval and failures.
              "39"                // Flags.
              "0000018bcfe56800"  // Established.
              "00000000"
              "00000384"  // Session's and idle time-out.
              "0000000000000001"
              "fedcba9876543210"  // IPv6CP's interface identifiers, ours first.
              "02"
              "04c633640018"
              "1020010db800010000000000000000000030"  // Routes.
              "01"
              "0104c6336400"  // Answered for on the inside.
              "0009"
              "6d756c74696c696e6b"  // multilink: why it ends with its node.
              "0005"
              "616c696365"  // alice
              "0004"
              "70707030");  // ppp0
}

TEST(SessionFactsTest, ARateStandsBehindTheTimeouts) {
    SessionFacts facts = sample_facts();
    const std::string without = to_hex(written(facts));
    facts.rate = {20'000'000, 5'000'000};
    const std::string timeouts = "0000000000000384";
    std::string with = without;
    with.replace(with.find("39"
                           "0000018bcfe56800"),
                 2, "79");
    with.insert(with.find(timeouts) + timeouts.size(), "0000000001312d0000000000004c4b40");
    EXPECT_EQ(to_hex(written(facts)), with);
    EXPECT_EQ(read(written(facts)), facts);
    EXPECT_TRUE(validate(facts));
    facts.rate.up = 1;
    EXPECT_FALSE(validate(facts)) << "below the bound";
    // It would be written without.
    Bytes bytes = written(sample_facts());
    const std::size_t flags = without.find(
                                  "39"
                                  "0000018bcfe56800") /
                              2;
    bytes[flags] |= 0x40;
    bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(flags + 17), 16, 0);
    EXPECT_EQ(read(bytes), std::nullopt);
}

TEST(SessionFactsTest, WithoutIpv6ThereAreNoIdentifiers) {
    SessionFacts facts = sample_facts();
    const std::size_t size = written(facts).size();
    facts.ipv6.reset();
    EXPECT_EQ(written(facts).size(), size - 16);
    EXPECT_EQ(read(written(facts)), facts);
}

Ipv4Address unicast(test::Random& random) {
    return Ipv4Address{static_cast<std::uint32_t>(0x01000000 + random.below(0xdf000000))};
}

LinkOptions link_options(test::Random& random) {
    return {.mru = static_cast<std::uint16_t>(128 + random.below(16384 - 128 + 1)),
            .magic = random.u32(),
            .asyncmap = random.u32(),
            .protocol_compression = random.chance(50),
            .address_compression = random.chance(50)};
}

SessionFacts any_facts(test::Random& random) {
    SessionFacts facts;
    facts.ours = link_options(random);
    facts.theirs = link_options(random);
    facts.our_address = unicast(random);
    facts.peer_address = unicast(random);
    if (random.chance(50)) {
        facts.ipv6 = {1 + random.u32(), std::uint64_t{1} << 40};
    }
    facts.mtu = static_cast<std::uint16_t>(68 + random.below(16384 - 68 + 1));
    facts.echo_interval_s = random.u16();
    facts.echo_failures = random.u16();
    facts.echo_is_adaptive = random.chance(50);
    facts.established_unix_ms = random.next();
    facts.timeouts = {random.u32(), random.u32()};
    for (std::size_t left = random.below(limits::kSessionRoutesMax + 1); left > 0; --left) {
        const auto length = static_cast<std::uint8_t>(1 + random.below(32));
        facts.routes.push_back({IpAddress(Ipv4Address{random.u32()}).masked(length), length});
    }
    for (std::size_t left = random.below(limits::kSessionProxiedMax + 1); left > 0; --left) {
        facts.proxied.push_back({random.chance(50) ? LinkSide::outside : LinkSide::inside,
                                 IpAddress(Ipv4Address{random.u32()})});
    }
    facts.obstacle = std::string(random.below(limits::kObstacleBytesMax + 1), 'o');
    facts.user = to_text(random.bytes(limits::kUserNameBytesMax));
    facts.interface = std::string(random.below(limits::kInterfaceNameBytesMax + 1), 'p');
    return facts;
}

TEST(SessionFactsTest, AreReadAsTheyWereWritten) {
    test::Random random(1661);
    for (int n = 0; n < 2000; ++n) {
        const SessionFacts facts = any_facts(random);
        const Result<void> sane = validate(facts);
        ASSERT_TRUE(sane.has_value()) << sane.error().detail;
        EXPECT_EQ(read(written(facts)), facts);
    }
}

TEST(SessionFactsTest, EveryTruncationAndEveryTailIsRefused) {
    Bytes bytes = written(sample_facts());
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        EXPECT_FALSE(read(ByteView(bytes).first(size))) << size;
    }
    bytes.push_back(0);
    EXPECT_FALSE(read(bytes));
}

TEST(SessionFactsTest, WhatThisReleaseDoesNotKnowIsRefused) {
    constexpr std::size_t kFlags = 34;
    constexpr std::size_t kSide = kFlags + 1 + 16 + 16 + 1 + 6 + 18 + 1;
    for (const std::size_t place : {kFlags, kSide}) {
        Bytes bytes = written(sample_facts());
        bytes[place] |= 0x40;
        EXPECT_FALSE(read(bytes)) << place;
    }
    SessionFacts longer = sample_facts();
    longer.obstacle = std::string(limits::kObstacleBytesMax + 1, 'o');
    EXPECT_FALSE(read(written(longer)));
}

TEST(SessionFactsTest, WhatIsNotSaneIsRefused) {
    const IpAddress network(Ipv4Address{0x0a000001});
    const struct {
        const char* description;
        std::function<void(SessionFacts&)> spoil;
    } cases[] = {
        {"our MRU 127", [](auto& f) { f.ours.mru = 127; }},
        {"peer's MRU 16385", [](auto& f) { f.theirs.mru = 16385; }},
        {"MTU 67", [](auto& f) { f.mtu = 67; }},
        {"MTU 16385", [](auto& f) { f.mtu = 16385; }},
        {"our address broadcast", [](auto& f) { f.our_address.value = 0xffffffff; }},
        {"peer's address 0.1.2.3", [](auto& f) { f.peer_address.value = 0x00010203; }},
        {"both addresses the same", [](auto& f) { f.peer_address = f.our_address; }},
        {"no identifier of ours", [](auto& f) { f.ipv6->ours = 0; }},
        {"no identifier of the peer's", [](auto& f) { f.ipv6->theirs = 0; }},
        {"both identifiers the same", [](auto& f) { f.ipv6->theirs = f.ipv6->ours; }},
        {"a default route", [](auto& f) { f.routes[0] = {}; }},
        {"a route with bits behind it",
         [&](auto& f) {
             f.routes[0] = {network, 24};
         }},
        {"a route that is too long",
         [&](auto& f) {
             f.routes[0] = {network, 33};
         }},
        {"too many routes", [](auto& f) { f.routes.resize(17, f.routes[0]); }},
        {"too many proxied addresses", [](auto& f) { f.proxied.resize(5, f.proxied[0]); }},
        {"user too long", [](auto& f) { f.user.assign(256, 'u'); }},
        {"interface too long", [](auto& f) { f.interface.assign(16, 'i'); }},
        {"interface with a slash", [](auto& f) { f.interface = "../x"; }},
        {"interface with a newline", [](auto& f) { f.interface = "p\n"; }},
    };
    for (const auto& c : cases) {
        SessionFacts facts = sample_facts();
        ASSERT_TRUE(validate(facts).has_value());
        c.spoil(facts);
        EXPECT_FALSE(validate(facts).has_value()) << c.description;
    }
}

TEST(SessionFactsTest, TheEdgesAreTaken) {
    SessionFacts facts = sample_facts();
    facts.ours.mru = 128;
    facts.theirs.mru = 16384;
    facts.mtu = 68;
    facts.user.assign(255, 'u');
    facts.interface.assign(15, 'i');
    facts.peer_address.value = 0xdfffffff;
    EXPECT_TRUE(validate(facts).has_value());
}

}  // namespace session_facts_test
}  // namespace vpnha::ppp

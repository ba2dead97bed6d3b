// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/connections.hpp"

#include <gmock/gmock.h>

namespace vpnha::config {
namespace connections_test {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const std::set<IpAddress> kVips{*parse_ip("192.0.2.100"), *parse_ip("2001:db8::100")};

constexpr const char* kGood = R"(# As shipped.
connections {
    road {
        local_addrs = 192.0.2.100, 2001:db8::100   # Both.
        mobike = no
        unique = never
        rekey_time = 8h
        children {
            net { rekey_time = 3600 }
        }
    }
}
connections { road { children { net {
    rand_time = 0
} } } }
secrets { ike-1 { secret = "with # and }" } }
include conf.d/*.conf
)";

std::vector<std::string> findings(std::string text) {
    const auto parsed = parse_strongswan(text);
    EXPECT_TRUE(parsed) << parsed.error().detail;
    return findings_in_connections(*parsed, kVips);
}

std::vector<std::string> findings_with(const std::string& what, const std::string& instead) {
    std::string text = kGood;
    const std::size_t at = text.find(what);
    EXPECT_NE(at, std::string::npos);
    return findings(text.replace(at, what.size(), instead));
}

TEST(ConnectionsTest, WhatIsShippedIsGood) {
    EXPECT_THAT(findings(kGood), IsEmpty());
    const auto parsed = parse_strongswan(kGood);
    EXPECT_THAT(parsed->includes, ElementsAre("conf.d/*.conf"));
    EXPECT_EQ(parsed->sections.at("secrets").sections.at("ike-1").values.at("secret"),
              "with # and }");
}

TEST(ConnectionsTest, EachThingThatATakeoverSuffersFromIsNamed) {
    for (const auto& [good, bad, named] :
         std::vector<std::tuple<std::string, std::string, std::string>>{
             {"mobike = no", "", "road: mobike is not set"},
             {"unique = never", "unique = replace", "unique is replace"},
             {"rekey_time = 8h", "", "road: rekey_time is 4h"},
             {"rekey_time = 8h", "rekey_time = 25h", "not from 8h to 24h"},
             {"rekey_time = 3600", "rekey_time = 15 m", "child net: rekey_time is 15 m"},
             {"rekey_time = 3600", "rekey_time = 9h", "not from 1h to 8h"},
             {"rand_time = 0", "", "child net: rand_time"},
             {"rand_time = 0", "rand_time = 0\nhw_offload = auto", "hw_offload is auto"},
             {"192.0.2.100, ", "192.0.2.1, ", "has 192.0.2.1, which is no VIP"},
             {"local_addrs = 192.0.2.100, 2001:db8::100", "", "has %any"}}) {
        EXPECT_THAT(findings_with(good, bad), ElementsAre(HasSubstr(named))) << bad;
    }
    EXPECT_THAT(findings("secrets { }"), ElementsAre("there are no connections"));
}

TEST(ConnectionsTest, FilesAreOneConfiguration) {
    auto all = parse_strongswan("connections { a { mobike = yes } }");
    const auto more = parse_strongswan("connections { a { mobike = no } b { } }\ninclude x");
    ASSERT_TRUE(all && more);
    all->merge(*more);
    EXPECT_EQ(all->sections.at("connections").sections.at("a").values.at("mobike"), "no");
    EXPECT_THAT(all->sections.at("connections").sections, SizeIs(2));
    EXPECT_THAT(all->includes, ElementsAre("x"));
}

TEST(ConnectionsTest, WhatCannotBeReadHasTheNumberOfItsLine) {
    for (const char* text : {"\na b\n", "a {\nb {", "\n}", "\n{ }", "\na\n= 1"}) {
        const auto parsed = parse_strongswan(text);
        ASSERT_FALSE(parsed) << text;
        EXPECT_EQ(parsed.error().detail, "line 2 cannot be read") << text;
    }
    EXPECT_FALSE(parse_strongswan(std::string(100, 'a') + "{"));
    std::string deep;
    for (int i = 0; i < 100; ++i) {
        deep += "a {";
    }
    EXPECT_FALSE(parse_strongswan(deep));
}

TEST(ConnectionsTest, TimesHaveUnits) {
    using std::chrono::seconds;
    EXPECT_EQ(parse_strongswan_time("90"), seconds(90));
    EXPECT_EQ(parse_strongswan_time("90s"), seconds(90));
    EXPECT_EQ(parse_strongswan_time("2m"), seconds(120));
    EXPECT_EQ(parse_strongswan_time("8h"), std::chrono::hours(8));
    EXPECT_EQ(parse_strongswan_time("1d"), std::chrono::hours(24));
    for (const char* text : {"", "h", "8 weeks", "-1", "99999999999"}) {
        EXPECT_EQ(parse_strongswan_time(text), std::nullopt) << text;
    }
}

}  // namespace connections_test
}  // namespace vpnha::config

// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/connection_pools.hpp"

#include <gmock/gmock.h>

namespace vpnha::config {
namespace connection_pools_test {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

StrongswanSection sections(const std::string& text) {
    const auto parsed = parse_strongswan(
        {"file", text}, [](const auto&, const auto&) { return std::vector<StrongswanFile>{}; });
    EXPECT_TRUE(parsed) << parsed.error().detail;
    return with_references(*parsed);
}

std::vector<std::string> findings(const std::string& connections, const std::string& settings,
                                  const std::vector<std::string>& routed = {"10.200.32.0/20"}) {
    std::vector<IpPrefix> nets;
    for (const std::string& each : routed) {
        nets.push_back(*parse_ip_prefix(each));
    }
    return findings_in_pools(sections(connections), sections(settings), nets);
}

constexpr const char* kRoad = "connections { road { pools = clients } }";
constexpr const char* kHa =
    "charon { plugins { ha { pools { clients = 10.200.32.0/20\n spare = 10.9.0.0/16 } } } }";

TEST(ConnectionPoolsTest, APoolOfHaWithARouteIsGood) {
    EXPECT_THAT(findings(kRoad, kHa), IsEmpty());
    EXPECT_THAT(findings(kRoad, kHa, {"10.200.0.0/16"}), IsEmpty());
    EXPECT_THAT(findings("connections { road { pools = radius, dhcp } }", ""), IsEmpty());
    EXPECT_THAT(findings("connections { road { version = 2 } }", kHa), IsEmpty());
    EXPECT_THAT(findings("", kHa), IsEmpty());
}

TEST(ConnectionPoolsTest, APoolWithoutARouteIsNamed) {
    EXPECT_THAT(findings(kRoad, kHa, {}),
                ElementsAre(AllOf(HasSubstr("pool clients"), HasSubstr("\"10.200.32.0/20\""))));
    EXPECT_THAT(findings(kRoad, kHa, {"10.200.40.0/21"}), ElementsAre(HasSubstr("no route")));
    EXPECT_THAT(findings("connections { a { pools = clients, spare } b { pools = spare } }", kHa),
                ElementsAre(HasSubstr("pool spare")));
}

TEST(ConnectionPoolsTest, APoolThatIsNotOfHaIsNamed) {
    EXPECT_THAT(findings(std::string(kRoad) + " pools { clients { addrs = 10.200.32.0/20 } }", ""),
                ElementsAre(HasSubstr("the same address")));
    EXPECT_THAT(findings(kRoad, ""), ElementsAre(HasSubstr("none of that name")));
}

TEST(ConnectionPoolsTest, CharonSystemdsOwnSettingCounts) {
    EXPECT_THAT(findings(kRoad, std::string(kHa) + " charon-systemd { plugins { ha { pools { "
                                                   "clients = 10.9.0.0/16 } } } }"),
                ElementsAre(HasSubstr("10.9.0.0/16")));
}

}  // namespace connection_pools_test
}  // namespace vpnha::config

// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ppp/backend/client_addresses.hpp"

#include <gmock/gmock.h>

namespace vpnha::runtime {
namespace client_addresses_test {

using ::testing::HasSubstr;

IpPrefix prefix(std::string_view text) {
    return parse_ip_prefix(text).value_or(IpPrefix{});
}

class ClientAddressesTest : public ::testing::Test {
  protected:
    void SetUp() override {
        config::Gateway gateway;
        gateway.name = "dialin";
        gateway.pools = {prefix("10.200.1.0/24"), prefix("198.51.100.192/26")};
        gateway.outside = {"outside", {prefix("192.0.2.100/24")}};
        gateway.outside.default_via = {*parse_ip("172.31.1.1")};
        gateway.inside = {"inside", {prefix("198.51.100.100/24")}};
        gateway.links.inside_neighbours = {*parse_ip("198.51.100.201")};
        config_.gateways = {gateway};
        config_.radius.accounting_servers = {{*parse_ipv4("10.90.0.1"), 1813}};
    }
    std::string hindrance(std::string_view client, const std::vector<IpPrefix>& networks = {}) {
        return hindrance_of_addresses(config_, config_.gateways[0], nodes_, *parse_ipv4(client),
                                      networks);
    }

    config::Config config_;
    std::vector<adapters::ClusterNode> nodes_ = {{NodeId{3}, {"10.77.1.3", "10.200.1.3"}, "gw3"},
                                                 {NodeId{4}, {"gw4.example"}, ""}};
};

TEST_F(ClientAddressesTest, AnAddressOfThePoolsAndAFarNetworkAreTaken) {
    EXPECT_EQ(hindrance("10.200.1.77", {prefix("172.20.5.0/24"), prefix("2001:db8:51::/64")}), "");
    EXPECT_EQ(hindrance("198.51.100.210"), "") << "a pool within the inside net";
}

TEST_F(ClientAddressesTest, AnyOtherAddressIsNot) {
    EXPECT_EQ(hindrance("203.0.113.77"),
              "the client's address 203.0.113.77 lies in none of 'pools'");
    EXPECT_EQ(hindrance("10.77.1.3"), "the client's address 10.77.1.3 is that of node gw3");
    EXPECT_EQ(hindrance("10.200.1.3"), "the client's address 10.200.1.3 is that of node gw3")
        << "though it lies in a pool";
    EXPECT_THAT(hindrance("198.51.100.201"), HasSubstr("is that of a neighbour"));
    EXPECT_THAT(hindrance("172.31.1.1"), HasSubstr("is that of a router"));
}

TEST_F(ClientAddressesTest, ANetworkMeetsNothingOfTheNodes) {
    EXPECT_EQ(hindrance("10.200.1.77", {prefix("10.77.0.0/16")}),
              "the network 10.77.0.0/16 behind the client has that of node gw3 in it");
    EXPECT_THAT(hindrance("10.200.1.77", {prefix("198.51.100.0/28")}),
                HasSubstr("the link inside"));
    EXPECT_THAT(hindrance("10.200.1.77", {prefix("10.90.0.0/30")}), HasSubstr("a RADIUS server"));
    EXPECT_THAT(hindrance("10.200.1.77", {prefix("0.0.0.0/0")}), HasSubstr("0.0.0.0/0"));
}

}  // namespace client_addresses_test
}  // namespace vpnha::runtime

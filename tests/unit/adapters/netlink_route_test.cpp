// SPDX-License-Identifier: GPL-2.0-or-later
#include "adapters/netlink_route.hpp"

#include "unit/adapters/two_hosts.hpp"

namespace vpnha::adapters {
namespace {

using testing::ip;
using testing::ip_command;
using testing::output_of;
using testing::prefix;

class RouteNetlinkTest : public testing::TwoHosts {
  protected:
    void SetUp() override {
        TwoHosts::SetUp();
        auto route = RouteNetlink::open();
        ASSERT_TRUE(route);
        route_.emplace(std::move(*route));
        link_ = route_->find_link("out0").value_or(0);
        ASSERT_GT(link_, 0);
    }
    std::optional<RouteNetlink> route_;
    LinkIndex link_ = 0;
};

TEST_F(RouteNetlinkTest, SaysThatALinkIsNotThere) {
    const auto found = route_->find_link("gone0");
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code, Errc::not_found);
}

TEST_F(RouteNetlinkTest, PassesTheKernelsOwnWordsOn) {
    const auto outcome = route_->prepare_link(link_, "out0", 10);
    ASSERT_FALSE(outcome);
    EXPECT_NE(outcome.error().detail.find("(mtu less than device minimum)"), std::string::npos)
        << outcome.error().detail;
}

TEST_F(RouteNetlinkTest, PreparesALinkThatIsDown) {
    ASSERT_TRUE(ip_command("link set out0 down"));
    const auto prepared = route_->prepare_link(link_, "vpnha0", 1400);
    ASSERT_TRUE(prepared) << prepared.error().detail;
    ASSERT_TRUE(route_->set_link_up(link_));
    const std::string shown = output_of("ip -d link show vpnha0");
    EXPECT_NE(shown.find("mtu 1400"), std::string::npos) << shown;
    EXPECT_NE(shown.find("addrgenmode none"), std::string::npos) << shown;
    EXPECT_NE(shown.find("UP"), std::string::npos) << shown;
}

TEST_F(RouteNetlinkTest, PeerAddressBringsNoRouteToThePeer) {
    const auto added = route_->add_peer_address(link_, ip("10.64.0.1"), ip("10.64.1.5"));
    ASSERT_TRUE(added) << added.error().detail;
    EXPECT_NE(output_of("ip -4 addr show dev out0").find("10.64.0.1 peer 10.64.1.5/32"),
              std::string::npos);
    EXPECT_EQ(output_of("ip route show").find("10.64.1.5"), std::string::npos);
}

TEST_F(RouteNetlinkTest, HostRouteTakesTheFormerOnesPlace) {
    const LinkIndex inside = route_->find_link("in0").value_or(0);
    ASSERT_TRUE(route_->replace_host_route(inside, ip("10.64.1.5"), 70'000));
    const auto replaced = route_->replace_host_route(link_, ip("10.64.1.5"), 70'000);
    ASSERT_TRUE(replaced) << replaced.error().detail;
    EXPECT_EQ(output_of("ip route show table 70000"),
              "10.64.1.5 dev out0 proto static scope link \n");
}

TEST_F(RouteNetlinkTest, ListsAddressesWithTheirLinks) {
    ASSERT_TRUE(ip_command("addr add 2001:db8::1/64 dev out0"));
    std::vector<std::string> found;
    ASSERT_TRUE(route_->for_each_address([&](const LinkAddress& address) {
        // IPv6 makes its link-local address itself, sooner or later.
        if (address.link == link_ && !to_string(address.local).starts_with("fe80:")) {
            found.push_back(to_string(address.local));
        }
    }));
    EXPECT_EQ(found, (std::vector<std::string>{"192.0.2.1/24", "2001:db8::1/64"}));
}

}  // namespace
}  // namespace vpnha::adapters

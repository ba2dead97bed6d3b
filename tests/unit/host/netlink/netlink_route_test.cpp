// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/netlink/netlink_route.hpp"

#include <gmock/gmock.h>
#include <linux/if_arp.h>
#include <linux/rtnetlink.h>

#include "unit/host/addresses/two_hosts.hpp"

namespace vpnha::adapters {
namespace netlink_route_test {

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
        link_ = route_->find_link("out0")->value_or(LinkState{}).index;
        ASSERT_GT(link_, 0);
    }
    std::optional<RouteNetlink> route_;
    LinkIndex link_ = 0;
};

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

TEST_F(RouteNetlinkTest, ALinkThatIsTooSmallForIpv6IsPreparedWithoutIt) {
    ASSERT_TRUE(ip_command("link set out0 down"));
    const auto prepared = route_->prepare_link(link_, "vpnha0", kIpv6MtuMin - 1);
    ASSERT_TRUE(prepared) << prepared.error().detail;
    ASSERT_TRUE(route_->set_link_up(link_));
    const std::string shown = output_of("ip -d addr show vpnha0");
    EXPECT_NE(shown.find("mtu 1279"), std::string::npos) << shown;
    EXPECT_EQ(shown.find("inet6"), std::string::npos) << shown;
}

TEST_F(RouteNetlinkTest, PeerAddressBringsNoRouteToThePeer) {
    const auto added = route_->add_peer_address(link_, ip("10.64.0.1"), ip("10.64.1.5"));
    ASSERT_TRUE(added) << added.error().detail;
    EXPECT_NE(output_of("ip -4 addr show dev out0").find("10.64.0.1 peer 10.64.1.5/32"),
              std::string::npos);
    EXPECT_EQ(output_of("ip route show").find("10.64.1.5"), std::string::npos);
}

TEST_F(RouteNetlinkTest, LinkLocalPeerBringsTheRouteToIt) {
    ASSERT_TRUE(ip_command("link set out0 down"));
    ASSERT_TRUE(route_->prepare_link(link_, "out0", 1400));
    ASSERT_TRUE(route_->set_link_up(link_));
    for (int i = 0; i < 2; ++i) {
        const auto added =
            route_->add_link_local_peer(link_, link_local_address(1), link_local_address(0x2a));
        ASSERT_TRUE(added) << added.error().detail;
    }
    EXPECT_NE(output_of("ip -6 addr show dev out0").find("inet6 fe80::1 peer fe80::2a/128"),
              std::string::npos);
    EXPECT_NE(output_of("ip -6 route show dev out0").find("fe80::2a"), std::string::npos);
}

TEST_F(RouteNetlinkTest, ARouteMayHaveASource) {
    ASSERT_TRUE(ip_command("addr add 192.0.2.100/32 dev out0"));
    const TableRoute route{prefix("10.64.1.5/32"), std::nullopt, 70'000};
    const auto added = route_->add_route(link_, route, IpAddress(ip("192.0.2.100")));
    ASSERT_TRUE(added) << added.error().detail;
    EXPECT_EQ(output_of("ip route show table 70000"),
              "10.64.1.5 dev out0 proto 118 scope link src 192.0.2.100 \n");
}

TEST_F(RouteNetlinkTest, ADeviceOfAKindTakesTheFormerOnesPlace) {
    ASSERT_TRUE(route_->add_device("kind0", "ifb"));
    const auto first = route_->find_device("kind0");
    ASSERT_TRUE(first && *first);
    EXPECT_EQ((*first)->kind, "ifb");
    EXPECT_FALSE((*first)->state.is_up);
    const auto again = route_->add_device("kind0", "ifb");
    ASSERT_TRUE(again) << again.error().detail;
    EXPECT_NE(route_->find_device("kind0")->value_or(Link{}).state.index, (*first)->state.index);
    const auto foreign = route_->add_device("out0", "ifb");
    ASSERT_FALSE(foreign);
    EXPECT_EQ(foreign.error().code, Errc::already_exists);
    const auto unknown = route_->add_device("kind1", "nonesuch");
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().code, Errc::unsupported);
}

TEST_F(RouteNetlinkTest, HostRouteTakesTheFormerOnesPlace) {
    const LinkIndex inside = route_->find_link("in0")->value_or(LinkState{}).index;
    const TableRoute route{prefix("10.64.1.5/32"), std::nullopt, 70'000};
    ASSERT_TRUE(route_->add_route(inside, route));
    const auto replaced = route_->add_route(link_, route);
    ASSERT_TRUE(replaced) << replaced.error().detail;
    EXPECT_EQ(output_of("ip route show table 70000"), "10.64.1.5 dev out0 proto 118 scope link \n");
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

TEST_F(RouteNetlinkTest, KnowsWhetherALinkHasACarrier) {
    EXPECT_EQ(*route_->find_link("gone0"), std::nullopt);
    EXPECT_TRUE(route_->find_link("out0")->value_or(LinkState{}).is_up);
    in_peer([] { EXPECT_TRUE(ip_command("link set peer0 down")); });
    EXPECT_FALSE(route_->find_link("out0")->value_or(LinkState{}).is_up) << "unplugged";
}

TEST_F(RouteNetlinkTest, AddsAndDeletesAddressesOfBothFamiliesRepeatably) {
    for (const char* text : {"192.0.2.9/24", "2001:db8::9/64"}) {
        for (int i = 0; i < 2; ++i) {
            const auto added = route_->add_address(link_, prefix(text));
            ASSERT_TRUE(added) << added.error().detail;
        }
        const auto present = route_->addresses(link_);
        ASSERT_TRUE(present);
        EXPECT_EQ(std::count(present->begin(), present->end(), prefix(text)), 1) << text;
        EXPECT_EQ(output_of(std::string("ip addr show tentative to ") + text), "")
            << "usable at once";
        for (int i = 0; i < 2; ++i) {
            const auto deleted = route_->delete_address(link_, prefix(text));
            ASSERT_TRUE(deleted) << deleted.error().detail;
        }
        const auto left = route_->addresses(link_);
        EXPECT_EQ(std::count(left->begin(), left->end(), prefix(text)), 0) << text;
    }
}

TEST_F(RouteNetlinkTest, OwnConnectionsDoNotBeginWithAnAddedAddress) {
    ASSERT_TRUE(ip_command("addr add 2001:db8::1/64 dev out0 nodad"));
    ASSERT_TRUE(route_->add_address(link_, prefix("192.0.2.9/24")));
    ASSERT_TRUE(route_->add_address(link_, prefix("2001:db8::9/64")));
    EXPECT_NE(output_of("ip route get 192.0.2.51").find("src 192.0.2.1 "), std::string::npos);
    EXPECT_NE(output_of("ip route get 2001:db8::8").find("src 2001:db8::1 "), std::string::npos);
    EXPECT_NE(output_of("ip addr show to 2001:db8::9").find("valid_lft forever preferred_lft 0sec"),
              std::string::npos);
}

TEST_F(RouteNetlinkTest, ListsNoOtherInterfacesAddresses) {
    const auto present = route_->addresses(link_);
    ASSERT_TRUE(present);
    EXPECT_EQ(std::count(present->begin(), present->end(), prefix("198.51.100.1/24")), 0);
    EXPECT_EQ(std::count(present->begin(), present->end(), prefix("192.0.2.1/24")), 1);
}

TEST_F(RouteNetlinkTest, AddsFindsAndDeletesRules) {
    PolicyRule by_address{false, prefix("192.0.2.9/32").address, std::nullopt, 70'000, 900};
    PolicyRule by_v6_address{true, prefix("2001:db8::9/128").address, std::nullopt, 700, 900};
    PolicyRule by_mark{true, std::nullopt, 42, 700, 901};
    const PolicyRule to_net{false, std::nullopt,           std::nullopt, 70'000,
                            899,   prefix("10.64.1.0/24"), false};
    const PolicyRule to_all{false, std::nullopt, std::nullopt, 70'000, 899, std::nullopt, true};
    for (const PolicyRule& rule : {by_address, by_v6_address, by_mark, to_net, to_all}) {
        EXPECT_EQ(route_->has_rule(rule), false);
        for (int i = 0; i < 2; ++i) {
            const auto added = route_->add_rule(rule);
            ASSERT_TRUE(added) << added.error().detail;
        }
        EXPECT_EQ(route_->has_rule(rule), true);
    }
    EXPECT_NE(output_of("ip rule").find("900:\tfrom 192.0.2.9 lookup 70000"), std::string::npos);
    EXPECT_NE(output_of("ip -6 rule").find("901:\tfrom all fwmark 0x2a lookup 700"),
              std::string::npos);
    EXPECT_NE(output_of("ip rule").find("899:\tfrom all to 10.64.1.0/24 lookup 70000 proto 118"),
              std::string::npos);
    EXPECT_NE(output_of("ip rule").find("899:\tfrom all lookup 70000 suppress_prefixlength 0"),
              std::string::npos);
    PolicyRule other = by_mark;
    other.mark = 43;
    EXPECT_EQ(route_->has_rule(other), false);
    ASSERT_TRUE(ip_command("rule add from 203.0.113.0/24 lookup 70000 preference 899"));
    const PolicyRule any{false, std::nullopt, std::nullopt, 70'000, 899};
    for (const PolicyRule& rule : {by_address, by_v6_address, by_mark, any}) {
        ASSERT_TRUE(route_->delete_rule(rule));
        ASSERT_TRUE(route_->delete_rule(rule));
        EXPECT_EQ(route_->has_rule(rule), false);
    }
    EXPECT_EQ(route_->has_rule(to_net), false) << "it has more conditions";
    EXPECT_EQ(route_->has_rule(to_all), false) << "it has more conditions";
    EXPECT_NE(output_of("ip rule").find("899:\tfrom 203.0.113.0/24 lookup 70000"),
              std::string::npos)
        << "somebody else's stays";
}

TEST_F(RouteNetlinkTest, DistinguishesItsOwnRulesAndRoutesFromOthers) {
    const TableRoute own{prefix("10.64.1.5/32"), std::nullopt, 700};
    ASSERT_TRUE(route_->add_route(link_, own));
    ASSERT_TRUE(
        route_->add_rule({false, std::nullopt, std::nullopt, 700, 899, std::nullopt, true}));
    ASSERT_TRUE(ip_command("route add default via 192.0.2.51 table 700"));
    ASSERT_TRUE(ip_command("rule add from 203.0.113.0/24 iif in0 lookup 700 preference 898"));
    ASSERT_TRUE(ip_command("rule add to 203.0.113.7 fwmark 0x2a blackhole preference 897"));
    std::vector<std::string> routes;
    ASSERT_TRUE(route_->for_each_route_in(700, [&routes](const ListedRoute& each) {
        routes.push_back(to_string(each.route.destination) + (each.is_own ? " own" : ""));
    }));
    EXPECT_THAT(routes, ::testing::UnorderedElementsAre("10.64.1.5/32 own", "0.0.0.0/0"));
    std::vector<std::string> rules;
    ASSERT_TRUE(route_->for_each_rule(false, [&rules](const ListedRule& each) {
        if (each.rule.preference > 800 && each.rule.preference < 900) {
            rules.push_back(each.text + (each.is_own ? ", own" : "") +
                            (each.is_selective ? ", selective" : ""));
        }
    }));
    EXPECT_THAT(rules, ::testing::ElementsAre(
                           "from all to 203.0.113.7/32 fwmark 0x2a blackhole, selective",
                           "from 203.0.113.0/24 iif in0 lookup 700", "from all lookup 700, own"));
}

TEST_F(RouteNetlinkTest, AddsFindsAndDeletesRoutes) {
    const auto via = [](const char* text) { return std::optional(prefix(text).address); };
    const std::vector<TableRoute> routes = {{prefix("192.0.2.0/24"), std::nullopt, 70'000},
                                            // Behind no address of this link.
                                            {prefix("0.0.0.0/0"), via("203.0.113.1/32"), 70'000},
                                            {prefix("2001:db8::/64"), std::nullopt, 700},
                                            {prefix("::/0"), via("2001:db8::1/128"), 700}};
    for (const TableRoute& route : routes) {
        EXPECT_EQ(route_->has_route(link_, route), false) << to_string(route.destination);
        for (int i = 0; i < 2; ++i) {
            const auto added = route_->add_route(link_, route);
            ASSERT_TRUE(added) << added.error().detail;
        }
        EXPECT_EQ(route_->has_route(link_, route), true) << to_string(route.destination);
        TableRoute elsewhere = route;
        elsewhere.table = 701;
        EXPECT_EQ(route_->has_route(link_, elsewhere), false);
    }
    EXPECT_EQ(output_of("ip route show default table 70000"),
              "default via 203.0.113.1 dev out0 proto 118 onlink \n");
    for (const TableRoute& route : routes) {
        ASSERT_TRUE(route_->delete_route(link_, route));
        ASSERT_TRUE(route_->delete_route(link_, route));
        EXPECT_EQ(route_->has_route(link_, route), false) << to_string(route.destination);
    }
}

TEST_F(RouteNetlinkTest, DeletesALinkRepeatably) {
    ASSERT_TRUE(route_->delete_link(link_));
    EXPECT_EQ(*route_->find_link("out0"), std::nullopt);
    EXPECT_TRUE(route_->delete_link(link_));
}

TEST_F(RouteNetlinkTest, DeletesOnePrefixLengthOrFlushesAny) {
    ASSERT_TRUE(ip_command("addr add 192.0.2.9/32 dev out0"));
    ASSERT_TRUE(route_->delete_address(link_, prefix("192.0.2.9/24")));
    EXPECT_NE(output_of("ip addr show to 192.0.2.9"), "") << "another address";
    ASSERT_TRUE(route_->flush_address(link_, prefix("192.0.2.9/24")));
    EXPECT_EQ(output_of("ip addr show to 192.0.2.9"), "");
    ASSERT_TRUE(ip_command("addr add 192.0.2.9 peer 203.0.113.1 dev out0"));
    ASSERT_TRUE(route_->flush_address(link_, prefix("192.0.2.9/32")));
    EXPECT_EQ(output_of("ip addr show to 203.0.113.1"), "") << "of a link to one peer";
}

TEST(LinkTest, APortIsWhatHasAMasterThatReceivesInItsPlace) {
    const struct {
        const char* master_kind;
        bool is_port;
    } cases[] = {{"bridge", true}, {"bond", true}, {"vrf", false}};
    for (const auto& test : cases) {
        NetlinkRequest message(RTM_NEWLINK, 0);
        auto& header = message.header<ifinfomsg>();
        header.ifi_index = 7;
        header.ifi_type = ARPHRD_ETHER;
        message.text(IFLA_IFNAME, "eth7").u32(IFLA_MASTER, 9);
        message.nested(IFLA_LINKINFO, [&] {
            message.text(IFLA_INFO_KIND, "vlan").text(IFLA_INFO_SLAVE_KIND, test.master_kind);
        });
        const Link link = link_of(message.message());
        EXPECT_EQ(link.is_port, test.is_port) << test.master_kind;
        EXPECT_EQ(link.name, "eth7");
        EXPECT_EQ(link.kind, "vlan");
        EXPECT_EQ(link.state.index, 7);
        EXPECT_EQ(link.hardware, ARPHRD_ETHER);
    }
}

}  // namespace netlink_route_test
}  // namespace vpnha::adapters

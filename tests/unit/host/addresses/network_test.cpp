// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/addresses/network.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "protocols/ipsec/table.hpp"
#include "unit/host/addresses/two_hosts.hpp"

namespace vpnha::adapters {
namespace network_test {

using testing::Capture;
using testing::ip_command;
using testing::output_of;
using testing::prefix;
using namespace std::chrono_literals;

class NetworkTest : public testing::TwoHosts {
  protected:
    void SetUp() override {
        TwoHosts::SetUp();
        config_.gateways = {gateway()};
        auto network = LinuxNetwork::create(config_);
        ASSERT_TRUE(network);
        network_.emplace(std::move(*network));
    }
    // Addresses of the whole node but the loopback's and those that IPv6 makes itself, in order.
    static std::vector<std::string> addresses() {
        std::vector<std::string> found;
        auto route = RouteNetlink::open();
        EXPECT_TRUE(route->for_each_address(
            [&found](const LinkAddress& address) { found.push_back(to_string(address.local)); }));
        std::sort(found.begin(), found.end());
        std::erase_if(found, [](const std::string& address) {
            return address == "127.0.0.1/8" || address == "::1/128" || address.starts_with("fe80:");
        });
        return found;
    }
    static long rules(const std::string& version = "-4") {
        const std::string text = output_of("ip " + version + " rule show");
        long count = 0;
        for (auto at = text.find("7000:"); at != std::string::npos;
             at = text.find("7000:", at + 1)) {
            ++count;
        }
        return count;
    }

    void add_ipv6() {
        config_.gateways[0].outside.addresses.push_back(prefix("2001:db8::100/64"));
        config_.gateways[0].inside.addresses.push_back(prefix("2001:db8:1::100/64"));
    }

    static constexpr GatewayId kId{7};
    const std::vector<std::string> without_ = {"192.0.2.1/24", "198.51.100.1/24"};
    const std::vector<std::string> with_ = {"192.0.2.1/24", "192.0.2.100/24", "198.51.100.1/24",
                                            "198.51.100.100/24"};
    config::Config config_;
    std::optional<LinuxNetwork> network_;
};

TEST_F(NetworkTest, AddsAndRemovesVipsAndRuleRepeatably) {
    for (int round = 0; round < 2; ++round) {
        for (int repeat = 0; repeat < 2; ++repeat) {
            const auto added = network_->add_addresses(kId);
            ASSERT_TRUE(added) << added.error().detail;
            EXPECT_EQ(addresses(), with_);
            EXPECT_EQ(rules(), 1);
        }
        for (int repeat = 0; repeat < 2; ++repeat) {
            const auto removed = network_->remove_addresses(kId);
            ASSERT_TRUE(removed) << removed.error().detail;
            EXPECT_EQ(addresses(), without_);
            EXPECT_EQ(rules(), 0);
        }
    }
}

TEST_F(NetworkTest, NamesWhatIsMissing) {
    add_ipv6();
    config_.gateways[0].pools.push_back(prefix("2001:db8:2::/64"));
    const auto missing = [this] { return network_->missing(kId).value_or("an error"); };
    EXPECT_EQ(
        missing(),
        "192.0.2.100/24 on out0, 2001:db8::100/64 on out0, 198.51.100.100/24 on in0, "
        "2001:db8:1::100/64 on in0, policy rule to 10.64.1.0/24, policy rule to 2001:db8:2::/64");
    ASSERT_TRUE(network_->add_addresses(kId));
    EXPECT_EQ(missing(), "");
    ASSERT_TRUE(ip_command("link set out0 down"));
    EXPECT_EQ(missing(), "2001:db8::100/64 on out0");
    // A device that is down takes it: its routes come when it is up.
    ASSERT_TRUE(network_->add_addresses(kId));
    ASSERT_TRUE(ip_command("link set out0 up"));
    EXPECT_EQ(missing(), "");
    const std::string routes = output_of("ip -6 route show dev out0");
    EXPECT_NE(routes.find("2001:db8::/64"), std::string::npos) << routes;
    ASSERT_TRUE(ip_command("-6 rule del preference 7000"));
    EXPECT_EQ(missing(), "policy rule to 2001:db8:2::/64");
    ASSERT_TRUE(ip_command("link del out0"));
    EXPECT_EQ(missing(), "policy rule to 2001:db8:2::/64")
        << "that device's addresses do not count";
}

// The node's own default route leads inside; the client is behind a router outside.
TEST_F(NetworkTest, AnswersLeaveByTheSideOfTheirAddress) {
    add_ipv6();
    ASSERT_TRUE(ip_command("route add default via 198.51.100.51"));
    config_.gateways[0].outside.default_via = {*parse_ip("192.0.2.51"), *parse_ip("2001:db8::51")};
    const auto way = [](const std::string& query) { return output_of("ip route get " + query); };
    for (int repeat = 0; repeat < 2; ++repeat) {
        const auto added = network_->add_addresses(kId);
        ASSERT_TRUE(added) << added.error().detail;
        EXPECT_EQ(network_->missing(kId).value_or("an error"), "");
    }
    EXPECT_NE(way("203.0.113.9 from 192.0.2.100").find("via 192.0.2.51 dev out0"),
              std::string::npos);
    EXPECT_NE(way("2001:db8:9::9 from 2001:db8::100").find("via 2001:db8::51 dev out0"),
              std::string::npos);
    EXPECT_NE(way("203.0.113.9 from 198.51.100.100").find("dev in0"), std::string::npos);
    EXPECT_EQ(way("192.0.2.77 from 192.0.2.100").find("via"), std::string::npos)
        << "a neighbour is no router's";

    ASSERT_TRUE(ip_command("link set out0 down"));
    ASSERT_TRUE(ip_command("link set out0 up"));
    EXPECT_NE(network_->missing(kId).value_or("").find("route to 0.0.0.0/0 in table 2014"),
              std::string::npos);
    ASSERT_TRUE(network_->add_addresses(kId));
    EXPECT_EQ(network_->missing(kId).value_or("an error"), "");

    ASSERT_TRUE(network_->remove_addresses(kId));
    EXPECT_EQ(output_of("ip route show table 2014 2>/dev/null"), "");
    EXPECT_EQ(output_of("ip rule").find("2014"), std::string::npos);
    EXPECT_EQ(output_of("ip -6 rule").find("2014"), std::string::npos);
}

// The node's own default route leads inside, the clients of IKEv2 are outside.
TEST_F(NetworkTest, VirtualAddressesAreOutsideWhileTheNodeServes) {
    ASSERT_TRUE(ip_command("route add default via 198.51.100.51"));
    config_.gateways[0].protocols.serve<ipsec::Table>().virtual_pools = {prefix("10.64.1.128/25")};
    const auto way = [](const std::string& to) { return output_of("ip route get " + to); };
    EXPECT_EQ(network_->missing(kId).value_or("").find("route to 10.64.1.128/25 in table 700"),
              std::string("192.0.2.100/24 on out0, ").size());
    for (int repeat = 0; repeat < 2; ++repeat) {
        const auto added = network_->add_addresses(kId);
        ASSERT_TRUE(added) << added.error().detail;
        EXPECT_EQ(network_->missing(kId).value_or("an error"), "");
    }
    EXPECT_NE(way("10.64.1.200").find("dev out0"), std::string::npos);
    EXPECT_NE(way("10.64.1.7").find("dev in0"), std::string::npos) << "of the pool of others";

    ASSERT_TRUE(ip_command("link set out0 down"));
    ASSERT_TRUE(ip_command("link set out0 up"));
    EXPECT_EQ(network_->missing(kId).value_or(""), "route to 10.64.1.128/25 in table 700");
    ASSERT_TRUE(network_->add_addresses(kId));

    ASSERT_TRUE(network_->remove_addresses(kId));
    EXPECT_EQ(output_of("ip route show table 700 2>/dev/null"), "");
    EXPECT_NE(way("10.64.1.200").find("dev in0"), std::string::npos);
    ASSERT_TRUE(network_->add_addresses(kId));
    ASSERT_TRUE(network_->flush(kId));
    EXPECT_EQ(output_of("ip route show table 700 2>/dev/null"), "");
}

TEST_F(NetworkTest, VirtualAddressesOfIpv6AreOutsideAsWell) {
    add_ipv6();
    config_.gateways[0].pools.push_back(prefix("2001:db8:200::/48"));
    config_.gateways[0].protocols.serve<ipsec::Table>().virtual_pools = {
        prefix("10.64.1.128/25"), prefix("2001:db8:200:64::/112")};
    ASSERT_TRUE(ip_command("-6 route add default via 2001:db8:1::51 dev in0 onlink"));
    const auto way = [](const std::string& to) { return output_of("ip -6 route get " + to); };
    for (int repeat = 0; repeat < 2; ++repeat) {
        const auto added = network_->add_addresses(kId);
        ASSERT_TRUE(added) << added.error().detail;
        EXPECT_EQ(network_->missing(kId).value_or("an error"), "");
    }
    EXPECT_NE(way("2001:db8:200:64::9").find("dev out0"), std::string::npos);
    EXPECT_NE(way("2001:db8:200:65::9").find("dev in0"), std::string::npos);
    ASSERT_TRUE(network_->remove_addresses(kId));
    EXPECT_EQ(output_of("ip -6 route show table 700 2>/dev/null"), "");
    EXPECT_NE(way("2001:db8:200:64::9").find("dev in0"), std::string::npos);
}

TEST_F(NetworkTest, ARuleForNetworksStaysWhileOneOfTwoProtocolsHasSome) {
    ASSERT_TRUE(network_->add_addresses(kId));
    const int before = static_cast<int>(rules());
    ASSERT_TRUE(network_->set_networks(kId, false, true));
    ASSERT_TRUE(network_->set_networks(kId, false, true));
    ASSERT_TRUE(network_->set_networks(kId, false, false));
    EXPECT_EQ(rules(), before + 1);
    ASSERT_TRUE(network_->remove_addresses(kId));
    ASSERT_TRUE(network_->add_addresses(kId));
    EXPECT_EQ(rules(), before + 1) << "of the other one";
    ASSERT_TRUE(network_->set_networks(kId, false, false));
    ASSERT_TRUE(network_->remove_addresses(kId));
    ASSERT_TRUE(network_->add_addresses(kId));
    EXPECT_EQ(rules(), before);
}

// The node's own traffic meets no route of the table, whoever has set it: cases 04 and 08.
TEST_F(NetworkTest, OnlyWhatIsForAPoolMeetsTheTable) {
    ASSERT_TRUE(ip_command("route add 10.64.1.5 dev out0 table 700"));
    ASSERT_TRUE(ip_command("route add default via 192.0.2.51 table 700"));
    ASSERT_TRUE(ip_command("route add 198.51.100.9 via 192.0.2.51 table 700"));
    ASSERT_TRUE(network_->add_addresses(kId));
    const auto way = [](const std::string& to) { return output_of("ip route get " + to); };
    EXPECT_NE(way("10.64.1.5").find("dev out0"), std::string::npos);
    EXPECT_NE(way("198.51.100.9").find("dev in0"), std::string::npos);
    EXPECT_EQ(way("203.0.113.9 2>/dev/null"), "") << "the node has no default route of its own";
}

TEST_F(NetworkTest, NetworksBehindClientsHaveARuleWhileThereAreSome) {
    ASSERT_TRUE(ip_command("route add 172.20.5.0/24 dev out0 table 700"));
    ASSERT_TRUE(ip_command("route add default via 192.0.2.51 table 700"));
    const auto leads = [] {
        return output_of("ip route get 172.20.5.9 2>/dev/null").find("dev out0") !=
               std::string::npos;
    };
    ASSERT_TRUE(network_->set_networks(kId, false, true));
    EXPECT_FALSE(leads()) << "on a standby nothing leads there";
    ASSERT_TRUE(network_->add_addresses(kId));
    EXPECT_TRUE(leads());
    EXPECT_EQ(output_of("ip route get 203.0.113.9 2>/dev/null"), "") << "a default is no network";
    ASSERT_TRUE(ip_command("rule del preference 7000 suppress_prefixlength 0"));
    ASSERT_TRUE(ip_command("rule del preference 7000"));
    EXPECT_EQ(network_->missing(kId).value_or("an error"),
              "policy rule to 10.64.1.0/24, policy rule to IPv4 networks behind clients");
    ASSERT_TRUE(network_->remove_addresses(kId));
    EXPECT_EQ(rules(), 0);
    ASSERT_TRUE(network_->set_networks(kId, false, false));
    ASSERT_TRUE(network_->add_addresses(kId));
    EXPECT_FALSE(leads());
    ASSERT_TRUE(network_->set_networks(kId, false, true));
    EXPECT_TRUE(leads()) << "a session that came while this node serves";
}

// A node whose own rules lead all that its servers send elsewhere, as policy routing by hand does.
TEST_F(NetworkTest, TheRulesAreAskedBeforeThoseOfTheNode) {
    config_.gateways[0].rule_preference = 7;
    ASSERT_TRUE(ip_command("route add 10.64.1.5 dev out0 table 700"));
    ASSERT_TRUE(ip_command("route add default via 198.51.100.51 table 900"));
    ASSERT_TRUE(ip_command("rule add from 198.51.100.0/24 lookup 900 preference 100"));
    ASSERT_TRUE(network_->add_addresses(kId));
    EXPECT_NE(output_of("ip route get 10.64.1.5 from 198.51.100.1").find("dev out0"),
              std::string::npos);
}

TEST_F(NetworkTest, PutsEachVipOnItsOwnSide) {
    ASSERT_TRUE(network_->add_addresses(kId));
    EXPECT_NE(output_of("ip -4 addr show dev out0").find("192.0.2.100/24"), std::string::npos);
    EXPECT_NE(output_of("ip -4 addr show dev in0").find("198.51.100.100/24"), std::string::npos);
    EXPECT_NE(output_of("ip rule show").find("7000:\tfrom all to 10.64.1.0/24 lookup 700"),
              std::string::npos);
}

// A device without an address of its own in the net of the VIPs of two gateways.
TEST_F(NetworkTest, RemovesNoOtherGatewaysVip) {
    std::ofstream("/proc/sys/net/ipv4/conf/out0/promote_secondaries") << '0';
    ASSERT_TRUE(ip_command("addr delete 192.0.2.1/24 dev out0"));
    ASSERT_TRUE(network_->add_addresses(kId));
    ASSERT_TRUE(ip_command("addr add 192.0.2.101/24 dev out0"));
    ASSERT_TRUE(network_->remove_addresses(kId));
    EXPECT_EQ(addresses(), (std::vector<std::string>{"192.0.2.101/24", "198.51.100.1/24"}));
}

TEST_F(NetworkTest, RemovesWhatIsLeftWhenADeviceIsGone) {
    ASSERT_TRUE(network_->add_addresses(kId));
    ASSERT_TRUE(ip_command("link delete out0"));
    const auto removed = network_->remove_addresses(kId);
    ASSERT_TRUE(removed) << removed.error().detail;
    EXPECT_EQ(addresses(), std::vector<std::string>{"198.51.100.1/24"});
    EXPECT_EQ(rules(), 0);
}

TEST_F(NetworkTest, ReportsWhichDeviceIsMissingOnAdd) {
    ASSERT_TRUE(ip_command("link delete out0"));
    const auto added = network_->add_addresses(kId);
    ASSERT_FALSE(added);
    EXPECT_EQ(added.error().code, Errc::not_found);
    EXPECT_NE(added.error().detail.find("out0"), std::string::npos);
}

TEST_F(NetworkTest, FlushesVipsAndRulesWhoeverLeftThem) {
    ASSERT_TRUE(ip_command("addr add 192.0.2.100/32 dev in0"));
    ASSERT_TRUE(ip_command("addr add 198.51.100.100/24 dev lo"));
    ASSERT_TRUE(network_->add_addresses(kId));
    ASSERT_TRUE(ip_command("rule add from 203.0.113.0/24 lookup 700 preference 7000 protocol 118"));
    ASSERT_TRUE(ip_command("rule add from 203.0.113.0/24 lookup 701 preference 7000"));
    const auto flushed = network_->flush(kId);
    ASSERT_TRUE(flushed) << flushed.error().detail;
    EXPECT_EQ(addresses(), without_);
    EXPECT_EQ(rules(), 1) << "somebody else's";
    EXPECT_TRUE(network_->flush(kId)) << "nothing to do is no failure";
}

TEST_F(NetworkTest, AnnouncesEachVipByRequestAndReplyOnItsOwnSide) {
    std::optional<Capture> outside;
    std::optional<Capture> inside;
    in_peer([&] {
        outside.emplace("peer0");
        inside.emplace("peer1");
    });
    const auto announced = network_->announce(kId);
    ASSERT_TRUE(announced) << announced.error().detail;
    // An announcement: ARP of that operation whose sender and target are the VIP.
    const auto announcement = [](std::uint8_t operation, Ipv4Address vip) {
        return [operation, vip](const Bytes& frame) {
            if (frame.size() < 42 || frame[12] != 0x08 || frame[13] != 0x06) {
                return false;
            }
            ByteReader sender(ByteView(frame).subspan(28));
            ByteReader target(ByteView(frame).subspan(38));
            return frame[21] == operation && sender.u32() == vip.value && target.u32() == vip.value;
        };
    };
    const Ipv4Address vip = testing::ip("192.0.2.100");
    EXPECT_NE(outside->find(2s, announcement(1, vip)), std::nullopt);
    EXPECT_NE(outside->find(2s, announcement(2, vip)), std::nullopt);
    const Ipv4Address inside_vip = testing::ip("198.51.100.100");
    EXPECT_NE(inside->find(2s, announcement(1, inside_vip)), std::nullopt);
    EXPECT_NE(inside->find(2s, announcement(2, inside_vip)), std::nullopt);
}

TEST_F(NetworkTest, AddsAndRemovesIpv6Repeatably) {
    add_ipv6();
    std::vector<std::string> with = with_;
    with.insert(with.end(), {"2001:db8:1::100/64", "2001:db8::100/64"});
    for (int repeat = 0; repeat < 2; ++repeat) {
        const auto added = network_->add_addresses(kId);
        ASSERT_TRUE(added) << added.error().detail;
        EXPECT_EQ(addresses(), with);
        EXPECT_EQ(rules("-4"), 1);
        EXPECT_EQ(rules("-6"), 0) << "no pool of IPv6";
    }
    for (int repeat = 0; repeat < 2; ++repeat) {
        const auto removed = network_->remove_addresses(kId);
        ASSERT_TRUE(removed) << removed.error().detail;
        EXPECT_EQ(addresses(), without_);
        EXPECT_EQ(rules("-6"), 0);
    }
}

TEST_F(NetworkTest, AnIpv6VipCanBeUsedAtOnceButIsNoSourceByItself) {
    add_ipv6();
    ASSERT_TRUE(ip_command("addr add 2001:db8::1/64 dev out0 nodad"));
    ASSERT_TRUE(network_->add_addresses(kId));
    const std::string shown = output_of("ip -6 addr show dev out0 to 2001:db8::100");
    EXPECT_NE(shown.find("2001:db8::100/64"), std::string::npos) << shown;
    EXPECT_EQ(shown.find("tentative"), std::string::npos) << shown;
    EXPECT_NE(shown.find("nodad"), std::string::npos) << shown;
    const std::string route = output_of("ip -6 route get 2001:db8::101");
    EXPECT_NE(route.find("src 2001:db8::1 "), std::string::npos) << route;
}

TEST_F(NetworkTest, AGatewayWithoutIpv6HasNoIpv6Rule) {
    ASSERT_TRUE(network_->add_addresses(kId));
    EXPECT_EQ(rules("-6"), 0);
    config_.gateways[0].pools.push_back(prefix("2001:db8:2::/64"));
    ASSERT_TRUE(network_->add_addresses(kId));
    EXPECT_EQ(rules("-6"), 1);
}

TEST_F(NetworkTest, FlushesIpv6AlsoOfAnEarlierConfiguration) {
    add_ipv6();
    ASSERT_TRUE(network_->add_addresses(kId));
    ASSERT_TRUE(ip_command("addr add 2001:db8::100/128 dev in0"));
    ASSERT_TRUE(network_->flush(kId));
    EXPECT_EQ(addresses(), without_);
    EXPECT_EQ(rules("-6"), 0);
    ASSERT_TRUE(ip_command("-6 rule add lookup 700 preference 7000 protocol 118"));
    config_.gateways[0] = gateway();
    ASSERT_TRUE(network_->flush(kId));
    EXPECT_EQ(rules("-6"), 0);
}

TEST_F(NetworkTest, AnnouncesIpv6ByAnAdvertisementThatNeighboursTake) {
    add_ipv6();
    std::optional<Capture> outside;
    in_peer([&] {
        outside.emplace("peer0");
        // A neighbour that knows the former owner.
        ASSERT_TRUE(ip_command("addr add 2001:db8::51/64 dev peer0 nodad"));
        ASSERT_TRUE(
            ip_command("neigh add 2001:db8::100 lladdr 02:00:00:00:00:99 dev peer0 nud stale"));
    });
    const auto announced = network_->announce(kId);
    ASSERT_TRUE(announced) << announced.error().detail;
    const auto advertisement = outside->find(2s, [](const Bytes& frame) {
        return frame.size() > 78 && frame[12] == 0x86 && frame[13] == 0xdd && frame[20] == 58 &&
               frame[54] == 136 && frame[77] == 0x00 && frame[76] == 0x01;
    });
    ASSERT_NE(advertisement, std::nullopt);
    const auto mac = [&frame = *advertisement](std::size_t i) { return int{frame.at(6 + i)}; };
    const std::string announcer = fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", mac(0),
                                              mac(1), mac(2), mac(3), mac(4), mac(5));
    std::string known;
    in_peer([&] { known = output_of("ip -6 neigh show dev peer0"); });
    EXPECT_NE(known.find("2001:db8::100 lladdr " + announcer), std::string::npos) << known;
}

TEST_F(NetworkTest, AnnouncesInsideWhenTheOutsideIsDown) {
    std::optional<Capture> inside;
    in_peer([&] { inside.emplace("peer1"); });
    ASSERT_TRUE(ip_command("link set out0 down"));
    EXPECT_FALSE(network_->announce(kId));
    EXPECT_NE(inside->find(2s,
                           [](const Bytes& frame) {
                               return frame.size() > 13 && frame[12] == 0x08 && frame[13] == 0x06;
                           }),
              std::nullopt);
}

TEST_F(NetworkTest, AnnouncesNothingOnADeviceWithoutArp) {
    config_.gateways[0].outside.interface = "lo";
    const auto announced = network_->announce(kId);
    EXPECT_TRUE(announced) << announced.error().detail;
}

}  // namespace network_test
}  // namespace vpnha::adapters

// SPDX-License-Identifier: GPL-2.0-or-later
#include "adapters/link_watch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>

#include <utility>

#include "adapters/netlink_route.hpp"
#include "unit/adapters/two_hosts.hpp"

namespace vpnha::adapters {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using vpnha::testing::ip_command;

class LinkWatchTest : public ::testing::Test {
  protected:
    void SetUp() override {
        ASSERT_EQ(unshare(CLONE_NEWNET), 0) << "needs root";
        ASSERT_TRUE(ip_command("link add eth1 type bridge"));
        auto watch = LinkWatch::open(
            loop_, {"eth1", "eth2"},
            {.on_new = [this](const std::string& name) { seen_.push_back(name); },
             .on_filters_removed = [this](const std::string& name) { bare_.push_back(name); },
             .on_addresses_removed = [this](const std::string& name) { poor_.push_back(name); },
             .on_rules_removed = [this] { ++rules_removed_; },
             .on_carrier =
                 [this](const std::string& name, bool carrier) {
                     carriers_.push_back(name + (carrier ? " up" : " down"));
                 }});
        ASSERT_TRUE(watch) << watch.error().detail;
        watch_ = std::move(*watch);
    }
    std::vector<std::string> carriers() {
        static_cast<void>(seen());
        return std::exchange(carriers_, {});
    }
    // What the kernel has said by now; it says it before the command that caused it has ended.
    std::vector<std::string> seen() {
        loop_.set_timer(1, QbLoop::now() + std::chrono::milliseconds(20), [this] { loop_.stop(); });
        loop_.run();
        return std::exchange(seen_, {});
    }

    QbLoop loop_;
    std::unique_ptr<LinkWatch> watch_;
    std::vector<std::string> seen_;
    std::vector<std::string> carriers_;
    std::vector<std::string> bare_;
    std::vector<std::string> poor_;
    int rules_removed_ = 0;
};

TEST_F(LinkWatchTest, WhatIsThereAlreadyIsNoNews) {
    ASSERT_TRUE(ip_command("link set eth1 up"));
    ASSERT_TRUE(ip_command("link set eth1 mtu 1400"));
    EXPECT_THAT(seen(), IsEmpty());
}

TEST_F(LinkWatchTest, ADeviceThatIsCreatedAnewIsNewOnce) {
    ASSERT_TRUE(ip_command("link del eth1"));
    EXPECT_THAT(seen(), IsEmpty());
    ASSERT_TRUE(ip_command("link add eth1 type bridge"));
    ASSERT_TRUE(ip_command("link set eth1 up"));
    EXPECT_THAT(seen(), ElementsAre("eth1"));
}

TEST_F(LinkWatchTest, ALateDeviceAndARenamedOneAreNew) {
    ASSERT_TRUE(ip_command("link add eth2 type bridge"));
    EXPECT_THAT(seen(), ElementsAre("eth2"));
    ASSERT_TRUE(ip_command("link add other type bridge"));
    ASSERT_TRUE(ip_command("link del eth1"));
    ASSERT_TRUE(ip_command("link set other name eth1"));
    EXPECT_THAT(seen(), ElementsAre("eth1"));
}

TEST_F(LinkWatchTest, OtherDevicesAreNobodysBusiness) {
    ASSERT_TRUE(ip_command("link add eth10 type bridge"));
    EXPECT_THAT(seen(), IsEmpty());
}

TEST_F(LinkWatchTest, ADeviceThatIsDownOrNotThereHasNoCarrier) {
    EXPECT_THAT(carriers(), ElementsAre("eth1 down", "eth2 down"));
}

TEST_F(LinkWatchTest, ACarrierIsOneOfADeviceThatIsUp) {
    ASSERT_TRUE(ip_command("link add eth2 type veth peer name far"));
    ASSERT_TRUE(ip_command("link set eth2 up"));
    carriers_.clear();
    ASSERT_TRUE(ip_command("link set far up"));
    EXPECT_THAT(carriers(), ElementsAre("eth2 up"));
    ASSERT_TRUE(ip_command("link set eth2 mtu 1400"));
    EXPECT_THAT(carriers(), IsEmpty());
    ASSERT_TRUE(ip_command("link set far down"));
    EXPECT_THAT(carriers(), ElementsAre("eth2 down"));
    ASSERT_TRUE(ip_command("link set far up"));
    EXPECT_THAT(carriers(), ElementsAre("eth2 up"));
    ASSERT_TRUE(ip_command("link del eth2"));
    EXPECT_THAT(carriers(), ElementsAre("eth2 down"));
}

TEST_F(LinkWatchTest, APortThatLeavesItsBridgeStaysWhatItIs) {
    ASSERT_TRUE(ip_command("link add eth2 type veth peer name far"));
    ASSERT_TRUE(ip_command("link set far up"));
    ASSERT_TRUE(ip_command("link set eth2 up"));
    EXPECT_THAT(seen(), ElementsAre("eth2"));
    carriers_.clear();
    ASSERT_TRUE(ip_command("link set eth2 master eth1"));
    ASSERT_TRUE(ip_command("link set eth2 nomaster"));
    EXPECT_THAT(seen(), IsEmpty());
    EXPECT_THAT(carriers_, IsEmpty());
}

TEST_F(LinkWatchTest, FiltersThatAreRemovedAreNewsOnce) {
    ASSERT_TRUE(ip_command("link add eth10 type bridge"));
    for (const std::string device : {"eth1", "eth10"}) {
        vpnha::testing::output_of("tc qdisc add dev " + device + " clsact");
        vpnha::testing::output_of("tc filter add dev " + device + " ingress matchall action drop");
        vpnha::testing::output_of("tc filter add dev " + device + " egress matchall action drop");
    }
    static_cast<void>(seen());
    EXPECT_THAT(bare_, IsEmpty());
    for (const std::string device : {"eth1", "eth10"}) {
        vpnha::testing::output_of("tc qdisc del dev " + device + " clsact");
    }
    static_cast<void>(seen());
    EXPECT_THAT(bare_, ElementsAre("eth1")) << "eth10 is nobody's business";
    ASSERT_TRUE(ip_command("link del eth1"));
    static_cast<void>(seen());
    EXPECT_THAT(bare_, ElementsAre("eth1"));
}

TEST_F(LinkWatchTest, AddressesThatAreRemovedAreNews) {
    ASSERT_TRUE(ip_command("link add eth10 type bridge"));
    for (const std::string device : {"eth1", "eth10"}) {
        ASSERT_TRUE(ip_command("addr add 192.0.2.1/24 dev " + device));
        ASSERT_TRUE(ip_command("addr add 2001:db8::1/64 dev " + device + " nodad"));
    }
    static_cast<void>(seen());
    EXPECT_THAT(poor_, IsEmpty());
    ASSERT_TRUE(ip_command("addr del 192.0.2.1/24 dev eth10"));
    ASSERT_TRUE(ip_command("addr del 192.0.2.1/24 dev eth1"));
    static_cast<void>(seen());
    EXPECT_THAT(std::exchange(poor_, {}), ElementsAre("eth1")) << "eth10 is nobody's business";
    ASSERT_TRUE(ip_command("addr del 2001:db8::1/64 dev eth1"));
    static_cast<void>(seen());
    EXPECT_THAT(poor_, ElementsAre("eth1"));
}

TEST_F(LinkWatchTest, ADeviceThatIsSetDownLosesItsIpv6Addresses) {
    ASSERT_TRUE(ip_command("link set eth1 up"));
    ASSERT_TRUE(ip_command("addr add 2001:db8::1/64 dev eth1 nodad"));
    ASSERT_TRUE(ip_command("link set eth1 down"));
    static_cast<void>(seen());
    EXPECT_THAT(poor_, ElementsAre("eth1"));
}

TEST_F(LinkWatchTest, PolicyRulesThatAreRemovedAreNewsInBothFamilies) {
    int removed = 0;
    for (const std::string family : {"-4", "-6"}) {
        ASSERT_TRUE(ip_command(family + " rule add lookup 700 preference 7000"));
        static_cast<void>(seen());
        EXPECT_EQ(rules_removed_, removed);
        ASSERT_TRUE(ip_command(family + " rule del preference 7000"));
        static_cast<void>(seen());
        EXPECT_EQ(rules_removed_, ++removed);
    }
}

TEST_F(LinkWatchTest, WhatIsAddedDoesNotOverrunTheSocket) {
    auto route = RouteNetlink::open();
    const auto link = route->find_link("eth1");
    for (std::uint32_t i = 0; i < 3000; ++i) {
        ASSERT_TRUE(route->add_address((*link)->index,
                                       host_prefix(IpAddress(Ipv4Address{0x0a000001U + i}))));
    }
    EXPECT_THAT(seen(), IsEmpty());
}

TEST_F(LinkWatchTest, AfterAnOverrunEverythingMayBeNew) {
    for (int i = 0; i < 300; ++i) {
        ASSERT_TRUE(ip_command(i % 2 == 0 ? "link set eth1 up" : "link set eth1 down"));
    }
    EXPECT_THAT(seen(), ElementsAre("eth1")) << "eth2 is not there";
}

}  // namespace
}  // namespace vpnha::adapters

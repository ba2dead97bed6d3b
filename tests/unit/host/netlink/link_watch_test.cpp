// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/netlink/link_watch.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <utility>

#include "host/netlink/netlink_route.hpp"
#include "support/temporary_path.hpp"
#include "unit/host/addresses/two_hosts.hpp"

namespace vpnha::adapters {
namespace link_watch_test {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;
using vpnha::testing::ip_command;

// Of 20 ms each.
constexpr int kTurnsMax = 250;

class LinkWatchTest : public ::testing::Test {
  protected:
    void SetUp() override {
        ASSERT_EQ(unshare(CLONE_NEWNET), 0) << "needs root";
        ASSERT_TRUE(ip_command("link add eth1 type bridge"));
        auto watch = LinkWatch::open(
            loop_, {"eth1", "eth2"},
            {.on_device =
                 [this](const Link& link) {
                     devices_.push_back(link.name + (link.is_port ? " port" : ""));
                 },
             .on_new = [this](const std::string& name) { seen_.push_back(name); },
             .on_news_lost = [this] { ++news_lost_; },
             .on_filters_changed = [this](const Link& link) { filtered_.push_back(link.name); },
             .on_addresses_removed = [this](const std::string& name) { poor_.push_back(name); },
             .on_rules_removed = [this] { ++rules_removed_; },
             .on_carrier =
                 [this](const std::string& name, bool carrier) {
                     carriers_.push_back(name + (carrier ? " up" : " down"));
                 }});
        ASSERT_TRUE(watch) << watch.error().detail;
        watch_ = std::move(*watch);
        // The namespace's own devices are lo and what the kernel adds.
        EXPECT_THAT(std::exchange(devices_, {}), ::testing::IsSupersetOf({"lo", "eth1"}));
    }
    // The next news of a carrier. The kernel has them from a work queue, and may be a while.
    std::vector<std::string> carriers() {
        int turns = 0;
        do {
            static_cast<void>(seen());
        } while (carriers_.empty() && ++turns < kTurnsMax);
        return std::exchange(carriers_, {});
    }
    // What the kernel has said by now; it says it before the command that caused it has ended.
    std::vector<std::string> seen() {
        loop_.set_timer(1, QbLoop::now() + std::chrono::milliseconds(20), [this] { loop_.stop(); });
        loop_.run();
        return std::exchange(seen_, {});
    }

    static void add_filter(const std::string& where) {
        EXPECT_EQ(vpnha::testing::output_of("tc filter add dev " + where +
                                            " protocol all u32 match u32 0 0 flowid 1:1 2>&1"),
                  "");
    }

    QbLoop loop_;
    std::unique_ptr<LinkWatch> watch_;
    std::vector<std::string> seen_;
    std::vector<std::string> carriers_;
    std::vector<std::string> devices_;
    std::vector<std::string> filtered_;
    std::vector<std::string> poor_;
    int rules_removed_ = 0;
    int news_lost_ = 0;
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

TEST_F(LinkWatchTest, OtherDevicesAreReportedWhenTheyComeAndWhenTheyBecomePorts) {
    ASSERT_TRUE(ip_command("link add eth10 type veth peer name far"));
    EXPECT_THAT(seen(), IsEmpty());
    EXPECT_THAT(std::exchange(devices_, {}), UnorderedElementsAre("eth10", "far"));
    ASSERT_TRUE(ip_command("link set eth10 up"));
    ASSERT_TRUE(ip_command("link set eth10 mtu 1400"));
    EXPECT_THAT(seen(), IsEmpty());
    EXPECT_THAT(devices_, IsEmpty());
    ASSERT_TRUE(ip_command("link set eth10 master eth1"));
    static_cast<void>(seen());
    EXPECT_THAT(std::exchange(devices_, {}), ElementsAre("eth10 port"));
    ASSERT_TRUE(ip_command("link set eth10 nomaster"));
    static_cast<void>(seen());
    EXPECT_THAT(std::exchange(devices_, {}), ElementsAre("eth10"));
}

TEST_F(LinkWatchTest, ADeviceThatLosesItsNameIsGone) {
    ASSERT_TRUE(ip_command("link add eth2 type veth peer name far"));
    ASSERT_TRUE(ip_command("link set far up"));
    ASSERT_TRUE(ip_command("link set eth2 up"));
    carriers_.clear();
    static_cast<void>(carriers());
    ASSERT_TRUE(ip_command("link set eth2 name other"));
    EXPECT_THAT(carriers(), ElementsAre("eth2 down"));
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
    static_cast<void>(seen());
    EXPECT_THAT(carriers_, IsEmpty());
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

TEST_F(LinkWatchTest, FiltersOfAnyDeviceThatAreRemovedAreNewsOnce) {
    using vpnha::testing::output_of;
    ASSERT_TRUE(ip_command("link add eth10 type bridge"));
    for (const std::string device : {"eth1", "eth10"}) {
        output_of("tc qdisc add dev " + device + " clsact");
        add_filter(device + " ingress");
        add_filter(device + " egress");
    }
    static_cast<void>(seen());
    EXPECT_THAT(filtered_, IsEmpty()) << "they run behind the gate";
    for (const std::string device : {"eth1", "eth10"}) {
        output_of("tc qdisc del dev " + device + " clsact");
    }
    static_cast<void>(seen());
    EXPECT_THAT(filtered_, ElementsAre("eth1", "eth10"));
    ASSERT_TRUE(ip_command("link del eth1"));
    static_cast<void>(seen());
    EXPECT_THAT(filtered_, ElementsAre("eth1", "eth10"));
}

TEST_F(LinkWatchTest, AFilterThatRunsFirstIsNewsWhenItIsAdded) {
    vpnha::testing::output_of("tc qdisc add dev eth1 clsact");
    add_filter("eth1 egress prio 1");
    static_cast<void>(seen());
    EXPECT_THAT(filtered_, ElementsAre("eth1"));
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

// `ip -batch`, which is quicker than a process for each command.
void run_batch(int count, const std::function<std::string(int)>& command) {
    const std::string path = temporary_path("link_watch");
    std::ofstream file(path);
    for (int i = 0; i < count; ++i) {
        file << command(i) << '\n';
    }
    file.close();
    EXPECT_TRUE(ip_command("-batch " + path));
    std::filesystem::remove(path);
}

TEST_F(LinkWatchTest, AfterAnOverrunDevicesThatStayedAreNotNew) {
    ASSERT_TRUE(ip_command("link add eth2 type veth peer name far"));
    EXPECT_THAT(seen(), ElementsAre("eth2"));
    EXPECT_EQ(news_lost_, 0);
    carriers_.clear();
    devices_.clear();
    run_batch(12'000,
              [](int i) { return fmt::format("link set eth1 mtu {}", i % 2 == 0 ? 1400 : 1401); });
    ASSERT_TRUE(ip_command("link del eth2"));
    ASSERT_TRUE(ip_command("link add eth2 type veth peer name far"));
    EXPECT_THAT(seen(), ElementsAre("eth2")) << "eth1 is what it was";
    EXPECT_EQ(news_lost_, 1) << "addresses and filters may be gone";
    EXPECT_THAT(devices_, ::testing::IsSupersetOf({"lo", "eth1", "eth2", "far"}));
    EXPECT_THAT(carriers_, IsEmpty());
}

TEST_F(LinkWatchTest, SessionsThatEndTogetherDoNotOverrunTheSocket) {
    run_batch(1000, [](int i) { return fmt::format("link add b{} type bridge", i); });
    static_cast<void>(seen());
    run_batch(1000, [](int i) { return fmt::format("link del b{}", i); });
    static_cast<void>(seen());
    EXPECT_EQ(news_lost_, 0);
}

}  // namespace link_watch_test
}  // namespace vpnha::adapters

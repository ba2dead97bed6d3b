// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/drill/plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/cli/drill/sample_facts.hpp"

namespace vpnha::cli::drill {
namespace plan_test {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

std::vector<std::string> texts(const std::vector<Command>& commands) {
    std::vector<std::string> all;
    for (const Command& command : commands) {
        all.push_back(text_of(command));
    }
    return all;
}

constexpr const char* kCleanup = "/usr/sbin/crm_resource --cleanup --node gw1";

TEST(PlanTest, ASwitchoverIsTheProgramsOwnAndLeavesNothing) {
    const Plan plan = plan_of({.kind = Kind::switchover, .gateway = "dialin", .to = "gw3"},
                              sample_facts_of_standby());
    EXPECT_THAT(texts(plan.strike), ElementsAre("/usr/sbin/vpnha switchover dialin --to gw3"));
    EXPECT_EQ(plan.strike.front().also_good, 6);
    EXPECT_THAT(plan.undo, IsEmpty());
}

TEST(PlanTest, NodePowerIsFencedByTheClusterOfTheOneThatServes) {
    const Plan plan =
        plan_of({.kind = Kind::node_power, .gateway = "dialin"}, sample_facts_of_standby());
    EXPECT_THAT(texts(plan.strike),
                ElementsAre("/usr/sbin/stonith_admin --reboot gw1 --timeout 170"));
    EXPECT_GT(plan.strike.front().timeout, std::chrono::seconds(170));
    EXPECT_THAT(plan.undo, IsEmpty());
}

TEST(PlanTest, AKilledDaemonsFailureIsForgotten) {
    const Plan plan = plan_of({.kind = Kind::daemon, .gateway = "dialin"}, sample_facts());
    EXPECT_THAT(texts(plan.strike), ElementsAre("/usr/bin/pkill -KILL -x vpnhad"));
    EXPECT_THAT(texts(plan.undo), ElementsAre(kCleanup));
}

TEST(PlanTest, AHungServiceContinuesAgain) {
    const Plan plan =
        plan_of({.kind = Kind::service, .gateway = "dialin", .service = "dialler"}, sample_facts());
    EXPECT_THAT(texts(plan.strike), ElementsAre("/usr/bin/pkill -STOP -x dialler"));
    EXPECT_THAT(texts(plan.undo), ElementsAre("/usr/bin/pkill -CONT -x dialler", kCleanup));
    EXPECT_EQ(plan.undo.front().also_good, 1);
}

TEST(PlanTest, ALinkComesBackWithItsRoutes) {
    Facts facts = sample_facts();
    facts.outside.routes4 = {{"default", "via", "192.0.2.1"}};
    facts.outside.routes6 = {{"default", "via", "fe80::1", "proto", "static"}};
    const Plan plan = plan_of({.kind = Kind::link, .gateway = "dialin"}, facts);
    EXPECT_THAT(texts(plan.strike),
                ElementsAre("/usr/sbin/sysctl -q -w net/ipv6/conf/eth1/keep_addr_on_down=1",
                            "/usr/sbin/ip link set dev eth1 down"));
    EXPECT_THAT(
        texts(plan.undo),
        ElementsAre("/usr/sbin/ip link set dev eth1 up",
                    "/usr/sbin/ip -4 route replace default via 192.0.2.1 dev eth1",
                    "/usr/sbin/ip -6 route replace default via fe80::1 proto static dev eth1",
                    "/usr/sbin/sysctl -q -w net/ipv6/conf/eth1/keep_addr_on_down=0", kCleanup));
}

TEST(PlanTest, ALinkIsSetDownInItsNetworkNamespace) {
    Facts facts = sample_facts();
    facts.outside.netns = "east";
    facts.outside.routes4 = {{"default", "via", "192.0.2.1"}};
    const Plan plan = plan_of({.kind = Kind::link, .gateway = "dialin"}, facts);
    const std::string within = "/usr/sbin/ip netns exec east ";
    EXPECT_THAT(texts(plan.strike), Each(StartsWith(within)));
    EXPECT_THAT(
        texts(plan.undo),
        ElementsAre(within + "/usr/sbin/ip link set dev eth1 up",
                    within + "/usr/sbin/ip -4 route replace default via 192.0.2.1 dev eth1",
                    within + "/usr/sbin/sysctl -q -w net/ipv6/conf/eth1/keep_addr_on_down=0",
                    kCleanup));
}

TEST(PlanTest, ALinkWithoutIPv6OrWithKeptAddressesIsNotSet) {
    for (const char* keeps : {"", "1"}) {
        Facts facts = sample_facts();
        facts.outside.keeps_addresses = keeps;
        const Plan plan = plan_of({.kind = Kind::link, .gateway = "dialin"}, facts);
        EXPECT_EQ(plan.strike.size(), 1U);
        EXPECT_EQ(plan.undo.size(), 2U);
    }
}

TEST(PlanTest, APartitionDropsBothWaysOfAllLinksAndTheLease) {
    Facts facts = sample_facts();
    facts.links.push_back({"fd00::1", "fd00::2"});
    const Plan plan = plan_of({.kind = Kind::partition, .gateway = "dialin"}, facts);
    ASSERT_EQ(plan.strike.size(), 1U);
    EXPECT_THAT(
        plan.strike.front().words.back(),
        AllOf(HasSubstr("in ip saddr { 10.77.1.2, 10.77.2.2 } drop"),
              HasSubstr("out ip daddr { 10.77.1.2, 10.77.2.2 } drop"),
              HasSubstr("in ip6 saddr { fd00::2 } drop"), HasSubstr("in udp dport 5420 drop"),
              HasSubstr("out udp sport 5420 drop"), Not(HasSubstr("10.77.1.1"))));
    EXPECT_THAT(texts(plan.undo),
                ElementsAre("/usr/sbin/nft 'add table inet vpnha_drill; delete table inet "
                            "vpnha_drill'",
                            kCleanup));
    EXPECT_THAT(plan.left, ElementsAre(HasSubstr("stonith-action=off")));
}

TEST(PlanTest, AllGatewaysThatMoveAlongAreNamed) {
    Facts facts = sample_facts();
    facts.status["gateways"].push_back(facts.status["gateways"][0]);
    facts.status["gateways"][1]["name"] = "office";
    EXPECT_THAT(plan_of({.kind = Kind::daemon, .gateway = "dialin"}, facts).fault,
                HasSubstr("all that it serves move: dialin, office"));
    EXPECT_THAT(plan_of({.kind = Kind::daemon, .gateway = "dialin"}, sample_facts()).fault,
                Not(HasSubstr("all that")));
}

}  // namespace plan_test
}  // namespace vpnha::cli::drill

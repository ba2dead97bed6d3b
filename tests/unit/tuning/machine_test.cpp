// SPDX-License-Identifier: GPL-2.0-or-later
#include "tuning/machine.hpp"

#include <gmock/gmock.h>

#include "base/limits.hpp"

namespace vpnha::tuning {
namespace machine_test {

using testing::ElementsAre;

config::Gateway gateway(const std::string& device, const char* pool) {
    config::Gateway made;
    made.outside.interface = device;
    made.inside.interface = "inside";
    made.pools = {*parse_ip_prefix(pool)};
    made.conntrack.replicate = false;
    return made;
}

TEST(MachineTest, ADemandIsThatOfAllGateways) {
    config::Config config;
    config.gateways = {gateway("outside", "10.1.0.0/24"), gateway("dsl", "10.2.0.0/25")};
    config.gateways[0].l2tp.emplace();
    config.gateways[1].pptp.emplace();
    config.gateways[1].conntrack.replicate = true;
    const Demand demand = demand_of(config);
    EXPECT_TRUE(demand.l2tp);
    EXPECT_TRUE(demand.pptp);
    EXPECT_FALSE(demand.ipsec);
    EXPECT_TRUE(demand.flows);
    EXPECT_EQ(demand.clients, 256U + 128U);
    EXPECT_EQ(demand.clients_of_pptp, 128U);
    EXPECT_EQ(demand.lease_port, 5420);
    EXPECT_THAT(demand.devices, ElementsAre("dsl", "inside", "outside"));
}

TEST(MachineTest, AReplicaHasRoomForSoManyClientsOnly) {
    config::Config config;
    config.gateways = {gateway("outside", "10.0.0.0/8")};
    EXPECT_EQ(demand_of(config).clients, limits::kRecordsPerGatewayMax);
    EXPECT_EQ(demand_of(config::Config{}).clients, 0U);
}

}  // namespace machine_test
}  // namespace vpnha::tuning

// SPDX-License-Identifier: GPL-2.0-or-later
#include "tuning/machine.hpp"

#include <gmock/gmock.h>

#include "base/limits.hpp"
#include "protocols/l2tp/table.hpp"
#include "protocols/pptp/table.hpp"

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
    config.gateways[0].protocols.serve<l2tp::Table>();
    config.gateways[1].protocols.serve<pptp::Table>();
    config.gateways[1].conntrack.replicate = true;
    const Demand demand = demand_of(config);
    EXPECT_THAT(demand.needs, ElementsAre("dialled", "flows", "l2tp", "pptp"));
    EXPECT_THAT(demand.daemons, ElementsAre("xl2tpd", "pptpd"));
    EXPECT_EQ(demand.clients, 256U + 128U);
    EXPECT_EQ(demand.tasks, 256U + 2 * 128U);
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

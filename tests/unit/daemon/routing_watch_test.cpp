// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/routing_watch.hpp"

#include <gmock/gmock.h>

#include "unit/host/addresses/two_hosts.hpp"

namespace vpnha::runtime {
namespace routing_watch_test {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::ip_command;

constexpr int kTestTimer = 1;
constexpr auto kPatience = std::chrono::seconds(5);

class RoutingWatchTest : public testing::TwoHosts {};

TEST_F(RoutingWatchTest, LooksAtTheStartAndReportsTheGatewaysConflicts) {
    config::Config config;
    config.gateways = {gateway()};
    ASSERT_TRUE(ip_command("route add default via 192.0.2.51 table 700"));
    adapters::QbLoop loop;
    std::vector<std::string> notified;
    const RoutingWatch watch(loop, config,
                             [&](GatewayId, const std::vector<std::string>& conflicts) {
                                 notified = conflicts;
                                 loop.stop();
                             });
    EXPECT_TRUE(watch.conflicts(GatewayId{7}).empty()) << "not looked at yet";
    loop.set_timer(kTestTimer, loop.now() + kPatience, [&loop] { loop.stop(); });
    loop.run();
    EXPECT_THAT(notified, ElementsAre(HasSubstr("table 700 has a route of another program")));
    EXPECT_EQ(watch.conflicts(GatewayId{7}), notified);
}

}  // namespace routing_watch_test
}  // namespace vpnha::runtime

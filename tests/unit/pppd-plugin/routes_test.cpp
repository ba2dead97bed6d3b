// SPDX-License-Identifier: GPL-2.0-or-later
#include <gmock/gmock.h>

#include "unit/host/addresses/two_hosts.hpp"

extern "C" {
#include "routes.h"
}

namespace vpnha {
namespace routes_test {

using testing::ip_command;
using ::testing::UnorderedElementsAre;

class PppdRoutesTest : public testing::TwoHosts {
  protected:
    std::vector<std::string> listed() {
        EXPECT_EQ(vpnha_read_routes("out0", &session_), 1);
        std::vector<std::string> nets;
        for (unsigned i = 0; i < session_.route_count; ++i) {
            const vpnha_route& route = session_.routes[i];
            const auto address = ip_address_of(ByteView(route.octets, route.octet_count));
            nets.push_back(to_string(IpPrefix{address.value_or(IpAddress()), route.length}));
        }
        return nets;
    }
    vpnha_session session_{};
};

TEST_F(PppdRoutesTest, ListsWhatSomebodyHasAddedInAnyTable) {
    for (const char* added : {
             "route add 10.99.51.0/24 dev out0",
             "route add 10.98.0.0/16 via 192.0.2.51 dev out0",
             "route add 10.97.1.1 dev out0 table 700",
             "route add 10.96.0.0/16 dev out0 proto dhcp",
             "-6 route add 2001:db8:51::/48 dev out0",
             "route add 10.95.0.0/16 dev out0 proto bird",
             "route add 10.94.0.0/16 dev in0",
             "route add default dev out0",
             "route add unreachable 10.93.0.0/16",
         }) {
        ASSERT_TRUE(ip_command(added)) << added;
    }
    EXPECT_THAT(listed(), UnorderedElementsAre("10.99.51.0/24", "10.98.0.0/16", "10.97.1.1/32",
                                               "10.96.0.0/16", "2001:db8:51::/48"));
    ASSERT_TRUE(ip_command("route delete 10.96.0.0/16 dev out0"));
    EXPECT_EQ(listed().size(), 4U);
}

TEST_F(PppdRoutesTest, MoreThanARecordTakesAreAReason) {
    for (int i = 0; i < VPNHA_ROUTES_MAX; ++i) {
        ASSERT_TRUE(ip_command("route add 10.99." + std::to_string(i) + ".0/24 dev out0"));
    }
    EXPECT_EQ(listed().size(), std::size_t{VPNHA_ROUTES_MAX});
    EXPECT_EQ(session_.not_resumable, 0U);
    ASSERT_TRUE(ip_command("route add 10.98.0.0/24 dev out0"));
    EXPECT_EQ(listed().size(), 0U);
    EXPECT_EQ(session_.not_resumable, std::uint32_t{VPNHA_NOT_ROUTES});
}

TEST_F(PppdRoutesTest, ADefaultRouteIsAReason) {
    ASSERT_TRUE(ip_command("route add default dev out0"));
    EXPECT_EQ(listed().size(), 0U);
    EXPECT_EQ(session_.not_resumable, std::uint32_t{VPNHA_NOT_DEFAULT_ROUTE});
}

TEST_F(PppdRoutesTest, ADeviceThatIsGoneChangesNothing) {
    session_.route_count = 3;
    EXPECT_EQ(vpnha_read_routes("gone0", &session_), 0);
    EXPECT_EQ(session_.route_count, 3U);
}

}  // namespace routes_test
}  // namespace vpnha

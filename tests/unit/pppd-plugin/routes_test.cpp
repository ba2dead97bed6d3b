// SPDX-License-Identifier: GPL-2.0-or-later
#include <gmock/gmock.h>

#include "unit/host/addresses/two_hosts.hpp"

extern "C" {
#include "routes.h"
#include "unit/pppd-plugin/fake_pppd.h"
}

namespace vpnha {
namespace routes_test {

using testing::ip_command;
using testing::output_of;
using ::testing::UnorderedElementsAre;

constexpr std::uint16_t kIpv6cp = 0x8057;

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

// What RADIUS gave: 2001:db8:51::/48.
class PppdPrefixesTest : public testing::TwoHosts {
  protected:
    void SetUp() override {
        TwoHosts::SetUp();
        fake_pppd_start("dialin", "/nowhere/vpnhad", 0);
        fake_pppd_negotiate();
        fake_pppd_use_device("out0");
        fake_pppd_give_prefix_by_radius(0, 0, nullptr, 0);
        fake_pppd_give_prefix_by_radius(123, 48, kOctets.data(), kOctets.size());
    }
    void TearDown() override {
        fake_pppd_ip_down();
        fake_pppd_exit();
        fake_pppd_authenticate_by_radius("", "", 0);
    }
    static std::string routes() {
        return output_of("ip -6 route show 2001:db8:51::/48 | cut -d' ' -f1-5");
    }
    static constexpr std::array<std::uint8_t, 6> kOctets{0x20, 0x01, 0x0d, 0xb8, 0, 0x51};
    static constexpr const char* kOverOut = "2001:db8:51::/48 dev out0 proto static\n";
};

TEST_F(PppdPrefixesTest, LeadToTheClientOnceIpv6cpIsOpen) {
    fake_pppd_ip_up();
    EXPECT_EQ(routes(), "");
    fake_pppd_open_ipv6cp();
    fake_pppd_receive(kIpv6cp);
    fake_pppd_run_timer();
    EXPECT_EQ(routes(), kOverOut);
    // Somebody wants none; the plugin has had its turn.
    ASSERT_TRUE(ip_command("-6 route delete 2001:db8:51::/48"));
    fake_pppd_receive(kIpv6cp);
    fake_pppd_run_timer();
    EXPECT_EQ(routes(), "");
    // IPCP has begun anew.
    fake_pppd_ip_down();
    fake_pppd_ip_up();
    EXPECT_EQ(routes(), kOverOut);
}

TEST_F(PppdPrefixesTest, OfAClientThatHasDialledAgainLeadToItsNewDevice) {
    ASSERT_TRUE(ip_command("-6 route add 2001:db8:51::/48 dev in0 proto static"));
    fake_pppd_open_ipv6cp();
    fake_pppd_ip_up();
    EXPECT_EQ(routes(), kOverOut);
}

TEST_F(PppdPrefixesTest, OfADeviceThatIsGoneLeadNowhere) {
    fake_pppd_use_device("gone0");
    fake_pppd_open_ipv6cp();
    fake_pppd_ip_up();
    EXPECT_EQ(routes(), "");
}

}  // namespace routes_test
}  // namespace vpnha

// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/wireguard/backend/vip_routes.hpp"

#include <gmock/gmock.h>

#include "support/sample_peer.hpp"

namespace vpnha::adapters {
namespace vip_routes_test {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using wireguard::test::net;

constexpr std::uint32_t kMain = 254;
constexpr std::uint32_t kTable = 3001;

IpAddress address(std::string_view text) {
    return parse_ip(text).value_or(IpAddress{});
}

VipRoutes settings() {
    return {.interface = "out0",
            .vips = {net("192.0.2.100/24"), net("2001:db8::100/64")},
            .default_via = {},
            .table = kTable,
            .preference = 1000,
            .mark = 0x76700001};
}

std::vector<TableRoute> main_table() {
    return {{net("0.0.0.0/0"), address("192.0.2.1"), kMain},
            {net("192.0.2.0/24"), std::nullopt, kMain},
            {net("198.51.100.0/24"), address("192.0.2.2"), kMain},
            {net("2001:db8::/64"), std::nullopt, kMain}};
}

TEST(VipRoutesTest, TheTableIsTheMainOnesWithTheLinkFirst) {
    EXPECT_THAT(routes_from_vip(settings(), false, main_table()),
                ElementsAre(TableRoute{net("192.0.2.0/24"), std::nullopt, kTable},
                            TableRoute{net("0.0.0.0/0"), address("192.0.2.1"), kTable},
                            TableRoute{net("198.51.100.0/24"), address("192.0.2.2"), kTable}));
    EXPECT_THAT(routes_from_vip(settings(), true, main_table()),
                ElementsAre(TableRoute{net("2001:db8::/64"), std::nullopt, kTable}));
}

TEST(VipRoutesTest, ARouterOfTheGatewaysCountsBeforeTheNodes) {
    VipRoutes own = settings();
    own.default_via = {address("192.0.2.254"), address("2001:db8::1")};
    EXPECT_THAT(routes_from_vip(own, false, main_table()),
                ElementsAre(TableRoute{net("192.0.2.0/24"), std::nullopt, kTable},
                            TableRoute{net("198.51.100.0/24"), address("192.0.2.2"), kTable},
                            TableRoute{net("0.0.0.0/0"), address("192.0.2.254"), kTable}));
    EXPECT_THAT(routes_from_vip(own, true, {}),
                ElementsAre(TableRoute{net("::/0"), address("2001:db8::1"), kTable}));
}

TEST(VipRoutesTest, WithoutARouteThereIsNone) {
    EXPECT_THAT(routes_from_vip(settings(), false, {}), IsEmpty());
}

}  // namespace vip_routes_test
}  // namespace vpnha::adapters

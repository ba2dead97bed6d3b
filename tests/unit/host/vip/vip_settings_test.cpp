// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/vip/vip_settings.hpp"

#include <gmock/gmock.h>

namespace vpnha::adapters {
namespace vip_settings_test {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

VipParameters sample() {
    VipParameters parameters;
    parameters.addresses = "192.0.2.9/24  2001:db8::9/64";
    parameters.interface = "outside";
    return parameters;
}

VipSettings parsed(const VipParameters& parameters) {
    const auto settings = parse_vip_parameters(parameters);
    EXPECT_TRUE(settings) << settings.error().detail;
    return settings.value_or(VipSettings{});
}

std::string wrong(const VipParameters& parameters) {
    const auto settings = parse_vip_parameters(parameters);
    EXPECT_FALSE(settings);
    EXPECT_EQ(settings.error().code, Errc::invalid_config);
    return settings.error().detail;
}

std::vector<std::string> texts(const std::vector<TableRoute>& routes) {
    std::vector<std::string> result;
    for (const TableRoute& route : routes) {
        result.push_back(to_string(route.destination) +
                         (route.via ? " via " + to_string(*route.via) : ""));
    }
    return result;
}

TEST(VipSettingsTest, AddressesAloneBringNoRouting) {
    const VipSettings settings = parsed(sample());
    EXPECT_EQ(settings.interface, "outside");
    EXPECT_EQ(settings.addresses.size(), 2U);
    EXPECT_EQ(settings.probe, std::chrono::milliseconds(50));
    EXPECT_FALSE(settings.rp_filter);
    EXPECT_THAT(settings.rules(), IsEmpty());
    EXPECT_THAT(settings.routes(), IsEmpty());
}

TEST(VipSettingsTest, AVlanHasADeviceOfItsOwn) {
    VipParameters parameters = sample();
    parameters.vlan = "100";
    const VipSettings settings = parsed(parameters);
    EXPECT_EQ(settings.interface, "outside.100");
    EXPECT_EQ(settings.parent, "outside");
    EXPECT_EQ(settings.vlan, 100);
}

TEST(VipSettingsTest, RulesAreByAddressOrByMark) {
    VipParameters parameters = sample();
    parameters.table = "700";
    const VipSettings by_address = parsed(parameters);
    ASSERT_EQ(by_address.rules().size(), 2U);
    EXPECT_EQ(by_address.rules()[0].from, by_address.addresses[0].address);
    EXPECT_EQ(by_address.rules()[0].table, 700U);
    EXPECT_EQ(by_address.rules()[0].preference, 10'000U);
    EXPECT_TRUE(by_address.rules()[1].is_v6);

    parameters.rule_mark = "0x2a";
    parameters.addresses += " 192.0.2.10/24";
    const auto by_mark = parsed(parameters).rules();
    ASSERT_EQ(by_mark.size(), 2U) << "one for each family";
    EXPECT_EQ(by_mark[0].mark, 42U);
    EXPECT_FALSE(by_mark[0].from);
}

TEST(VipSettingsTest, ADefaultRouteBringsTheNeighboursAlong) {
    VipParameters parameters = sample();
    parameters.addresses += " 192.0.2.10/24 203.0.113.7/32";
    parameters.table = "700";
    parameters.default_via = "192.0.2.1 2001:db8::1";
    EXPECT_THAT(texts(parsed(parameters).routes()),
                ElementsAre("192.0.2.0/24", "0.0.0.0/0 via 192.0.2.1", "2001:db8::/64",
                            "::/0 via 2001:db8::1"));
}

TEST(VipSettingsTest, ReportsWhichParameterIsWrong) {
    struct Case {
        std::string VipParameters::*parameter;
        const char* value;
        const char* text;
    };
    const std::string long_name(16, 'x');
    for (const Case& each :
         std::vector<Case>{{&VipParameters::addresses, "", "addresses"},
                           {&VipParameters::addresses, "192.0.2.9", "no prefix length"},
                           {&VipParameters::addresses, "192.0.2.9/24 192.0.2.9/24", "twice"},
                           {&VipParameters::interface, "", "interface"},
                           {&VipParameters::interface, "../lo", "interface"},
                           {&VipParameters::interface, long_name.c_str(), "interface"},
                           {&VipParameters::vlan, "4095", "vlan"},
                           {&VipParameters::vlan, "0", "vlan"},
                           {&VipParameters::table, "0", "table"},
                           {&VipParameters::table, "254", "the kernel's own"},
                           {&VipParameters::rule_mark, "7", "table: is missing"},
                           {&VipParameters::default_via, "192.0.2.1", "table: is missing"},
                           {&VipParameters::rp_filter, "on", "rp_filter"},
                           {&VipParameters::probe_ms, "soon", "probe_ms"},
                           {&VipParameters::probe_ms, "10001", "probe_ms"}}) {
        VipParameters parameters = sample();
        parameters.*each.parameter = each.value;
        EXPECT_THAT(wrong(parameters), HasSubstr(each.text)) << each.value;
    }
}

TEST(VipSettingsTest, RefusesRoutersThatNoAddressOrTwoBelongTo) {
    VipParameters parameters = sample();
    parameters.table = "700";
    parameters.default_via = "192.0.2.1 192.0.2.2";
    EXPECT_THAT(wrong(parameters), HasSubstr("two addresses of one family"));
    parameters.addresses = "192.0.2.9/24";
    parameters.default_via = "2001:db8::1";
    EXPECT_THAT(wrong(parameters), HasSubstr("no address is of the family"));
}

TEST(VipSettingsTest, ParametersOutliveTheCallAsText) {
    VipParameters parameters = sample();
    parameters.table = "700";
    parameters.rule_mark = "0x2a";
    parameters.rp_filter = "loose";
    EXPECT_EQ(read_vip_parameters(to_text(parameters)), parameters);
}

TEST(VipSettingsTest, AFileOfAnOlderReleaseHasTheDefaults) {
    EXPECT_EQ(read_vip_parameters("addresses=192.0.2.9/24  2001:db8::9/64\ninterface=outside\n"),
              sample());
}

}  // namespace vip_settings_test
}  // namespace vpnha::adapters

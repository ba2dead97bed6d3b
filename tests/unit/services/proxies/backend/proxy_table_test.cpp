// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/proxies/backend/proxy_table.hpp"

#include <gmock/gmock.h>

#include "unit/host/addresses/two_hosts.hpp"

namespace vpnha::adapters {
namespace proxy_table_test {

using testing::ip_command;
using ::testing::UnorderedElementsAre;

class ProxyTableTest : public testing::TwoHosts {
  protected:
    void SetUp() override {
        TwoHosts::SetUp();
        auto table = ProxyTable::open();
        ASSERT_TRUE(table);
        table_.emplace(std::move(*table));
    }
    static IpAddress address(const char* text) { return parse_ip(text).value_or(IpAddress()); }
    std::vector<std::string> entries(const std::string& interface) {
        std::vector<std::string> found;
        const auto listed = table_->list(interface);
        EXPECT_TRUE(listed);
        for (const IpAddress& each : listed.value_or(std::vector<IpAddress>{})) {
            found.push_back(to_string(each));
        }
        return found;
    }
    std::optional<ProxyTable> table_;
};

TEST_F(ProxyTableTest, AnEntryOfEitherFamilyComesAndGoes) {
    for (const char* const text : {"10.64.1.5", "2001:db8:64::5"}) {
        for (int round = 0; round < 2; ++round) {
            EXPECT_TRUE(table_->add("in0", address(text))) << text;
            EXPECT_THAT(entries("in0"), UnorderedElementsAre(text));
            EXPECT_THAT(entries("out0"), UnorderedElementsAre());
        }
        for (int round = 0; round < 2; ++round) {
            EXPECT_TRUE(table_->remove("in0", address(text))) << text;
            EXPECT_THAT(entries("in0"), UnorderedElementsAre());
        }
    }
}

TEST_F(ProxyTableTest, AnInterfaceThatIsGoneTakesNoneAndHasNone) {
    EXPECT_EQ(table_->add("gone0", address("10.64.1.5")).error().code, Errc::not_found);
    EXPECT_TRUE(table_->remove("gone0", address("10.64.1.5")));
}

TEST_F(ProxyTableTest, AFlushTakesThoseOfThePoolsOnBothSides) {
    for (const char* const entry :
         {"10.64.1.5 dev in0", "10.64.1.6 dev out0", "10.64.2.5 dev in0"}) {
        ASSERT_TRUE(ip_command(std::string("neighbour add proxy ") + entry)) << entry;
    }
    EXPECT_TRUE(flush_proxies(gateway()));
    EXPECT_THAT(entries("in0"), UnorderedElementsAre("10.64.2.5"));
    EXPECT_THAT(entries("out0"), UnorderedElementsAre());
}

}  // namespace proxy_table_test
}  // namespace vpnha::adapters

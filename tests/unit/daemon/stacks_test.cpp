// SPDX-License-Identifier: GPL-2.0-or-later
// As root: two gateways in network namespaces of the test's own.
#include "daemon/stacks.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocols/ipsec/work.hpp"
#include "unit/host/addresses/two_hosts.hpp"
#include "unit/host/os/named_namespace.hpp"

namespace vpnha::runtime {
namespace stacks_test {

using adapters::InNetwork;
using adapters::NetworkNamespace;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using vpnha::testing::ip_command;
using vpnha::testing::NamedNamespace;
using vpnha::testing::network_here;
using vpnha::testing::output_of;
using vpnha::testing::prefix;

constexpr GatewayId kFirst{7};
constexpr GatewayId kSecond{8};
constexpr GatewayId kOther{9};

class StacksTest : public vpnha::testing::TwoHosts {
  protected:
    void SetUp() override {
        TwoHosts::SetUp();
        for (const NamedNamespace* const each : {&a_, &b_}) {
            // Devices of the same names.
            for (const std::string side : {"eth1", "eth2"}) {
                ASSERT_TRUE(ip_command("-n " + each->name() + " link add " + side +
                                       " type veth peer name far-" + side));
                ASSERT_TRUE(ip_command("-n " + each->name() + " link set " + side + " up"));
            }
        }
        config_.gateways = {in(a_, kFirst, "192.0.2.100/24"), in(b_, kSecond, "192.0.2.101/24")};
    }
    static config::Gateway in(const NamedNamespace& netns, GatewayId id, const std::string& vip) {
        config::Gateway made = gateway();
        made.id = id;
        made.name = netns.name();
        made.netns = netns.name();
        made.outside = {"eth1", {prefix(vip)}};
        made.inside = {"eth2", {}};
        return made;
    }
    static std::string addresses_of(const NamedNamespace& netns) {
        return output_of("ip -n " + netns.name() + " -o addr show dev eth1");
    }

    NamedNamespace a_{"a"};
    NamedNamespace b_{"b"};
    config::Config config_;
    adapters::QbLoop loop_;
};

TEST_F(StacksTest, EachGatewayIsSilencedAndAddressedInItsOwnNetwork) {
    const ino_t home = network_here();
    const auto stacks = Stacks::open(config_, loop_, [](GatewayId, LinkSide, const IpAddress&) {});
    ASSERT_TRUE(stacks) << stacks.error().detail;
    ASSERT_EQ((*stacks)->all().size(), 2U);
    EXPECT_TRUE((*stacks)->of(kSecond).has(kSecond));
    EXPECT_FALSE((*stacks)->of(kSecond).has(kFirst));
    EXPECT_EQ((*stacks)->of(kSecond).name_of("eth1"), b_.name() + "/eth1");
    ASSERT_TRUE((*stacks)->add_addresses(kSecond));
    EXPECT_THAT(addresses_of(b_), HasSubstr("192.0.2.101"));
    EXPECT_THAT(addresses_of(a_), Not(HasSubstr("192.0.2.1")));
    EXPECT_THAT(output_of("ip -o addr"), Not(HasSubstr("192.0.2.101")));
    const auto missing = (*stacks)->missing(kSecond);
    ASSERT_TRUE(missing);
    EXPECT_EQ(*missing, "");
    ASSERT_TRUE((*stacks)->remove_addresses(kSecond));
    EXPECT_THAT(addresses_of(b_), Not(HasSubstr("192.0.2.101")));
    EXPECT_EQ(network_here(), home);
}

TEST_F(StacksTest, AGateIsOpenForOneGatewayAlone) {
    const auto stacks = Stacks::open(config_, loop_, [](GatewayId, LinkSide, const IpAddress&) {});
    ASSERT_TRUE(stacks) << stacks.error().detail;
    ASSERT_TRUE((*stacks)->open_until(kFirst, TimePoint::max()));
    EXPECT_EQ((*stacks)->deadline(kFirst).value_or(std::nullopt), TimePoint::max());
    EXPECT_EQ((*stacks)->deadline(kSecond).value_or(TimePoint::max()), std::nullopt);
    const auto view = [&](GatewayId id) {
        const Stack& stack = (*stacks)->of(id);
        const InNetwork within(stack.network());
        const auto devices = stack.gate().devices();
        return devices ? devices->size() : 0;
    };
    EXPECT_GE(view(kFirst), 4U) << "two devices, both directions";
    ASSERT_TRUE((*stacks)->shut(kFirst));
}

TEST_F(StacksTest, ANetworkThatIsNotThereIsNamed) {
    config_.gateways[1].netns = "vpnha-test-nowhere";
    const auto stacks = Stacks::open(config_, loop_, [](GatewayId, LinkSide, const IpAddress&) {});
    ASSERT_FALSE(stacks);
    EXPECT_THAT(stacks.error().detail, HasSubstr("'vpnha-test-nowhere'"));
}

struct NotingBackend final : ports::Backend {
    bool execute(effects::ProtocolWork& work) override {
        seen.push_back(work.gateway());
        networks.push_back(network_here());
        return true;
    }
    void hold(GatewayId gateway) override { seen.push_back(gateway); }
    Status status_of(GatewayId gateway) const override {
        return {{"id", std::uint64_t{gateway.value}}};
    }

    std::vector<GatewayId> seen;
    std::vector<ino_t> networks;
};

TEST_F(StacksTest, ABackendHasWorkOfItsOwnGatewaysWithinTheirNetwork) {
    const auto network = NetworkNamespace::open(a_.name());
    ASSERT_TRUE(network);
    NotingBackend inner;
    NamespacedBackend backend(inner, *network, [](GatewayId id) { return id == kFirst; });
    effects::ProtocolWork others(node::TurnCharon{kOther, true});
    EXPECT_FALSE(backend.execute(others));
    effects::ProtocolWork own(node::IpsecWork(node::TurnCharon{kFirst, true}));
    EXPECT_TRUE(backend.execute(own));
    backend.hold(kOther);
    EXPECT_THAT(inner.seen, ElementsAre(kFirst));
    EXPECT_THAT(inner.networks, ElementsAre(a_.number()));
    EXPECT_THAT(backend.status_of(kOther), IsEmpty());
    EXPECT_THAT(backend.status_of(kFirst), Not(IsEmpty()));
    EXPECT_EQ(backend.ppp(), nullptr);
}

}  // namespace stacks_test
}  // namespace vpnha::runtime

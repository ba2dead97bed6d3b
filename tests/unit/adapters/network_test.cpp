// SPDX-License-Identifier: GPL-2.0-or-later
#include "adapters/network.hpp"

#include <algorithm>

#include "unit/adapters/two_hosts.hpp"

namespace vpnha::adapters {
namespace {

using testing::Capture;
using testing::ip_command;
using testing::output_of;
using testing::prefix;
using namespace std::chrono_literals;

class NetworkTest : public testing::TwoHosts {
  protected:
    void SetUp() override {
        TwoHosts::SetUp();
        config_.gateways = {gateway()};
        auto network = LinuxNetwork::create(config_);
        ASSERT_TRUE(network);
        network_.emplace(std::move(*network));
    }
    // Addresses of the whole node but the loopback's, in order.
    static std::vector<std::string> addresses() {
        std::vector<std::string> found;
        auto route = RouteNetlink::open();
        EXPECT_TRUE(route->for_each_address(
            [&found](const LinkAddress& address) { found.push_back(to_string(address.local)); }));
        std::sort(found.begin(), found.end());
        found.erase(std::remove(found.begin(), found.end(), "127.0.0.1/8"), found.end());
        return found;
    }
    static long rules() {
        const std::string text = output_of("ip rule show");
        long count = 0;
        for (auto at = text.find("7000:"); at != std::string::npos;
             at = text.find("7000:", at + 1)) {
            ++count;
        }
        return count;
    }

    static constexpr GatewayId kId{7};
    const std::vector<std::string> without_ = {"192.0.2.1/24", "198.51.100.1/24"};
    const std::vector<std::string> with_ = {"192.0.2.1/24", "192.0.2.100/24", "198.51.100.1/24",
                                            "198.51.100.100/24"};
    config::Config config_;
    std::optional<LinuxNetwork> network_;
};

TEST_F(NetworkTest, AddsAndRemovesVipsAndRuleRepeatably) {
    for (int round = 0; round < 2; ++round) {
        for (int repeat = 0; repeat < 2; ++repeat) {
            const auto added = network_->add_addresses(kId);
            ASSERT_TRUE(added) << added.error().detail;
            EXPECT_EQ(addresses(), with_);
            EXPECT_EQ(rules(), 1);
        }
        for (int repeat = 0; repeat < 2; ++repeat) {
            const auto removed = network_->remove_addresses(kId);
            ASSERT_TRUE(removed) << removed.error().detail;
            EXPECT_EQ(addresses(), without_);
            EXPECT_EQ(rules(), 0);
        }
    }
}

TEST_F(NetworkTest, PutsEachVipOnItsOwnSide) {
    ASSERT_TRUE(network_->add_addresses(kId));
    EXPECT_NE(output_of("ip -4 addr show dev out0").find("192.0.2.100/24"), std::string::npos);
    EXPECT_NE(output_of("ip -4 addr show dev in0").find("198.51.100.100/24"), std::string::npos);
    EXPECT_NE(output_of("ip rule show").find("7000:\tfrom all lookup 700"), std::string::npos);
}

TEST_F(NetworkTest, RemovesWhatIsLeftWhenADeviceIsGone) {
    ASSERT_TRUE(network_->add_addresses(kId));
    ASSERT_TRUE(ip_command("link delete out0"));
    const auto removed = network_->remove_addresses(kId);
    ASSERT_TRUE(removed) << removed.error().detail;
    EXPECT_EQ(addresses(), std::vector<std::string>{"198.51.100.1/24"});
    EXPECT_EQ(rules(), 0);
}

TEST_F(NetworkTest, SaysWhichDeviceIsMissingOnAdd) {
    ASSERT_TRUE(ip_command("link delete out0"));
    const auto added = network_->add_addresses(kId);
    ASSERT_FALSE(added);
    EXPECT_EQ(added.error().code, Errc::not_found);
    EXPECT_NE(added.error().detail.find("out0"), std::string::npos);
}

TEST_F(NetworkTest, FlushesVipsAndRulesWhoeverLeftThem) {
    ASSERT_TRUE(ip_command("addr add 192.0.2.100/32 dev in0"));
    ASSERT_TRUE(ip_command("addr add 198.51.100.100/24 dev lo"));
    ASSERT_TRUE(network_->add_addresses(kId));
    ASSERT_TRUE(ip_command("rule add from 203.0.113.0/24 lookup 700 preference 7000"));
    const auto flushed = network_->flush(kId);
    ASSERT_TRUE(flushed) << flushed.error().detail;
    EXPECT_EQ(addresses(), without_);
    EXPECT_EQ(rules(), 0);
    EXPECT_TRUE(network_->flush(kId)) << "nothing to do is no failure";
}

TEST_F(NetworkTest, AnnouncesEachVipByRequestAndReplyOnItsOwnSide) {
    std::optional<Capture> outside;
    std::optional<Capture> inside;
    in_peer([&] {
        outside.emplace("peer0");
        inside.emplace("peer1");
    });
    const auto announced = network_->announce(kId);
    ASSERT_TRUE(announced) << announced.error().detail;
    // An announcement: ARP of that operation whose sender and target are the VIP.
    const auto announcement = [](std::uint8_t operation, Ipv4Address vip) {
        return [operation, vip](const Bytes& frame) {
            if (frame.size() < 42 || frame[12] != 0x08 || frame[13] != 0x06) {
                return false;
            }
            ByteReader sender(ByteView(frame).subspan(28));
            ByteReader target(ByteView(frame).subspan(38));
            return frame[21] == operation && sender.u32() == vip.value && target.u32() == vip.value;
        };
    };
    const Ipv4Address vip = prefix("192.0.2.100/24").address;
    EXPECT_NE(outside->find(2s, announcement(1, vip)), std::nullopt);
    EXPECT_NE(outside->find(2s, announcement(2, vip)), std::nullopt);
    const Ipv4Address inside_vip = prefix("198.51.100.100/24").address;
    EXPECT_NE(inside->find(2s, announcement(1, inside_vip)), std::nullopt);
    EXPECT_NE(inside->find(2s, announcement(2, inside_vip)), std::nullopt);
}

TEST_F(NetworkTest, AnnouncesNothingOnADeviceWithoutArp) {
    config_.gateways[0].outside.interface = "lo";
    const auto announced = network_->announce(kId);
    EXPECT_TRUE(announced) << announced.error().detail;
}

}  // namespace
}  // namespace vpnha::adapters

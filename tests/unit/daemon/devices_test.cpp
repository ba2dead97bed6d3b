// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/devices.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/syscall.h>

#include <cerrno>
#include <fstream>

#include "host/addresses/network.hpp"
#include "support/failing_call.hpp"
#include "unit/host/gate/gate_host.hpp"

namespace vpnha::runtime {
namespace devices_test {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using testing::ip_command;
using ::testing::IsEmpty;
using testing::output_of;
using testing::prefix;

class DevicesTest : public adapters::GateHost {
  protected:
    // Of which the kernel tells the news; what is only of tcx has a fixture of its own.
    explicit DevicesTest(adapters::GateHook hook = adapters::GateHook::clsact) { hook_ = hook; }
    void SetUp() override {
        GateHost::SetUp();
        config_.gateways[0].outside.addresses.push_back(prefix("2001:db8::100/64"));
        config_.gateways[0].inside.addresses.push_back(prefix("2001:db8:1::100/64"));
        config_.gateways[0].pools.push_back(prefix("2001:db8:2::/64"));
        gate_.emplace(attached());
        auto network = adapters::LinuxNetwork::create(config_);
        ASSERT_TRUE(network);
        network_.emplace(std::move(*network));
        neighbours_.emplace(config_, loop_, [](GatewayId, LinkSide, const IpAddress&) {});
        auto devices = Devices::watch(
            loop_,
            {.config = config_,
             .gate = *gate_,
             .network = *network_,
             .neighbours = *neighbours_,
             .serves = [this](GatewayId) { return serves_; },
             .announce = [this](GatewayId) { ++announcements_; },
             .on_carrier = [this](GatewayId, LinkSide, bool carrier) { ups_ += carrier ? 1 : 0; },
             .broken = [this](const Error& error) { broken_.push_back(error.code); }});
        ASSERT_TRUE(devices) << devices.error().detail;
        devices_ = std::move(*devices);
    }
    void TearDown() override {
        devices_.reset();
        neighbours_.reset();
        GateHost::TearDown();
    }
    void promote() {
        serves_ = true;
        ASSERT_TRUE(network_->add_addresses(kId));
    }
    // What the kernel has said by now; it says it before the command that caused it has ended.
    void handle(std::chrono::milliseconds patience = 20ms) {
        loop_.set_timer(1, adapters::QbLoop::now() + patience, [this] { loop_.stop(); });
        loop_.run();
    }
    std::string missing() { return network_->missing(kId).value_or("an error"); }
    static adapters::Link link_of_out0() {
        adapters::Link link;
        link.name = "out0";
        link.state.index = index_of("out0");
        return link;
    }
    static bool have(const char* vip) {
        return output_of("ip -o addr show").find(vip) != std::string::npos;
    }

    // A port of a bridge with an ingress qdisc.
    void plug_limited_port() {
        ASSERT_TRUE(ip_command("link add bridge0 type bridge"));
        ASSERT_TRUE(ip_command("link add far0 type veth peer name third0"));
        ASSERT_TRUE(ip_command("link set third0 master bridge0"));
        ASSERT_TRUE(ip_command("link set third0 up"));
        handle();
        ASSERT_EQ(output_of("tc qdisc add dev third0 ingress 2>&1 || "
                            "{ tc qdisc del dev third0 clsact && tc qdisc add dev third0 ingress; }"
                            " 2>&1"),
                  "");
    }
    // Of outgoing packets.
    adapters::GatePresence presence_on(const std::string& name) {
        adapters::Link link;
        link.name = name;
        link.state.index = index_of(name);
        const auto found = gate_->look_at({link});
        EXPECT_TRUE(found);
        return found->back().presence;
    }
    std::vector<std::string> warnings() {
        std::vector<std::string> lines;
        for (const DeviceWarning& each : devices_->warnings()) {
            lines.push_back(fmt::format("{} {}", each.state, each.interface));
            EXPECT_THAT(each.reason, ::testing::HasSubstr("tc qdisc del dev " + each.interface));
        }
        return lines;
    }
    // For what a thread does.
    static constexpr std::chrono::milliseconds kThread{400};

    adapters::QbLoop loop_;
    std::optional<adapters::BpfGate> gate_;
    std::optional<adapters::LinuxNetwork> network_;
    std::optional<adapters::NeighbourWatch> neighbours_;
    std::unique_ptr<Devices> devices_;
    bool serves_ = false;
    int announcements_ = 0;
    int ups_ = 0;
    std::vector<Errc> broken_;
};

TEST_F(DevicesTest, AddressesOfADeviceThatWasSetDownAreBackWhenItIsUp) {
    promote();
    handle();
    EXPECT_EQ(announcements_, 0) << "the promotion announces for itself";
    ASSERT_TRUE(ip_command("link set out0 down"));
    ASSERT_TRUE(ip_command("link set out0 up"));
    EXPECT_FALSE(have("2001:db8::100/64")) << "the kernel took it away";
    handle();
    EXPECT_EQ(missing(), "");
    EXPECT_EQ(announcements_, 1);
    const std::string shown = output_of("ip -6 addr show dev out0 to 2001:db8::100");
    EXPECT_NE(shown.find("nodad"), std::string::npos) << shown;
    EXPECT_EQ(shown.find("tentative"), std::string::npos) << shown;
    EXPECT_NE(output_of("ip -6 route show dev out0").find("2001:db8::/64"), std::string::npos);
}

TEST_F(DevicesTest, ADeviceThatIsDownForLongerHasThemToo) {
    promote();
    ASSERT_TRUE(ip_command("link set out0 down"));
    handle();
    ASSERT_TRUE(ip_command("link set out0 up"));
    handle();
    EXPECT_EQ(missing(), "");
    EXPECT_NE(output_of("ip -6 route show dev out0").find("2001:db8::/64"), std::string::npos);
}

TEST_F(DevicesTest, DeletedAddressesAndRulesAreBackAndAnnounced) {
    promote();
    for (const char* deletion :
         {"addr del 192.0.2.100/24 dev out0", "addr del 2001:db8:1::100/64 dev in0",
          "addr flush dev in0", "rule del preference 7000", "-6 rule del preference 7000"}) {
        ASSERT_TRUE(ip_command(deletion));
        EXPECT_NE(missing(), "");
        const int notified = announcements_;
        handle();
        EXPECT_EQ(missing(), "") << deletion;
        EXPECT_EQ(announcements_, notified + 1) << deletion;
    }
}

TEST_F(DevicesTest, AddressesThatSomebodyKeepsRemovingComeBackOnceASecond) {
    promote();
    for (int i = 0; i < 60; ++i) {
        ASSERT_TRUE(ip_command("addr flush dev in0 to 198.51.100.100"));
        handle(2ms);
    }
    EXPECT_GE(announcements_, 20) << "at once as long as it may be an administrator";
    EXPECT_LE(announcements_, 30);
    handle(1100ms);
    EXPECT_EQ(missing(), "");
}

TEST_F(DevicesTest, AGateThatSomebodyKeepsPuttingHimselfBeforeComesBackOnceASecond) {
    const auto is_first = [this] {
        return gate_->look_at({link_of_out0()})->back().presence ==
               adapters::GatePresence::attached;
    };
    int times_first = 0;
    for (int i = 0; i < 60; ++i) {
        put_before("out0", adapters::GateDirection::out);
        handle(2ms);
        times_first += is_first() ? 1 : 0;
    }
    EXPECT_GE(times_first, 20);
    EXPECT_LE(times_first, 30);
    handle(1100ms);
    EXPECT_TRUE(is_first());
}

TEST_F(DevicesTest, AddressesOfOthersAreNobodysBusiness) {
    promote();
    ASSERT_TRUE(ip_command("addr del 192.0.2.1/24 dev out0"));
    handle();
    EXPECT_EQ(announcements_, 0);
    EXPECT_FALSE(have("192.0.2.1/24"));
}

TEST_F(DevicesTest, AStandbyGetsNone) {
    ASSERT_TRUE(ip_command("addr del 192.0.2.1/24 dev out0"));
    ASSERT_TRUE(ip_command("link set out0 down"));
    ASSERT_TRUE(ip_command("link set out0 up"));
    handle();
    EXPECT_FALSE(have("192.0.2.100"));
    EXPECT_FALSE(have("2001:db8::100"));
    EXPECT_EQ(announcements_, 0);
}

TEST_F(DevicesTest, WhatAReleaseTakesAwayStaysAway) {
    promote();
    handle();
    // Somebody's deletion, and then the release, before anybody has read the news of either.
    ASSERT_TRUE(ip_command("addr del 192.0.2.100/24 dev out0"));
    serves_ = false;
    ASSERT_TRUE(network_->remove_addresses(kId));
    handle();
    EXPECT_FALSE(have("192.0.2.100"));
    EXPECT_FALSE(have("2001:db8::100"));
    EXPECT_EQ(output_of("ip rule").find("7000:"), std::string::npos);
    EXPECT_EQ(announcements_, 0);
}

TEST_F(DevicesTest, WhatTheKernelRefusesIsTriedAgain) {
    promote();
    std::ofstream("/proc/sys/net/ipv6/conf/out0/disable_ipv6") << '1';
    handle();
    EXPECT_EQ(missing(), "2001:db8::100/64 on out0");
    std::ofstream("/proc/sys/net/ipv6/conf/out0/disable_ipv6") << '0';
    handle(1100ms);
    EXPECT_EQ(missing(), "");
}

TEST_F(DevicesTest, ADeviceThatIsCreatedAnewGetsItsGateAndItsAddresses) {
    promote();
    ASSERT_TRUE(ip_command("link del out0"));
    handle();
    EXPECT_EQ(missing(), "") << "nothing that could be brought back now";
    plug_outside();
    handle();
    EXPECT_EQ(verdict_on_vip(), adapters::Verdict::dropped) << "its gate is not open";
    EXPECT_EQ(missing(), "");
    EXPECT_GE(announcements_ + ups_, 1) << "the node announces when it hears of the carrier";
}

TEST_F(DevicesTest, AGateThatCannotBePutBackIsTriedAgainOnAStandby) {
    output_of("tc qdisc del dev out0 clsact");
    handle();
    ASSERT_EQ(verdict_on_vip(), adapters::Verdict::dropped);
    output_of("tc qdisc del dev out0 clsact");
    ASSERT_TRUE(run_with_failing_call(SYS_bpf, EMFILE, [this] { handle(); }));
    EXPECT_EQ(verdict_on_vip(), adapters::Verdict::no_gate);
    handle(1100ms);
    EXPECT_EQ(verdict_on_vip(), adapters::Verdict::dropped);
    EXPECT_TRUE(broken_.empty()) << "it does not serve";
}

TEST_F(DevicesTest, ANewDeviceWithoutItsGateGetsItLaterAndNoAddressBefore) {
    ASSERT_TRUE(ip_command("link del out0"));
    handle();
    plug_outside();
    promote();
    ASSERT_TRUE(ip_command("addr del 192.0.2.100/24 dev out0"));
    output_of("tc qdisc add dev out0 ingress");
    handle();
    EXPECT_FALSE(have("192.0.2.100"));
    EXPECT_THAT(broken_, ::testing::Each(Errc::unsupported));
    EXPECT_FALSE(broken_.empty());
}

TEST_F(DevicesTest, ANodeThatServesDoesNotServeOnWithoutItsGate) {
    promote();
    output_of("tc qdisc del dev out0 clsact && tc qdisc add dev out0 ingress");
    handle();
    EXPECT_EQ(broken_, std::vector{Errc::unsupported});
}

// As a container's, whose bandwidth its runtime limits.
TEST_F(DevicesTest, ADeviceThatCarriesNoGatewayIsBarredAndTheNodeServesOn) {
    promote();
    plug_limited_port();
    EXPECT_THAT(warnings(), ElementsAre("port third0"));
    ASSERT_TRUE(ip_command("link set third0 nomaster"));
    handle(kThread);
    EXPECT_TRUE(broken_.empty());
    EXPECT_EQ(presence_on("third0"), adapters::GatePresence::barred);
    EXPECT_THAT(warnings(), ElementsAre("barred third0"));
    ASSERT_TRUE(ip_command("addr del 192.0.2.100/24 dev out0"));
    handle();
    EXPECT_EQ(missing(), "") << "all else goes its way";
}

TEST_F(DevicesTest, WhatSomebodyFlushesOfItIsBackWithinASecond) {
    promote();
    plug_limited_port();
    ASSERT_TRUE(ip_command("link set third0 nomaster"));
    handle(kThread);
    output_of("nft flush ruleset");
    EXPECT_EQ(presence_on("third0"), adapters::GatePresence::missing);
    handle(1000ms + kThread);
    EXPECT_EQ(presence_on("third0"), adapters::GatePresence::barred);
    EXPECT_TRUE(broken_.empty());
}

TEST_F(DevicesTest, ABarredDeviceGetsTheGateWhenItTakesItAndNothingIsLeft) {
    promote();
    plug_limited_port();
    ASSERT_TRUE(ip_command("link set third0 nomaster"));
    handle(kThread);
    output_of("tc qdisc del dev third0 ingress && tc qdisc add dev third0 clsact");
    handle(1000ms + kThread);
    EXPECT_EQ(presence_on("third0"), adapters::GatePresence::attached);
    EXPECT_THAT(warnings(), IsEmpty());
    EXPECT_EQ(output_of("nft list tables"), "");
}

TEST_F(DevicesTest, ABarredDeviceThatBecomesAPortIsBarredNoMore) {
    plug_limited_port();
    ASSERT_TRUE(ip_command("link set third0 nomaster"));
    handle(kThread);
    EXPECT_NE(output_of("nft list tables"), "");
    ASSERT_TRUE(ip_command("link set third0 master bridge0"));
    handle(kThread);
    EXPECT_EQ(output_of("nft list tables"), "");
    EXPECT_THAT(warnings(), ElementsAre("port third0"));
}

TEST_F(DevicesTest, ABarredDeviceThatGoesAwayIsForgotten) {
    promote();
    plug_limited_port();
    ASSERT_TRUE(ip_command("link set third0 nomaster"));
    handle(kThread);
    ASSERT_TRUE(ip_command("link del third0"));
    handle(1000ms + kThread);
    EXPECT_THAT(warnings(), IsEmpty());
    EXPECT_EQ(output_of("nft list tables"), "");
    EXPECT_TRUE(broken_.empty());
}

TEST_F(DevicesTest, ABarredDeviceThatBecomesAGatewaysNeedsTheGate) {
    promote();
    plug_limited_port();
    ASSERT_TRUE(ip_command("link set third0 nomaster"));
    handle(kThread);
    ASSERT_TRUE(broken_.empty());
    ASSERT_TRUE(ip_command("addr add 10.64.1.1/28 dev third0"));
    handle(1000ms + kThread);
    EXPECT_THAT(broken_, ::testing::Contains(Errc::unsupported));
    EXPECT_THAT(warnings(), ElementsAre("refused third0"));
}

TEST_F(DevicesTest, OnAStandbyItIsRefusedUntilItCarriesNoGatewayAnyMore) {
    plug_limited_port();
    ASSERT_TRUE(ip_command("addr add 10.64.1.1/28 dev third0"));
    ASSERT_TRUE(ip_command("link set third0 nomaster"));
    handle(kThread);
    EXPECT_THAT(warnings(), ElementsAre("refused third0"));
    ASSERT_TRUE(ip_command("addr del 10.64.1.1/28 dev third0"));
    handle(1000ms + kThread);
    EXPECT_THAT(warnings(), ElementsAre("barred third0"));
    EXPECT_TRUE(broken_.empty());
}

TEST_F(DevicesTest, AnyDeviceThatComesGetsTheGateAndAPortGivesItBack) {
    const Bytes frame = testing::Frame().ipv4("192.0.2.100", "192.0.2.51");
    const auto emits = [this, &frame](const char* device) {
        return verdict(adapters::GateDirection::out, frame, device);
    };
    ASSERT_TRUE(ip_command("link add third0 type veth peer name far0"));
    handle();
    EXPECT_EQ(emits("third0"), adapters::Verdict::dropped);
    ASSERT_TRUE(ip_command("link add bridge0 type bridge"));
    ASSERT_TRUE(ip_command("link set third0 master bridge0"));
    handle();
    EXPECT_EQ(emits("third0"), adapters::Verdict::no_gate);
    EXPECT_EQ(emits("bridge0"), adapters::Verdict::dropped);
    ASSERT_TRUE(ip_command("link set third0 nomaster"));
    handle();
    EXPECT_EQ(emits("third0"), adapters::Verdict::dropped);
    output_of("tc qdisc del dev third0 clsact");
    handle();
    EXPECT_EQ(emits("third0"), adapters::Verdict::dropped);
}

TEST_F(DevicesTest, WhoStandsBeforeTheGateStandsBehindIt) {
    put_before("out0", adapters::GateDirection::out);
    handle();
    const auto found = gate_->devices();
    ASSERT_TRUE(found);
    for (const adapters::GateDevice& device : *found) {
        EXPECT_EQ(device.presence, adapters::GatePresence::attached) << device.interface;
    }
    EXPECT_EQ(chain_of("out0", adapters::GateDirection::out).size(), 2U);
}

// Of tcx the kernel tells nobody anything; what is not told is looked for.
class TcxDevicesTest : public DevicesTest {
  protected:
    TcxDevicesTest() : DevicesTest(adapters::gate_hook_of_kernel()) {}
};

TEST_F(TcxDevicesTest, TheGateIsFirstAgainWithinASecond) {
    put_before("out0", adapters::GateDirection::in);
    take_all_off("in0");
    handle(1100ms);
    const auto found = gate_->devices();
    ASSERT_TRUE(found);
    for (const adapters::GateDevice& device : *found) {
        EXPECT_EQ(device.presence, adapters::GatePresence::attached) << device.interface;
    }
}

TEST_F(DevicesTest, WhatADeviceThatIsGoneMissesIsNoReasonToEnd) {
    promote();
    ASSERT_TRUE(ip_command("link del out0"));
    output_of("tc qdisc del dev in0 clsact");
    handle();
    EXPECT_TRUE(broken_.empty());
    EXPECT_EQ(verdict(adapters::GateDirection::out,
                      testing::Frame().ipv4("198.51.100.100", "198.51.100.51"), "in0"),
              adapters::Verdict::dropped);
}

}  // namespace devices_test
}  // namespace vpnha::runtime

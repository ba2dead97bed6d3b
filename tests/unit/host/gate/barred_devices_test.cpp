// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/gate/barred_devices.hpp"

#include <gmock/gmock.h>

#include "host/gate/gate_silence.hpp"
#include "host/netlink/nftables.hpp"
#include "unit/host/gate/gate_host.hpp"

namespace vpnha::adapters {
namespace barred_devices_test {

using testing::Capture;
using ::testing::ElementsAre;
using testing::Frame;
using ::testing::HasSubstr;
using testing::ip_command;
using ::testing::IsEmpty;
using testing::output_of;
using testing::prefix;
using ::testing::UnorderedElementsAre;

constexpr std::uint8_t kSolicitation = 135;
constexpr std::uint8_t kAdvertisement = 136;

Link device(LinkIndex index, const std::string& name) {
    Link link;
    link.name = name;
    link.state.index = index;
    return link;
}

std::vector<std::string> names_of(const std::vector<Link>& links) {
    std::vector<std::string> names;
    for (const Link& link : links) {
        names.push_back(link.name);
    }
    return names;
}

TEST(BarredRulesetTest, ANetWithinAnotherIsNotNamed) {
    config::Config config;
    config.gateways.emplace_back().pools = {prefix("10.64.0.0/16"), prefix("10.64.7.0/24")};
    config.gateways[0].ppp_local = testing::ip("10.64.0.1");
    const std::string ruleset = barred_ruleset(config, {device(7, "ve7")});
    EXPECT_THAT(ruleset, HasSubstr("ip daddr { 10.64.0.0/16 } counter drop\n"));
    EXPECT_THAT(ruleset, HasSubstr("arp saddr ip { 10.64.0.0/16 } counter drop\n"));
    EXPECT_THAT(ruleset, HasSubstr("hook egress device \"ve7\""));
}

TEST(BarredRulesetTest, WithoutADeviceTheTableGoes) {
    EXPECT_EQ(barred_ruleset({}, {}),
              "table netdev vpnha_barred { }\ndelete table netdev vpnha_barred\n");
}

TEST(DevicesUponTest, AreThoseThatSendByIt) {
    Link trunk = device(1, "trunk");
    Link vlan = device(2, "vlan");
    vlan.lower = 1;
    Link bridge = device(3, "bridge");
    vlan.upper = 3;
    vlan.is_port = true;
    Link macvlan = device(4, "macvlan");
    macvlan.lower = 3;
    Link other = device(5, "other");
    const std::vector<Link> all{other, macvlan, bridge, vlan, trunk};
    EXPECT_THAT(names_of(devices_upon(trunk, all)),
                UnorderedElementsAre("trunk", "vlan", "bridge", "macvlan"));
    EXPECT_THAT(names_of(devices_upon(macvlan, all)), ElementsAre("macvlan"));
    EXPECT_THAT(names_of(devices_upon(other, all)), ElementsAre("other"));
}

TEST(DevicesUponTest, AVrfAndItsMembersAreOfOneAnother) {
    Link vrf = device(1, "vrf");
    Link member = device(2, "member");
    member.upper = 1;
    const std::vector<Link> all{vrf, member};
    EXPECT_THAT(names_of(devices_upon(vrf, all)), ElementsAre("vrf", "member"));
    EXPECT_THAT(names_of(devices_upon(member, all)), ElementsAre("member", "vrf"));
}

// The node has a third device, whose ingress qdisc is somebody else's.
class BarredDevicesTest : public GateHost {
  protected:
    BarredDevicesTest() { hook_ = GateHook::clsact; }
    void SetUp() override {
        GateHost::SetUp();
        config_.gateways[0].outside.addresses.push_back(prefix("2001:db8::100/64"));
        config_.gateways[0].pools.push_back(prefix("2001:db8:8::/61"));
        ASSERT_TRUE(ip_command("link add third0 type veth peer name peer2 netns " + peer_.path()));
        ASSERT_TRUE(ip_command("link set third0 up"));
        ASSERT_TRUE(ip_command("addr add 203.0.113.1/24 dev third0"));
        in_peer([this] {
            EXPECT_TRUE(ip_command("addr add 203.0.113.51/24 dev peer2"));
            EXPECT_TRUE(ip_command("link set peer2 up"));
            peer2_.emplace("peer2");
        });
        output_of("tc qdisc add dev third0 ingress");
    }
    Link link_named(const std::string& name) const {
        for (const Link& link : links()) {
            if (link.name == name) {
                return link;
            }
        }
        ADD_FAILURE() << "there is no " << name;
        return {};
    }
    static std::vector<Link> links() { return links_of_node().value_or(std::vector<Link>{}); }
    Result<void> attach() {
        VPNHA_TRY(BpfGate gate, BpfGate::create(config_, hook_));
        VPNHA_CHECK(gate.attach(kId));
        gate_.emplace(std::move(gate));
        return {};
    }
    // Whether the frame leaves by the third device.
    bool leaves(const Bytes& frame) {
        static_cast<void>(Capture("third0").try_send_frame(frame));
        return peer2_->find(kNothing, [&frame](const Bytes& seen) { return seen == frame; })
            .has_value();
    }
    // Whether the node answers a question that everybody on the third device hears.
    bool is_answered(Bytes question) {
        std::fill_n(question.begin(), 6, std::uint8_t{0xff});
        peer2_->send_frame(question);
        return peer2_->find(kNothing, is_arp_reply).has_value();
    }
    bool carries(const std::string& name) {
        const auto found = carries_gateway(link_named(name), links(), config_);
        EXPECT_TRUE(found);
        return found.value_or(false);
    }
    static bool has_table() {
        return output_of("nft list tables").find(kBarredTable) != std::string::npos;
    }

    std::optional<Capture> peer2_;
    std::optional<BpfGate> gate_;
};

TEST_F(BarredDevicesTest, NothingOfAGatewayLeaves) {
    ASSERT_TRUE(bar_devices(config_, {link_named("third0")}));
    EXPECT_TRUE(leaves(Frame().ipv4("203.0.113.1", "203.0.113.51")));
    EXPECT_TRUE(leaves(Frame().ipv6("2001:db8::1", "2001:db8:3::51")));
    EXPECT_TRUE(leaves(Frame().arp("203.0.113.1", "192.0.2.100"))) << "it asks for itself";
    EXPECT_TRUE(leaves(Frame().nd(kAdvertisement, "fe80::1", "ff02::1", "2001:db8::1")));
    EXPECT_TRUE(leaves(Frame().nd(kSolicitation, "fe80::1", "ff02::1:ff00:100", "2001:db8::100")));
    EXPECT_FALSE(leaves(Frame().ipv4("192.0.2.100", "203.0.113.51")));
    EXPECT_FALSE(leaves(Frame().ipv4("10.64.0.1", "203.0.113.51"))) << "the PPP address";
    EXPECT_FALSE(leaves(Frame().ipv4("10.64.1.9", "203.0.113.51"))) << "of a pool";
    EXPECT_FALSE(leaves(Frame().arp("192.0.2.100", "203.0.113.51")));
    EXPECT_FALSE(leaves(Frame().ipv6("2001:db8::100", "2001:db8:3::51")));
    EXPECT_FALSE(leaves(Frame().ipv6("2001:db8:8:7::9", "2001:db8:3::51"))) << "of a pool";
    EXPECT_FALSE(leaves(Frame().nd(kAdvertisement, "fe80::1", "ff02::1", "2001:db8::100")));
    EXPECT_FALSE(leaves(Frame().nd(kAdvertisement, "fe80::1", "ff02::1", "2001:db8:8:7::9")));
    EXPECT_TRUE(leaves(Frame().nd(kAdvertisement, "fe80::1", "ff02::1", "2001:db8:8:8::9")));
    EXPECT_FALSE(leaves(Frame().nd(kSolicitation, "::", "ff02::1:ff00:100", "2001:db8::100")))
        << "duplicate address detection";
}

TEST_F(BarredDevicesTest, NothingComesToAGateway) {
    ASSERT_TRUE(ip_command("addr add 192.0.2.100/32 dev out0"));
    const auto ask_for = [this](const char* address) {
        return is_answered(Frame().arp("203.0.113.51", address));
    };
    EXPECT_TRUE(ask_for("192.0.2.100")) << "without what is tested";
    ASSERT_TRUE(bar_devices(config_, {link_named("third0")}));
    EXPECT_FALSE(ask_for("192.0.2.100"));
    EXPECT_TRUE(ask_for("203.0.113.1"));
    const auto dropped = [](const std::string& rule) {
        return output_of("nft list chain netdev vpnha_barred to_gateways | grep '" + rule +
                         ".*packets [1-9]'") != "";
    };
    EXPECT_FALSE(dropped("ip daddr"));
    peer2_->send_frame(Frame().ipv4("203.0.113.51", "192.0.2.100"));
    EXPECT_TRUE(dropped("ip daddr"));
    EXPECT_FALSE(dropped("ip6 daddr"));
    peer2_->send_frame(Frame().ipv6("2001:db8:3::51", "2001:db8::100"));
    EXPECT_TRUE(dropped("ip6 daddr"));
    EXPECT_FALSE(dropped("icmpv6"));
    peer2_->send_frame(Frame().nd(kSolicitation, "fe80::51", "ff02::1:ff00:100", "2001:db8::100"));
    EXPECT_TRUE(dropped("icmpv6"));
}

TEST_F(BarredDevicesTest, ADeviceThatCarriesNoGatewayIsNoReasonNotToServe) {
    const auto attached = attach();
    ASSERT_TRUE(attached) << attached.error().detail;
    ASSERT_TRUE(gate_->open_until(kId, kForever));
    EXPECT_FALSE(leaves(Frame().ipv4("192.0.2.100", "203.0.113.51"))) << "whoever serves";
    const auto found = gate_->look_at({link_named("third0")});
    ASSERT_TRUE(found);
    EXPECT_EQ(found->at(0).presence, GatePresence::attached) << "an ingress qdisc takes it";
    EXPECT_EQ(found->at(1).presence, GatePresence::barred);
    EXPECT_EQ(verdict_on_vip(), Verdict::passes) << "the gateway's own device has it";
}

// As a limit of the bandwidth that a device receives does it. What comes back from an ifb passes no
// hook of nftables any more.
TEST_F(BarredDevicesTest, WhatAFilterRedirectsHasPassedTheGate) {
    ASSERT_TRUE(ip_command("addr add 192.0.2.100/32 dev out0"));
    ASSERT_TRUE(ip_command("link add shaper0 type ifb"));
    ASSERT_TRUE(ip_command("link set shaper0 up"));
    ASSERT_EQ(output_of("tc filter add dev third0 parent ffff: protocol all u32 match u32 0 0 "
                        "action mirred egress redirect dev shaper0 2>&1"),
              "");
    ASSERT_TRUE(bar_devices(config_, {link_named("third0")}));
    const Bytes question = Frame().arp("203.0.113.51", "192.0.2.100");
    ASSERT_TRUE(attach());
    EXPECT_FALSE(is_answered(question));
    const auto counters = gate_->counters(kId);
    ASSERT_TRUE(counters);
    EXPECT_GE(counters->at(GateDirection::in, GateReason::standby, GateKind::arp), 1U);
}

TEST_F(BarredDevicesTest, OneThatCarriesAGatewayIsRefused) {
    struct Case {
        const char* what;
        std::vector<std::string> commands;
    };
    const std::vector<Case> cases{
        {"an address of a pool", {"addr add 10.64.1.1/28 dev third0"}},
        {"an address in the VIP's net", {"addr add 192.0.2.7/24 dev third0"}},
        {"a route to a part of a pool", {"route add 10.64.1.128/25 dev third0"}},
        {"the same in the gateway's table", {"route add 10.64.1.128/25 dev third0 table 700"}},
        {"a default route", {"route add default via 203.0.113.51"}},
        {"one way of several",
         {"route add default nexthop via 203.0.113.51 nexthop via 192.0.2.51"}},
        {"the outside device's macvlan",
         {"link del out0", "link add link third0 name out0 type macvlan", "link set out0 up"}},
        {"a macvlan with an address of a pool",
         {"link add link third0 name other0 type macvlan", "addr add 10.64.1.1/28 dev other0"}}};
    EXPECT_FALSE(carries("third0"));
    EXPECT_TRUE(ip_command("route add 10.64.1.128/25 dev third0 table 77"));
    EXPECT_FALSE(carries("third0")) << "a table that no gateway uses";
    for (const Case& test : cases) {
        TearDown();
        SetUp();
        for (const std::string& command : test.commands) {
            ASSERT_TRUE(ip_command(command)) << command;
        }
        EXPECT_TRUE(carries("third0")) << test.what;
        const auto attached = attach();
        ASSERT_FALSE(attached) << test.what;
        EXPECT_THAT(attached.error().detail, HasSubstr("tc qdisc del dev third0 ingress"));
        EXPECT_FALSE(has_table()) << "nothing of a gateway is dropped there: " << test.what;
    }
}

TEST_F(BarredDevicesTest, WhatTakesTheGateIsBarredNoMore) {
    ASSERT_TRUE(attach());
    EXPECT_TRUE(has_table());
    output_of("tc qdisc del dev third0 ingress && tc qdisc add dev third0 clsact");
    ASSERT_TRUE(attach());
    EXPECT_FALSE(has_table());
    ASSERT_TRUE(gate_->open_until(kId, kForever));
    EXPECT_TRUE(leaves(Frame().ipv4("192.0.2.100", "203.0.113.51")));
}

TEST_F(BarredDevicesTest, OfASilentGatewayItIsBarredToo) {
    const auto silent = silence(config_, gateway(), hook_);
    ASSERT_TRUE(silent) << silent.error().detail;
    EXPECT_FALSE(leaves(Frame().ipv4("192.0.2.100", "203.0.113.51")));
    EXPECT_EQ(verdict(GateDirection::in, Frame().arp("203.0.113.51", "192.0.2.100"), "third0"),
              Verdict::dropped);
}

// The block of an ingress qdisc answers for outgoing packets, too.
TEST_F(BarredDevicesTest, FiltersOfIncomingPacketsAreNotTakenForTheGateOfOutgoingOnes) {
    ASSERT_TRUE(attach());
    EXPECT_EQ(chain_of("third0", GateDirection::in).size(), 1U);
    EXPECT_THAT(chain_of("third0", GateDirection::out), IsEmpty());
    ASSERT_TRUE(gate_->leave(link_named("third0")));
    EXPECT_THAT(chain_of("third0", GateDirection::in), IsEmpty());
}

TEST_F(BarredDevicesTest, ADeviceThatIsGoneFailsNobody) {
    Link gone = link_named("third0");
    ASSERT_TRUE(ip_command("link del third0"));
    EXPECT_TRUE(bar_devices(config_, {gone}));
    const BarredDevices outcome = bar_refused(config_, {{gone, {Errc::system, "why"}}}, links());
    EXPECT_TRUE(outcome.worst());
    EXPECT_THAT(*barred_devices(), IsEmpty());
}

TEST_F(BarredDevicesTest, ANameThatNftablesDoesNotTakeIsAnError) {
    EXPECT_EQ(bar_devices(config_, {device(7, "a\";flush")}).error().code, Errc::unsupported);
}

TEST_F(BarredDevicesTest, WhatStandsInTheWayIsSeenBeforehand) {
    ASSERT_TRUE(ip_command("link add bridge0 type bridge"));
    for (const char* name : {"port0", "fine0"}) {
        ASSERT_TRUE(
            ip_command(std::string("link add ") + name + " type veth peer name far-" + name));
    }
    ASSERT_TRUE(ip_command("link set port0 master bridge0"));
    output_of(
        "tc qdisc add dev port0 ingress; tc qdisc add dev out0 ingress;"
        "tc qdisc add dev fine0 clsact; tc qdisc add dev in0 clsact;"
        "tc filter add dev in0 egress prio 1 protocol all u32 match u32 0 0 flowid 1:1;"
        "tc qdisc add dev lo ingress");
    const auto found = gate_hindrances(config_, links(), hook_);
    ASSERT_TRUE(found);
    std::vector<std::string> lines;
    for (const GateHindrance& each : *found) {
        lines.push_back(each.link.name + (each.link.is_port ? " port" : "") +
                        (each.carries_gateway ? " carries" : ""));
        EXPECT_THAT(each.reason, HasSubstr("dev " + each.link.name));
    }
    EXPECT_THAT(lines, UnorderedElementsAre("third0", "port0 port", "out0 carries", "in0 carries"));
    const auto refused = attach();
    ASSERT_FALSE(refused) << "as was seen";
    EXPECT_THAT(*gate_hindrances(config_, links(), GateHook::tcx), IsEmpty());
}

}  // namespace barred_devices_test
}  // namespace vpnha::adapters

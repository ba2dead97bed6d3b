// SPDX-License-Identifier: GPL-2.0-or-later
// Where the gate stands: on which devices, and before whom.
#include <fmt/format.h>
#include <linux/if_arp.h>

#include <algorithm>
#include <fstream>
#include <set>

#include "unit/host/gate/gate_host.hpp"

namespace vpnha::adapters {
namespace gate_place_test {

using testing::Capture;
using testing::Frame;
using testing::ip_command;
using testing::output_of;
using namespace std::chrono_literals;

constexpr const char* kAttached =
    "out0 in attached, out0 out attached, in0 in attached, in0 out attached";

class GatePlaceTest : public HookedGateHost {
  protected:
    // A gate by its name, that knows none of its maps.
    void attach_another_version() { put_before("out0", GateDirection::out, "vpnha_gate_out"); }
    Result<void> attached_outcome() {
        return BpfGate::create(config_, hook_).and_then([](BpfGate gate) {
            return gate.attach(kId);
        });
    }
    // "out0 in attached, …"; of the test's own devices.
    static std::string presence(const BpfGate& gate) {
        static constexpr const char* kNames[] = {"attached", "behind", "missing",
                                                 "foreign",  "barred", "no device"};
        std::string text;
        const auto devices = gate.devices();
        EXPECT_TRUE(devices) << devices.error().detail;
        for (const GateDevice& device : *devices) {
            if (device.interface.ends_with("t0") || device.interface == "in0") {
                text += fmt::format("{}{} {} {}", text.empty() ? "" : ", ", device.interface,
                                    device.direction == GateDirection::in ? "in" : "out",
                                    kNames[static_cast<std::size_t>(device.presence)]);
            }
        }
        return text;
    }
    // One more cable to the peer.
    void plug_third() {
        ASSERT_TRUE(ip_command("link add third0 type veth peer name peer2 netns " + peer_.path()));
        ASSERT_TRUE(ip_command("link set third0 up"));
        in_peer([] {
            EXPECT_TRUE(ip_command("addr add 203.0.113.51/24 dev peer2"));
            EXPECT_TRUE(ip_command("link set peer2 up"));
        });
        // A route back, so that no filter of sources answers in the place of the gate.
        ASSERT_TRUE(ip_command("addr add 203.0.113.1/24 dev third0"));
    }
    [[nodiscard]] std::vector<std::string> before_gate(const BpfGate& gate) const {
        std::vector<std::string> names;
        for (const GateDevice& device : gate.devices().value_or(std::vector<GateDevice>{})) {
            names.insert(names.end(), device.before.begin(), device.before.end());
        }
        return names;
    }
    static Link link_named(const std::string& name) {
        Link found;
        const auto listed = RouteNetlink::open().and_then([&](RouteNetlink route) {
            return route.for_each_link([&](const Link& link) {
                if (link.name == name) {
                    found = link;
                }
            });
        });
        EXPECT_TRUE(listed);
        return found;
    }
};

bool is_echo_reply(const Bytes& frame) {
    return frame.size() > 34 && frame[12] == 0x08 && frame[13] == 0x00 && frame[23] == 1 &&
           frame[34] == 0;
}

Bytes to_everybody(Bytes frame) {
    std::fill_n(frame.begin(), 6, std::uint8_t{0xff});
    return frame;
}

// The kernel answers for any of the node's addresses, on any device.
TEST_P(GatePlaceTest, NoThirdDeviceAnswersForTheGateway) {
    plug_third();
    BpfGate gate = attached();
    ASSERT_TRUE(ip_command("addr add 192.0.2.100/32 dev out0"));
    // As the PPP links of hot sessions have it, on every standby.
    ASSERT_TRUE(ip_command("addr add 10.64.0.1/32 dev lo"));
    std::optional<Capture> peer;
    in_peer([&] { peer.emplace("peer2"); });
    for (const char* rp_filter : {"0", "2"}) {
        for (const char* which : {"all", "third0"}) {
            std::ofstream(std::string("/proc/sys/net/ipv4/conf/") + which + "/rp_filter")
                << rp_filter;
        }
        for (const char* address : {"192.0.2.100", "10.64.0.1"}) {
            const Bytes question = to_everybody(Frame().arp("203.0.113.51", address));
            ASSERT_TRUE(gate.shut(kId));
            peer->send_frame(question);
            EXPECT_EQ(peer->find(kNothing, is_arp_reply), std::nullopt) << address << rp_filter;
            ASSERT_TRUE(gate.open_until(kId, kForever));
            peer->send_frame(question);
            EXPECT_NE(peer->find(kSoon, is_arp_reply), std::nullopt) << address << rp_filter;
        }
    }
}

TEST_P(GatePlaceTest, NoPingIsAnsweredByAThirdDevice) {
    plug_third();
    BpfGate gate = attached();
    ASSERT_TRUE(ip_command("addr add 192.0.2.100/32 dev out0"));
    std::optional<Capture> peer;
    // Who has heard the node's hardware address from elsewhere need not ask.
    const std::string links = output_of("ip -o link show third0");
    const std::string mac = links.substr(links.find("link/ether ") + 11, 17);
    in_peer([&] {
        peer.emplace("peer2");
        ASSERT_TRUE(ip_command("route add 192.0.2.100/32 dev peer2"));
        ASSERT_TRUE(ip_command("neigh replace 192.0.2.100 lladdr " + mac + " dev peer2"));
    });
    const auto ping = [this](const std::string& patience) {
        in_peer([&patience] { output_of("ping -n -c 1 -W " + patience + " 192.0.2.100"); });
    };
    ping("0.2");
    EXPECT_EQ(peer->find(kNothing, is_echo_reply), std::nullopt);
    ASSERT_TRUE(gate.open_until(kId, kForever));
    ping("1");
    EXPECT_NE(peer->find(kSoon, is_echo_reply), std::nullopt);
}

TEST_P(GatePlaceTest, SilencePutsAGateOnEveryDevice) {
    plug_third();
    const auto outcome = silenced(gateway());
    ASSERT_TRUE(outcome) << outcome.error().detail;
    EXPECT_EQ(verdict(GateDirection::in, Frame().arp("203.0.113.51", "192.0.2.100"), "third0"),
              Verdict::dropped);
    EXPECT_EQ(verdict(GateDirection::out, Frame().ipv4("192.0.2.100", "203.0.113.51"), "third0"),
              Verdict::dropped);
}

TEST_P(GatePlaceTest, SilenceIsOneGateOnAllDevices) {
    plug_third();
    ASSERT_TRUE(silenced(gateway()));
    std::set<std::uint32_t> programs;
    for (const char* device : {"out0", "in0", "third0"}) {
        for (const LinkFilter& entry : chain_of(device, GateDirection::in)) {
            programs.insert(entry.program);
        }
    }
    EXPECT_EQ(programs.size(), 1U);
    ASSERT_TRUE(silenced(gateway()));
    EXPECT_EQ(chain_of("third0", GateDirection::in).size(), 1U) << "it stands there already";
}

TEST_P(GatePlaceTest, StandsBeforeEveryOtherProgram) {
    BpfGate gate = attached();
    // Twice: the second time the gate that stands there is the copy of the first.
    for (int i = 0; i < 2; ++i) {
        put_before("out0", GateDirection::in);
        put_before("out0", GateDirection::out);
        EXPECT_EQ(presence(gate),
                  "out0 in behind, out0 out behind, in0 in attached, in0 out attached");
        ASSERT_EQ(before_gate(gate).size(), 2U);
        EXPECT_EQ(before_gate(gate)[0].rfind("another (program ", 0), 0U) << before_gate(gate)[0];
        ASSERT_TRUE(gate.stand_on(link_named("out0")));
        EXPECT_EQ(presence(gate), kAttached);
        EXPECT_TRUE(before_gate(gate).empty());
    }
    std::size_t gates = 0;
    for (const LinkFilter& entry : chain_of("out0", GateDirection::out)) {
        gates += *AttachedGate::open(entry.program) ? 1U : 0U;
    }
    EXPECT_EQ(gates, 1U) << "none is left further back";
    ASSERT_TRUE(gate.open_until(kId, kForever));
    EXPECT_EQ(verdict_on_vip(), Verdict::passes) << "the copy has the same maps";
}

TEST_P(GatePlaceTest, WhatStandsBeforeAShutGateLetsPassWhatItWouldDrop) {
    BpfGate gate = attached();
    ASSERT_TRUE(ip_command("addr add 192.0.2.100/32 dev out0"));
    std::optional<Capture> peer;
    in_peer([&] { peer.emplace("peer0"); });
    const Bytes question = to_everybody(Frame().arp("192.0.2.51", "192.0.2.100"));
    put_before("out0", GateDirection::in);
    put_before("out0", GateDirection::out);
    peer->send_frame(question);
    EXPECT_NE(peer->find(kSoon, is_arp_reply), std::nullopt) << "so it has to be first";
    ASSERT_TRUE(gate.stand_on(link_named("out0")));
    peer->send_frame(question);
    EXPECT_EQ(peer->find(kNothing, is_arp_reply), std::nullopt);
}

TEST_P(GatePlaceTest, SilencePutsAShutGateBeforeWhatStandsBeforeAnEarlierOne) {
    BpfGate earlier = attached();
    ASSERT_TRUE(earlier.open_until(kId, kForever));
    put_before("out0", GateDirection::out);
    ASSERT_TRUE(silenced(gateway()));
    EXPECT_EQ(presence(earlier),
              "out0 in attached, out0 out foreign, in0 in attached, in0 out attached");
    EXPECT_EQ(verdict_on_vip(), Verdict::dropped);
    EXPECT_EQ(deadline_of(earlier), std::optional<TimePoint>());
}

TEST_P(GatePlaceTest, ADeviceThatBecomesAPortHasNoGateAnyMore) {
    plug_third();
    BpfGate gate = attached();
    ASSERT_TRUE(ip_command("link add bridge0 type bridge"));
    ASSERT_TRUE(ip_command("link set third0 master bridge0"));
    const Link port = link_named("third0");
    EXPECT_FALSE(needs_gate(port, config_));
    put_before("third0", GateDirection::in);
    ASSERT_TRUE(gate.leave(port));
    EXPECT_EQ(chain_of("third0", GateDirection::in).size(), 1U) << "not the other one's";
    EXPECT_TRUE(chain_of("third0", GateDirection::out).empty());
    ASSERT_TRUE(gate.attach(kId));
    EXPECT_EQ(verdict(GateDirection::out, Frame().ipv4("192.0.2.100", "192.0.2.51"), "bridge0"),
              Verdict::dropped)
        << "the bridge receives in its place";
}

TEST_P(GatePlaceTest, DevicesByWhichTheNodeIsSpokenToNeedIt) {
    ASSERT_TRUE(ip_command("link add bridge0 type bridge"));
    ASSERT_TRUE(ip_command("link add shaper0 type ifb"));
    ASSERT_TRUE(ip_command("link add third0 type veth peer name far0"));
    ASSERT_TRUE(ip_command("link set far0 master bridge0"));
    ASSERT_TRUE(ip_command("link add link out0 name upper0 type macvlan"));
    const struct {
        const char* name;
        bool needs;
    } cases[] = {{"lo", false},  {"bridge0", true}, {"far0", false},   {"third0", true},
                 {"out0", true}, {"upper0", true},  {"shaper0", false}};
    for (const auto& test : cases) {
        EXPECT_EQ(needs_gate(link_named(test.name), config_), test.needs) << test.name;
    }
    Link unit;
    unit.name = "ppp7";
    unit.hardware = ARPHRD_PPP;
    EXPECT_FALSE(needs_gate(unit, config_)) << "a session's";
    config_.gateways[0].outside.interface = "ppp7";
    EXPECT_TRUE(needs_gate(unit, config_)) << "the gateway's own";
    Link call;
    call.name = "vpnp-3";
    call.kind = "tun";
    EXPECT_FALSE(needs_gate(call, config_)) << "a resumed PPTP call's";
    call.name = "tun3";
    EXPECT_TRUE(needs_gate(call, config_)) << "somebody else's";
    call.name = "vpnp-3";
    call.kind = "veth";
    EXPECT_TRUE(needs_gate(call, config_)) << "only its name";
    call.name = "vpnh-1";
    EXPECT_FALSE(needs_gate(call, config_)) << "what holds packets";
    call.kind = "dummy";
    EXPECT_TRUE(needs_gate(call, config_)) << "only its name";
}

TEST_P(GatePlaceTest, SecondGatewayChangesNothingOnTheDevices) {
    config_.gateways.push_back(gateway());
    config_.gateways[1].id = GatewayId{8};
    BpfGate gate = attached();
    const auto before = chain_of("out0", GateDirection::in);
    ASSERT_TRUE(gate.attach(GatewayId{8}));
    const auto after = chain_of("out0", GateDirection::in);
    ASSERT_EQ(after.size(), 1U);
    EXPECT_EQ(after[0].program, before[0].program);
    EXPECT_EQ(after[0].handle, before[0].handle);
}

TEST_P(GatePlaceTest, ReattachesToTheDevicesThatAreThere) {
    BpfGate gate = attached();
    ASSERT_TRUE(ip_command("link delete out0"));
    take_all_off("in0");
    EXPECT_EQ(gate.attach(kId).error().code, Errc::not_found);
    EXPECT_EQ(presence(gate),
              "in0 in attached, in0 out attached, out0 in no device, out0 out no device");
}

TEST_P(GatePlaceTest, ReportsWhereItStandsAsTheKernelKnows) {
    const BpfGate gate = attached();
    EXPECT_EQ(presence(gate), kAttached);
    ASSERT_TRUE(ip_command("link delete in0"));
    take_all_off("out0");
    attach_another_version();
    EXPECT_EQ(presence(gate),
              "out0 in missing, out0 out foreign, in0 in no device, in0 out no device");
    ASSERT_TRUE(ip_command("link delete out0"));
    plug_outside();
    EXPECT_EQ(presence(gate),
              "out0 in missing, out0 out missing, in0 in no device, in0 out no device");
    config_.gateways[0].inside.interface = "out0";
    const BpfGate later = attached();
    config_.gateways[0] = gateway();
    EXPECT_EQ(presence(gate),
              "out0 in foreign, out0 out foreign, in0 in no device, in0 out no device");
}

TEST_P(GatePlaceTest, ListsOneDeviceOnce) {
    config_.gateways[0].inside.interface = "out0";
    ASSERT_TRUE(ip_command("link delete in0"));
    EXPECT_EQ(presence(attached()), "out0 in attached, out0 out attached");
}

TEST_P(GatePlaceTest, TakesThePlaceOfAnotherVersion) {
    for (const bool silences : {true, false}) {
        take_all_off("out0");
        attach_another_version();
        EXPECT_EQ(verdict_on_vip(), Verdict::no_gate);
        const auto taken = silences ? silenced(gateway()) : attached_outcome();
        ASSERT_TRUE(taken) << taken.error().detail;
        EXPECT_EQ(verdict_on_vip(), Verdict::dropped) << silences;
        EXPECT_EQ(chain_of("out0", GateDirection::out).size(), 1U);
    }
}

INSTANTIATE_TEST_SUITE_P(Hooks, GatePlaceTest, ::testing::ValuesIn(hooks_of_kernel()),
                         name_of_hook);

class ClsactGateTest : public GateHost {
  protected:
    ClsactGateTest() { hook_ = GateHook::clsact; }
};

// It has one block of filters, in which the program of one direction would replace the other's.
TEST_F(ClsactGateTest, RefusesADeviceThatHasAnIngressQdisc) {
    output_of("tc qdisc add dev out0 ingress");
    const auto attached_there = [this] {
        return BpfGate::create(config_, hook_).and_then([](BpfGate gate) {
            return gate.attach(kId);
        });
    };
    for (const auto& refused : {attached_there(), silence(config_, gateway(), hook_)}) {
        ASSERT_FALSE(refused) << "nothing would hold back what goes out";
        EXPECT_EQ(refused.error().code, Errc::unsupported);
        EXPECT_NE(refused.error().detail.find("tc qdisc del dev out0 ingress"), std::string::npos)
            << refused.error().detail;
    }
    EXPECT_EQ(verdict(GateDirection::in, Frame().ipv4("192.0.2.51", "192.0.2.100")),
              Verdict::dropped)
        << "that qdisc takes half of it";
    EXPECT_EQ(verdict_on_vip(), Verdict::no_gate);
    output_of("tc qdisc del dev out0 ingress && tc qdisc add dev out0 clsact");
    EXPECT_TRUE(attached_there());
}

}  // namespace gate_place_test
}  // namespace vpnha::adapters

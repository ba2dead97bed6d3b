// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/views/gate_view.hpp"

#include "unit/host/gate/gate_host.hpp"

namespace vpnha::runtime {
namespace gate_view_test {

using adapters::BpfGate;
using adapters::Verdict;
using nlohmann::json;
using ports::GateDirection;
using testing::Frame;
using namespace std::chrono_literals;

class GateViewTest : public adapters::GateHost {
  protected:
    json whole_view(const BpfGate& gate, TimePoint now) {
        const auto all = gate_view(config_, gate, now);
        EXPECT_TRUE(all) << all.error().detail;
        return all.value_or(json::object());
    }
    json view(const BpfGate& gate, TimePoint now) {
        return whole_view(gate, now).at("gateways").at(0);
    }
    // Of the test's own devices; the kernel may have others.
    json devices(const BpfGate& gate) {
        json own = json::array();
        const json whole = whole_view(gate, {});
        for (const json& device : whole.at("devices")) {
            if (device["interface"] == "out0" || device["interface"] == "in0") {
                own.push_back(device);
            }
        }
        return own;
    }
    // A device without other programs.
    static json device(const std::string& interface, const std::string& presence) {
        return {{"interface", interface},
                {"in", presence},
                {"out", presence},
                {"before", {{"in", json::array()}, {"out", json::array()}}}};
    }
};

TEST_F(GateViewTest, ShowsAStandbysGate) {
    const BpfGate gate = attached();
    EXPECT_EQ(verdict_on_vip(), Verdict::dropped);
    EXPECT_EQ(verdict(GateDirection::in, Frame().arp("192.0.2.51", "192.0.2.100")),
              Verdict::dropped);
    EXPECT_EQ(view(gate, adapters::boot_time()), json::parse(R"({
        "name": "vpn", "id": 7, "state": "shut", "left_ms": null,
        "covered": ["10.64.0.1/32", "10.64.1.0/24", "192.0.2.100/32", "198.51.100.100/32"],
        "drops": {"in": {"standby": {"ip": 0, "arp": 1, "nd": 0},
                         "expired": {"ip": 0, "arp": 0, "nd": 0},
                         "ending": {"ip": 0, "arp": 0, "nd": 0},
                         "cleartext": {"ip": 0, "arp": 0, "nd": 0},
                         "held": {"ip": 0, "arp": 0, "nd": 0},
                         "drained": {"ip": 0, "arp": 0, "nd": 0}},
                  "out": {"standby": {"ip": 1, "arp": 0, "nd": 0},
                          "expired": {"ip": 0, "arp": 0, "nd": 0},
                          "ending": {"ip": 0, "arp": 0, "nd": 0},
                          "cleartext": {"ip": 0, "arp": 0, "nd": 0},
                          "held": {"ip": 0, "arp": 0, "nd": 0},
                          "drained": {"ip": 0, "arp": 0, "nd": 0}}},
        "moved": {"sent_on": 0, "held": 0, "looped": 0}})"));
}

TEST_F(GateViewTest, ReportsForHowLongItIsOpenOrSinceWhenExpired) {
    BpfGate gate = attached();
    const TimePoint deadline = adapters::boot_time() + 300ms;
    ASSERT_TRUE(gate.open_until(kId, deadline));
    EXPECT_EQ(view(gate, deadline - 271ms)["state"], "open");
    EXPECT_EQ(view(gate, deadline - 271ms)["left_ms"], 271);
    EXPECT_EQ(view(gate, deadline)["state"], "expired");
    EXPECT_EQ(view(gate, deadline + 1200ms)["left_ms"], -1200);
}

TEST_F(GateViewTest, ReportsWhereTheGateIsNot) {
    const BpfGate gate = attached();
    EXPECT_EQ(devices(gate), json::array({device("out0", "attached"), device("in0", "attached")}));
    ASSERT_TRUE(testing::ip_command("link delete in0"));
    ASSERT_TRUE(testing::ip_command("link delete out0"));
    plug_outside();
    EXPECT_EQ(devices(gate), json::array({device("out0", "missing"), device("in0", "no_device")}));
    config_.gateways[0].inside.interface = "out0";
    const BpfGate later = attached();
    EXPECT_EQ(devices(gate), json::array({device("out0", "foreign")}));
}

TEST_F(GateViewTest, ReportsWhatRunsBeforeTheGate) {
    const BpfGate gate = attached();
    put_before("out0", GateDirection::out);
    const json out0 = devices(gate).at(0);
    EXPECT_EQ(out0["in"], "attached");
    EXPECT_EQ(out0["out"], "behind");
    EXPECT_EQ(out0["before"]["in"], json::array());
    ASSERT_EQ(out0["before"]["out"].size(), 1U);
    EXPECT_EQ(out0["before"]["out"][0].get<std::string>().rfind("another (program ", 0), 0U);
}

TEST_F(GateViewTest, AddsUpTheKindsForTheStatus) {
    ports::GateCounters drops;
    drops.at(GateDirection::in, ports::GateReason::standby, ports::GateKind::arp) = 2;
    drops.at(GateDirection::in, ports::GateReason::standby, ports::GateKind::nd) = 3;
    drops.at(GateDirection::out, ports::GateReason::ending, ports::GateKind::ip) = 4;
    EXPECT_EQ(drops_by_reason(drops), json::parse(R"({
        "in": {"standby": 5, "expired": 0, "ending": 0, "cleartext": 0, "held": 0, "drained": 0},
        "out": {"standby": 0, "expired": 0, "ending": 4, "cleartext": 0, "held": 0, "drained": 0}
        })"));
}

}  // namespace gate_view_test
}  // namespace vpnha::runtime

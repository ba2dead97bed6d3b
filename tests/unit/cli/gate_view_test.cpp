// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/gate_view.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/cli/sample.hpp"

namespace vpnha::cli {
namespace gate_view_test {

using nlohmann::json;
using testing::HasSubstr;

TEST(GateViewTest, ShowsWhatItCoversWhereItStandsAndWhatItDropped) {
    EXPECT_EQ(render_gate(sample_gate(), false),
              "GATEWAY  GATE             COVERS\n"
              "dialin   open for 271 ms  192.0.2.100/32, 2001:db8::100/128\n"
              "other    shut             192.0.2.101/32\n"
              "\n"
              "DEVICE  IN        OUT\n"
              "eth1    attached  attached\n"
              "eth2    attached  attached\n"
              "\n"
              "GATEWAY  IN PLANNED MOVES            IP\n"
              "dialin   sent on to the new node     12\n"
              "other    held until the gate opened  12\n"
              "\n"
              "GATEWAY  DIRECTION  DROPPED BECAUSE             IP  ARP  ND\n"
              "dialin   in         the lease ran out           5   0    0\n"
              "dialin   out        would end a TCP connection  2   0    0\n"
              "other    in         not promoted here           12  3    1\n");
}

TEST(GateViewTest, ReportsSinceWhenTheLeaseIsOver) {
    json gate = sample_gate();
    gate["gateways"][0]["state"] = "expired";
    gate["gateways"][0]["left_ms"] = -1200;
    EXPECT_THAT(render_gate(gate, false), HasSubstr("dialin   expired 1200 ms ago  192.0.2.100"));
}

TEST(GateViewTest, AGateThatDroppedNothingReportsSo) {
    json gate = sample_gate();
    gate["gateways"].erase(1);
    gate["gateways"][0]["moved"]["sent_on"] = 0;
    gate["gateways"][0]["drops"]["in"]["expired"]["ip"] = 0;
    gate["gateways"][0]["drops"]["out"]["ending"]["ip"] = 0;
    EXPECT_THAT(render_gate(gate, false), HasSubstr("attached\n\nNothing was dropped.\n"));
}

TEST(GateViewTest, ReportsWhatRunsBeforeTheGate) {
    json gate = sample_gate();
    gate["devices"][1]["out"] = "behind";
    gate["devices"][1]["before"]["out"] = {"cil_to_netdev (program 42)", "other (program 43)"};
    EXPECT_THAT(render_gate(gate, false),
                HasSubstr("eth2    attached  behind\n"
                          "\n"
                          "DEVICE  DIRECTION  RUNS BEFORE THE GATE\n"
                          "eth2    out        cil_to_netdev (program 42), other (program 43)\n"));
}

TEST(GateViewTest, IsWholeUnlessADeviceLetsThingsPass) {
    json gate = sample_gate();
    EXPECT_TRUE(is_gate_whole(gate));
    gate["devices"][1]["in"] = "no_device";
    EXPECT_TRUE(is_gate_whole(gate)) << "nothing passes there";
    EXPECT_THAT(render_gate(gate, false), HasSubstr("eth2    no such device  attached"));
    gate["devices"][1]["in"] = "attached";
    gate["devices"][1]["out"] = "barred";
    EXPECT_TRUE(is_gate_whole(gate)) << "nothing of a gateway passes";
    EXPECT_THAT(render_gate(gate, false), HasSubstr("eth2    attached  barred"));
    for (const char* amiss : {"missing", "foreign", "behind"}) {
        gate["devices"][1]["out"] = amiss;
        EXPECT_FALSE(is_gate_whole(gate)) << amiss;
        EXPECT_THAT(render_gate(gate, false), HasSubstr(amiss));
    }
}

}  // namespace gate_view_test
}  // namespace vpnha::cli

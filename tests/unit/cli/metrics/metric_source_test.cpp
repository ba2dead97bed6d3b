// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/metrics/metric_source.hpp"

#include <gtest/gtest.h>

#include "unit/cli/sample.hpp"

namespace vpnha::cli {
namespace metric_source_test {

using nlohmann::json;

// "gateway=dialin,role=promoted 1; …".
std::string text_of(const std::vector<Sample>& samples) {
    std::string text;
    for (const Sample& sample : samples) {
        text += text.empty() ? "" : "; ";
        for (const auto& [label, value] : sample.labels) {
            text += label + "=" + value + (label == sample.labels.back().first ? " " : ",");
        }
        text += json(sample.value).dump();
    }
    return text;
}

std::string text_of(const MetricSource& source) {
    return text_of(source.samples({sample_status(), sample_gate()}));
}

TEST(MetricSourceTest, ReadsNumbersFlagsAndLengths) {
    EXPECT_EQ(text_of(of_node("/quorate")), "1.0");
    EXPECT_EQ(text_of(of_node("/members")), "3.0");
    EXPECT_EQ(text_of(of_gateways("/records/memory_bytes")), "gateway=dialin 768.0");
    EXPECT_EQ(text_of(seconds_of_gateways("/lease/left_ms")), "gateway=dialin 0.271");
    EXPECT_EQ(text_of(epoch_of_gateways("/epoch")), "gateway=dialin 3.0");
}

TEST(MetricSourceTest, OneOfTheStatesIsTrue) {
    EXPECT_EQ(text_of(states_of_gateways({"role", "/role", {"promoted", "draining"}})),
              "gateway=dialin,role=promoted 1.0; gateway=dialin,role=draining 0.0");
}

TEST(MetricSourceTest, EachSessionCountsOnce) {
    EXPECT_EQ(text_of(session_states()),
              "gateway=dialin,proto=l2tp,state=protected 1.0; "
              "gateway=dialin,proto=l2tp,state=resumed 1.0; "
              "gateway=dialin,proto=l2tp,state=unprotected 0.0; "
              "gateway=dialin,proto=l2tp,state=hot 0.0; "
              "gateway=dialin,proto=l2tp,state=quarantined 0.0");
}

TEST(MetricSourceTest, ADeviceThatIsNotThereLetsNothingPass) {
    json gate = sample_gate();
    gate["devices"][0]["in"] = "missing";
    gate["devices"][0]["out"] = "behind";
    gate["devices"][1]["out"] = "no_device";
    EXPECT_EQ(text_of(gate_devices().samples({json::object(), gate})),
              "interface=eth1,direction=in 0.0; "
              "interface=eth1,direction=out 0.0; "
              "interface=eth2,direction=in 1.0");
}

TEST(MetricSourceTest, ABarredDeviceHasASeriesOfItsOwn) {
    json gate = sample_gate();
    gate["devices"][0]["out"] = "barred";
    gate["devices"][1]["out"] = "no_device";
    EXPECT_EQ(text_of(gate_barred().samples({json::object(), gate})), "interface=eth1 1.0");
    EXPECT_EQ(text_of(gate_devices().samples({json::object(), gate})),
              "interface=eth1,direction=in 1.0; interface=eth2,direction=in 1.0");
}

TEST(MetricSourceTest, ShutGatesHaveNoDeadline) {
    EXPECT_EQ(text_of(gate_seconds()), "gateway=dialin 0.271");
}

TEST(MetricSourceTest, WhatIsNotReportedHasNoSample) {
    json status = sample_status();
    json& gateway = status["gateways"][0];
    gateway["score"] = nullptr;
    gateway["epoch"] = "none";
    gateway["sessions"].erase("hot");
    gateway.erase("role");
    EXPECT_EQ(text_of(of_gateways("/score").samples({status, {}})), "");
    EXPECT_EQ(text_of(epoch_of_gateways("/epoch").samples({status, {}})), "");
    EXPECT_EQ(session_states().samples({status, {}}).size(), 4U);
    EXPECT_EQ(text_of(states_of_gateways({"role", "/role", {"promoted"}}).samples({status, {}})),
              "");
    EXPECT_EQ(text_of(gate_drops().samples({status, {}})), "");
    gateway.erase("name");
    EXPECT_EQ(text_of(of_gateways("/standbys").samples({status, {}})), "");
}

TEST(MetricSourceTest, NobodyPromotedIsZero) {
    json status = sample_status();
    EXPECT_EQ(text_of(promoted_known().samples({status, {}})), "gateway=dialin 1.0");
    status["gateways"][0]["promoted_node"] = nullptr;
    EXPECT_EQ(text_of(promoted_known().samples({status, {}})), "gateway=dialin 0.0");
}

TEST(MetricSourceTest, CountsMembersAndDifferencesByWhatTheyAre) {
    json status = sample_status();
    status["members"][1]["compatible"] = false;
    status["differences"] = json::parse(R"([{"weight": "session"}, {"weight": "session"}])");
    EXPECT_EQ(text_of(incompatible_members().samples({status, {}})), "1.0");
    EXPECT_EQ(text_of(differences().samples({status, {}})), "weight=session 2.0; weight=note 0.0");
}

TEST(MetricSourceTest, NamesItsMembersAndLabels) {
    const MetricSource source = split_of_gateways({"reason", {{"bad", "/counters/x"}}});
    EXPECT_EQ(source.labels, "gateway, reason");
    EXPECT_EQ(source.members, "`status`, `gateways[]`: `counters.x`");
    EXPECT_EQ(of_gateways("/records/count").members, "`status`: `gateways[].records.count`");
}

}  // namespace metric_source_test
}  // namespace vpnha::cli

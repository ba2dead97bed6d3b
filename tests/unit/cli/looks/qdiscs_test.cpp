// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/looks/qdiscs.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace vpnha::cli::looks {
namespace qdiscs_test {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

// As iproute2 6.1 prints it.
json qdisc(const char* kind, const char* device, std::uint64_t packets, std::uint64_t drops) {
    return {{"kind", kind},    {"handle", "0:"},     {"dev", device},
            {"root", true},    {"refcnt", 2},        {"options", json::object()},
            {"bytes", 64},     {"packets", packets}, {"drops", drops},
            {"overlimits", 0}, {"requeues", 0},      {"backlog", 0},
            {"qlen", 0}};
}

std::vector<std::string> found(const json& listed) {
    return find_in_qdiscs(listed.dump(), {"outside", "inside"}).value();
}

TEST(QdiscsTest, QueuesThatPassEverythingAreWell) {
    EXPECT_THAT(found({qdisc("noqueue", "lo", 0, 0), qdisc("fq_codel", "outside", 1'000'000, 999),
                       qdisc("pfifo_fast", "inside", 10, 99)}),
                IsEmpty());
}

TEST(QdiscsTest, OneThatDropsIsNamed) {
    EXPECT_THAT(found(json::array({qdisc("tbf", "inside", 99'900, 100)})),
                ElementsAre(StartsWith("the tbf of inside has dropped 100 packets, and passed "
                                       "99900: ")));
    EXPECT_THAT(found(json::array({qdisc("tbf", "elsewhere", 0, 5000)})), IsEmpty());
}

TEST(QdiscsTest, WhatTheGateDropsIsNone) {
    EXPECT_THAT(found({qdisc("clsact", "outside", 0, 5000), qdisc("ingress", "inside", 0, 5000)}),
                IsEmpty());
}

TEST(QdiscsTest, ATestsNetemIsToBeRemoved) {
    EXPECT_THAT(found(json::array({qdisc("netem", "outside", 0, 0)})),
                ElementsAre(AllOf(HasSubstr("outside has a netem"),
                                  HasSubstr("`tc qdisc del dev outside root`"))));
}

TEST(QdiscsTest, AnotherTextIsNoList) {
    EXPECT_EQ(find_in_qdiscs("Object \"qdisc\" is unknown", {}).error().code, Errc::malformed);
}

}  // namespace qdiscs_test
}  // namespace vpnha::cli::looks

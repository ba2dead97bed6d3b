// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/looks/planes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "support/temporary_path.hpp"

namespace vpnha::cli::looks {
namespace planes_test {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

// Two processors that have had 1 000 ticks each, and programs that have had some.
PlanesReading before() {
    PlanesReading reading;
    reading.processors = {{1000, 900, 50}, {1000, 900, 50}};
    reading.programs = {{"1", {"systemd", 10}}, {"7", {"ksoftirqd/0", 5}}, {"812", {"vpnhad", 30}}};
    return reading;
}

// 100 ticks later, without anything to do.
PlanesReading idle() {
    PlanesReading reading = before();
    for (auto& each : reading.processors) {
        each.ticks += 100;
        each.idle += 100;
    }
    return reading;
}

TEST(PlanesTest, AnIdleNodeHasRoom) {
    EXPECT_THAT(judge_planes(before(), idle()), IsEmpty());
    EXPECT_THAT(judge_planes({}, {}), IsEmpty());
}

TEST(PlanesTest, OneProcessorForAllPacketsIsTheDataPlane) {
    PlanesReading after = idle();
    after.processors[1] = {1100, 904, 144};
    after.programs["7"].ticks += 95;
    EXPECT_THAT(judge_planes(before(), after),
                ElementsAre(AllOf(StartsWith("the data plane is the bottleneck: processor 1 spends "
                                             "94 % of its time on packets, and the others are busy "
                                             "for 0 %"),
                                  HasSubstr("receive queues"))))
        << "what ksoftirqd does is not the control plane's";
    after.processors[1].packets = 50 + 79;
    EXPECT_THAT(judge_planes(before(), after), IsEmpty());
}

TEST(PlanesTest, WhereAllAreBusyTheNodeIsTooSmall) {
    PlanesReading after = idle();
    after.processors = {{1100, 905, 140}, {1100, 910, 135}};
    EXPECT_THAT(judge_planes(before(), after), ElementsAre(HasSubstr("this node is too small")));
    PlanesReading one = before();
    one.processors.pop_back();
    after.processors.pop_back();
    EXPECT_THAT(judge_planes(one, after), ElementsAre(HasSubstr("this node is too small")));
}

TEST(PlanesTest, AProgramThatTakesAWholeProcessorIsTheControlPlane) {
    PlanesReading after = idle();
    after.programs["812"].ticks += 80;
    after.programs["900"] = {"new", 5000};
    EXPECT_THAT(judge_planes(before(), after),
                ElementsAre(StartsWith("the control plane is the bottleneck: vpnhad (process 812) "
                                       "uses 80 % of a processor")))
        << "of one that began meanwhile nothing is known";
    after.programs["812"].ticks -= 1;
    EXPECT_THAT(judge_planes(before(), after), IsEmpty());
}

TEST(PlanesTest, WhatWasDroppedJustNowIsNamed) {
    PlanesReading after = idle();
    after.packets_dropped = 7;
    after.connections_dropped = 8;
    after.datagrams_dropped = 9;
    EXPECT_THAT(judge_planes(before(), after),
                ElementsAre(StartsWith("7 packets were"), StartsWith("8 connections were"),
                            StartsWith("9 UDP datagrams were")));
    EXPECT_THAT(judge_planes(after, after), IsEmpty()) << "since the boot, but not now";
}

TEST(PlanesTest, ReadsWhatTheKernelHas) {
    const std::string proc = temporary_path("proc");
    std::filesystem::create_directories(proc + "/net");
    std::filesystem::create_directories(proc + "/812");
    std::ofstream(proc + "/stat")
        << "cpu  3 3 3 3 3 3 3 3 0 0\n"
           "cpu0 1 2 3 40 5 6 7 8 0 0\ncpu1 1 0 0 0 0 0 0 0 0 0\nintr 5\n";
    std::ofstream(proc + "/812/stat")
        << "812 (a (b) c) S 1 2 3 4 5 6 7 8 9 10 250 30 0 0 20 0 1 0 100 1000 55 0\n";
    std::ofstream(proc + "/net/softnet_stat") << "00000a10 0000001f 00000002\n"
                                                 "00000001 00000001 00000000\n";
    std::ofstream(proc + "/net/netstat")
        << "TcpExt: SyncookiesSent ListenOverflows ListenDrops\nTcpExt: 1 2 3\n"
           "IpExt: ListenDrops\nIpExt: 99\n";
    std::ofstream(proc + "/net/snmp") << "Ip: RcvbufErrors\nIp: 98\n"
                                         "Udp: InDatagrams RcvbufErrors\nUdp: 4 5\n";
    const PlanesReading reading = read_planes(proc);
    std::filesystem::remove_all(proc);
    ASSERT_EQ(reading.processors.size(), 2U);
    EXPECT_EQ(reading.processors[0].ticks, 72U);
    EXPECT_EQ(reading.processors[0].idle, 45U);
    EXPECT_EQ(reading.processors[0].packets, 7U);
    EXPECT_EQ(reading.programs.at("812").name, "a (b) c");
    EXPECT_EQ(reading.programs.at("812").ticks, 280U);
    EXPECT_EQ(reading.packets_dropped, 32U);
    EXPECT_EQ(reading.connections_dropped, 3U);
    EXPECT_EQ(reading.datagrams_dropped, 5U);
}

}  // namespace planes_test
}  // namespace vpnha::cli::looks

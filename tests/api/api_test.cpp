// SPDX-License-Identifier: GPL-2.0-or-later
// libvpnha.so from outside: its public headers and exported symbols are enough.
#include <gtest/gtest.h>

#include "vpnha/checkpoint.hpp"
#include "vpnha/configuration.hpp"
#include "vpnha/control.hpp"
#include "vpnha/daemon.hpp"
#include "vpnha/metrics.hpp"
#include "vpnha/result.hpp"
#include "vpnha/tuning.hpp"
#include "vpnha/version.hpp"

namespace vpnha {
namespace {

TEST(ApiTest, ReportsItsVersion) {
    EXPECT_EQ(version(), "0.1.0");
}

TEST(ApiTest, ADaemonWithoutItsConfigurationReportsWhichFileIsMissing) {
    const Result<void> checked = check_config("/nonexistent/vpnha.toml");
    ASSERT_FALSE(checked.has_value());
    EXPECT_NE(checked.error().detail.find("/nonexistent/vpnha.toml"), std::string::npos);
}

TEST(ApiTest, WhatADaemonEndsWithReportsWhetherToStartItAgain) {
    const DaemonEnd refused = run_daemon({.config_file = "/nonexistent/vpnha.toml"});
    ASSERT_FALSE(refused.result.has_value());
    EXPECT_EQ(exit_code(refused), 3);
    EXPECT_EQ(exit_code({.result = refused.result, .is_death = true}), 1);
    EXPECT_EQ(exit_code({}), 0);
}

TEST(ApiTest, RootCanLookAtTheKernel) {
    const Result<void> checked = check_kernel();
    EXPECT_TRUE(checked.has_value()) << checked.error().detail;
}

TEST(ApiTest, TheClockIsCheckedAgainstTheBoundOfTheFile) {
    const Result<std::string> checked = check_clock("/nonexistent/vpnha.toml");
    ASSERT_FALSE(checked.has_value());
    EXPECT_NE(checked.error().detail.find("/nonexistent/vpnha.toml"), std::string::npos);
}

TEST(ApiTest, ConnectionTrackingIsLookedAtForAConfiguration) {
    EXPECT_FALSE(check_conntrack("/nonexistent/vpnha.toml").has_value());
    EXPECT_FALSE(check_connections("/nonexistent/vpnha.toml").has_value());
    EXPECT_FALSE(check_devices("/nonexistent/vpnha.toml").has_value());
    EXPECT_FALSE(check_daemons("/nonexistent/vpnha.toml").has_value());
    EXPECT_FALSE(check_radius("/nonexistent/vpnha.toml").has_value());
}

TEST(ApiTest, TheMachineIsComparedWithTheTableOfTuning) {
    EXPECT_FALSE(check_tuning("/nonexistent/vpnha.toml").has_value());
    EXPECT_NE(tuning_manual().find(tuning_table().front().name), std::string::npos);
    EXPECT_NE(tuning_sysctls().find("\nnet.ipv4.ip_forward = 1\n"), std::string::npos);
}

TEST(ApiTest, EachProtocolHasMetrics) {
    EXPECT_EQ(protocol_metrics().front().name, "vpnha_l2tp_packets_dropped_total");
}

TEST(ApiTest, TheClustersLinksAreLookedAtWhereCorosyncRuns) {
    const Result<ClusterLinksCheck> checked = check_cluster_links();
    EXPECT_TRUE(checked ? !checked->text.empty() : checked.error().code == Errc::unreachable);
}

TEST(ApiTest, TheClustersVotersAreCheckedWithTheWitnessOfAConfiguration) {
    EXPECT_FALSE(check_voters("/nonexistent/vpnha.toml").has_value());
}

TEST(ApiTest, ConstraintsAreLookedAtWherePacemakerRuns) {
    const Result<std::vector<ConstraintFinding>> checked = check_constraints();
    EXPECT_TRUE(checked || !checked.error().detail.empty());
}

TEST(ApiTest, TheVersionsOfOtherProgramsAreLookedAt) {
    const Result<std::vector<OldProgram>> checked = check_versions();
    EXPECT_TRUE(checked.has_value()) << checked.error().detail;
}

TEST(ApiTest, AClientWithoutADaemonIsUnreachable) {
    const auto client =
        ControlClient::connect("/nonexistent/control.sock", std::chrono::milliseconds(100));
    ASSERT_FALSE(client.has_value());
    EXPECT_EQ(client.error().code, Errc::unreachable);
}

TEST(ApiTest, AGroupOfCheckpointsHasAName) {
    const Result<Checkpoint> group = Checkpoint::join({.group = "two words"}, {});
    ASSERT_FALSE(group.has_value());
    EXPECT_EQ(group.error().code, Errc::invalid_argument);
}

TEST(ApiTest, TheExampleConfigurationNamesEveryKey) {
    const std::string example = configuration_example();
    for (const ConfigurationKey& key : configuration_keys()) {
        EXPECT_NE(example.find(key.name), std::string::npos) << key.name;
    }
}

}  // namespace
}  // namespace vpnha
